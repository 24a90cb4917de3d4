"""What the change log needs to know about activities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tap_constantcontact.incremental.counters import Counters


class ActivitySource(Protocol):
    """Requests from the API what the counters of a campaign don't tell."""

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        """Return the ids of a campaign's activities if they are known without a request."""

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        """Send the requests ahead that `fetch_activity_ids` will make for some campaigns."""

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        """Send the requests ahead that `fetch_counters` will make for groups of activities."""

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        """Return the ids of a campaign's activities that have reports.

        Args:
            campaign_id: The campaign.
            since: Ids that were fetched before are out of date, as the campaign was sent then.
        """

    def fetch_counters(self, activity_ids: Sequence[str]) -> Mapping[str, Counters]:
        """Return the counters of activities, by their ids; only of those that were sent."""
