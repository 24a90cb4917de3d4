"""Stand-ins for what requests activities for the change log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class NothingPrefetched:
    """The part of an activity source that prefetches, for a fake one that makes no requests."""

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        return []

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        pass

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        pass
