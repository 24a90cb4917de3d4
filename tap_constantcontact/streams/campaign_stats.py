"""Counters of sent campaigns and of their activities, and rankings of campaigns."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import body_of
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Forbidden, NotFound, Refused
from tap_constantcontact.incremental.activity import Activity
from tap_constantcontact.incremental.activity_progress import ActivityReader
from tap_constantcontact.incremental.change_log_codec import LOG_OWNER
from tap_constantcontact.incremental.counters import ACTIVITY_STATS
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.redaction import in_one_line
from tap_constantcontact.streams.bases import report_window

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record


# Some KB each.
_MAX_COMPARED = 2_000


class CounterStream(ConstantContactStream):
    """A stream of counters that requests many ids at a time.

    Attributes:
        ids_per_request: The maximum number of ids in the path of a request (contract).
    """

    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)
    ids_per_request: ClassVar[int]

    def request_counters(self, ids: Iterable[str]) -> Iterator[Record]:
        """Yield the counters of ids, many in each request."""
        for batch in self._batches(ids):
            yield from self._request_batch(batch)

    def predict_counters(self, ids: Iterable[str]) -> Iterator[PredictedRequest]:
        """Yield the requests that `request_counters` will make."""
        for batch in self._batches(ids):
            yield self.predict.path(self._path_of(batch))

    @override
    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return none: it takes requests to find the ids."""
        return ()

    def _batches(self, ids: Iterable[str]) -> Iterator[list[str]]:
        rest = iter(ids)
        while batch := list(islice(rest, self.ids_per_request)):
            yield batch

    def _path_of(self, ids: list[str]) -> str:
        return f"{self.path}/{','.join(ids)}"

    def _request_batch(self, ids: list[str]) -> Iterator[Record]:
        """Yield the counters of one request.

        Assumes: unknown_ids_fail_stats.
        """
        try:
            response: dict[str, Any] = self.details.get(self._path_of(ids))
        except NotFound as missing:
            if len(ids) == 1:
                self.details.note_skipped(missing)
                return
            half = len(ids) // 2
            yield from self._request_batch(ids[:half])
            yield from self._request_batch(ids[half:])
        else:
            yield from (row for row in response.get("results") or [] if isinstance(row, dict))

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Name the counters as in the contract. Assumes: counters_have_underscores."""
        stats = row.get("stats")
        if isinstance(stats, dict):
            row["stats"] = {name.replace(".", "_"): count for name, count in stats.items()}
        return super().post_process(row, context)


class EmailCampaignStats(CounterStream):
    """The counters and rates of a sent campaign (getEmailSummary).

    They tell the report streams which campaigns have changed. The part `log` of this stream's state
    is the change log. It also has `others`, the campaigns with stats that the summaries lack;
    `asked_since`, the time from which changed campaigns are requested; and `unanswered`, the
    campaigns without stats so far, with the day (since 1970) of the next request and the number of
    days until the one after it.
    """

    name = LOG_OWNER
    path = "/reports/stats/email_campaigns"
    primary_keys = ("campaign_id",)
    ids_per_request = 150
    notes = StreamNotes(
        reads="all rows, in every run; updates the change log",
        cost="1 for 150 sent campaigns, and 1 for each campaign that may have counters",
    )

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the counters of all sent campaigns. Other streams need them too."""
        return self.services.campaigns.read_counters()


class EmailCampaignActivityStats(CounterStream):
    """The counters of a sent activity (getEmailCampaignActivitySummary)."""

    name = "email_campaign_activity_stats"
    path = "/reports/stats/email_campaign_activities"
    primary_keys = ("campaign_activity_id",)
    replication_key = "last_refresh_time"
    ids_per_request = 10
    report_kind = ACTIVITY_STATS
    follows_change_log = manages_state = True
    notes = StreamNotes(
        reads="rows of changed activities",
        cost="1 for 10 changed activities",
        limitations="changes of values that the change log doesn't compare, such as rates",
    )

    @property
    def activities(self) -> ActivityReader:
        """The reader of the activities that have changed."""
        return self.services.activity_reader(self)

    @cached_property
    def _compared(self) -> dict[str, Record]:
        """Counters that were requested to compare them, by their activities."""
        return {}

    @override
    def request_counters(self, ids: Iterable[str]) -> Iterator[Record]:
        """Yield the counters of activities, and keep them: the stream will need most of them."""
        for row in super().request_counters(ids):
            if self.selected and len(self._compared) < _MAX_COMPARED:
                self._compared[str(row.get("campaign_activity_id"))] = row
            yield row

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the counters of the activities that have changed."""
        return self.activities.read(self._rows_of_batch, self._batches_of)

    @override
    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the requests for the counters, or None until the changed activities are known."""
        pending = self.activities.pending()
        if pending is None:
            return None
        return self.predict_counters(self._unknown(pending))

    def _rows_of_batch(self, activities: list[Activity]) -> Iterator[Record]:
        unknown = self._unknown(activities)
        for activity in activities:
            if row := self._compared.get(activity.activity_id):
                yield row
        yield from super().request_counters(unknown)

    def _batches_of(self, activities: list[Activity]) -> Iterator[list[Activity]]:
        """Yield activities in batches for one request each, with those whose counters are known."""
        batch: list[Activity] = []
        for activity in activities:
            batch.append(activity)
            if len(self._unknown(batch)) == self.ids_per_request:
                yield batch
                batch = []
        if batch:
            yield batch

    def _unknown(self, activities: Iterable[Activity]) -> list[str]:
        ids = (activity.activity_id for activity in activities)
        return [id_ for id_ in ids if id_ not in self._compared]


class EmailCampaignPerformance(ConstantContactStream):
    """The place of a campaign in a ranking of a period (getCampaignPerformanceStats).

    No response of this endpoint has been published. So anything can be missing, and an account
    whose API rejects the request has no rows, with a warning.
    """

    name = "email_campaign_performance"
    path = "/reports/email_reports/campaign_performance"
    params = {"count": 100}
    primary_keys = ("ranking", "measure", "campaign_id")
    context_columns = ("start_at", "end_at")
    scopes = ("contact_data",)
    privileges = ("ui:campaign:metrics",)
    selected_by_default = False
    notes = StreamNotes(
        reads="the rankings between `report_start` and `report_end`, in every run",
        cost="1",
        limitations="campaigns that leave a ranking: their rows stay",
    )

    @override
    def request_contexts(self, context: Context | None) -> list[Context]:
        """Return the period of the rankings."""
        start, end = report_window(self.tap)
        window = {"start_at": start, "end_at": end}
        return [{**window, "params": window}]

    @override
    def rows_in(self, context: Context | None) -> Iterator[Record]:
        """Yield the places of all rankings; none if the API rejects the request."""
        try:
            yield from self.rows_of(dict(context or {}))
        except Forbidden:
            raise
        except Refused as refusal:
            self.details.note_skipped(refusal, logging.WARNING)

    @override
    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield a row for each place of each ranking."""
        body = body_of(response)
        rankings = body if isinstance(body, dict) else {}
        for error in _objects(rankings.get("errors")):
            text = in_one_line(f"{error.get('error_key')}: {error.get('error_message')}")
            self.logger.warning("%s: the API returned incomplete rankings: %s", self.name, text)
        for ranking in ("top", "bottom"):
            of_ranking = rankings.get(ranking)
            measures = of_ranking.items() if isinstance(of_ranking, dict) else ()
            for measure, places in measures:
                for rank, place in enumerate(_objects(places), start=1):
                    yield {**place, "ranking": ranking, "measure": measure, "rank": rank}


def _objects(value: Any) -> list[Record]:
    """Return the objects of an array; none if it is something else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
