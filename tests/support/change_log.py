"""Stand-ins for the API in tests of the change log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class NothingExpected:
    """The prefetching part of an asker, for one that makes no requests."""

    def known_activities_of(self, campaign_id: str) -> list[str]:
        return []

    def expect_activities(self, campaign_ids: Iterable[str]) -> None:
        pass

    def expect_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        pass
