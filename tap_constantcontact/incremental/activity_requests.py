"""The requests for activities and their counters that the change log makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from tap_constantcontact.incremental.campaign_details import REPORTED, activities_of
from tap_constantcontact.incremental.counters import Counters

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_constantcontact.api.prefetch import PredictedRequest
    from tap_constantcontact.api.run_context import RunContext
    from tap_constantcontact.incremental.campaign_index import CampaignIndex


class CounterSource(Protocol):
    """A stream of counters."""

    def request_counters(self, ids: Iterable[str]) -> Iterator[Record]:
        """Yield the counters of ids, many in each request."""

    def predict_counters(self, ids: Iterable[str]) -> Iterator[PredictedRequest]:
        """Predict the requests for the counters of ids."""


class ActivityRequests:
    """Requests activities and their counters, as `ActivitySource` says."""

    def __init__(self, index: CampaignIndex, counters: CounterSource, api: RunContext) -> None:
        """Make requests for the change log.

        Args:
            index: Requests the details of campaigns.
            counters: Requests the counters of activities.
            api: Prefetches.
        """
        self._index = index
        self._counters = counters
        self._api = api

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        """Return the ids of the activities that are known without a request."""
        known = self._index.known_detail({"campaign_id": campaign_id}) or {}
        return [activity["campaign_activity_id"] for activity in activities_of(known, REPORTED)]

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        """Prefetch the requests of `fetch_activity_ids`."""
        rows = ({"campaign_id": id_} for id_ in campaign_ids)
        unknown = (row for row in rows if not self._index.known_detail(row))
        self._api.session.prefetch(map(self._index.predict_detail, unknown))

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        """Prefetch the requests of `fetch_counters`."""
        predicted = map(self._counters.predict_counters, activity_ids)
        self._api.session.prefetch(chain.from_iterable(predicted))

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        """Return the ids of a campaign's activities that have reports."""
        campaign = {"campaign_id": campaign_id, "since": since}
        activities = self._index.fetch_activities(campaign, REPORTED)
        return [activity["campaign_activity_id"] for activity in activities]

    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        """Return the counters of the activities that were sent, by their ids."""
        return {
            str(row.get("campaign_activity_id")): Counters.of_stats(row.get("stats"))
            for row in self._counters.request_counters(activity_ids)
        }
