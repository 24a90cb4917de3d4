"""Stand-ins for what the change log asks the API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class NothingExpected:
    """The part of an asker that prefetches, of one that makes no requests."""

    def known_activities_of(self, campaign_id: str) -> list[str]:
        return []

    def expect_activities(self, campaign_ids: Iterable[str]) -> None:
        pass

    def expect_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        pass
