"""What became of sent emails: sends, counters, links, and the tracking reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.exceptions import Forbidden, NotFound
from tap_constantcontact.incremental.change_log import Activity
from tap_constantcontact.incremental.report_cursor import ReportCursor
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.bases import PerItemStream
from tap_constantcontact.streams.campaigns import ChangedActivitiesStream, StatsStream
from tap_constantcontact.timestamps import format_timestamp, normalize_timestamp, parse_timestamp

if TYPE_CHECKING:
    from urllib.parse import ParseResult

    from singer_sdk.helpers.types import Context, Record

_KEY_OF_EVENT = ("campaign_activity_id", "contact_id", "created_time", "occurrence")
_KEY_OF_CONTACT = ("campaign_activity_id", "contact_id")


def with_occurrences(rows: Iterator[Record], primary_keys: tuple[str, ...]) -> Iterator[Record]:
    """Yield rows with the number that tells apart those that agree in all other key columns.

    The API's times have minutes only (inferred from the published answers), so that one contact
    can open twice at the same time. Minutes come whole and in the same order each time.
    """
    seen: Counter[tuple[Any, ...]] = Counter()
    columns = [name for name in primary_keys if name != "occurrence"]
    for row in rows:
        key = tuple(_in_one_form(row.get(name)) for name in columns)
        yield {**row, "occurrence": seen[key]}
        seen[key] += 1


def _in_one_form(value: Any) -> Any:
    """Return a part of a key as it will be written: a time comes with and without milliseconds."""
    return normalize_timestamp(value) or value


class EmailCampaignActivityStats(ChangedActivitiesStream, StatsStream):
    """Counters of a sent activity (getEmailCampaignActivitySummary)."""

    name = "email_campaign_activity_stats"
    path = "/reports/stats/email_campaign_activities"
    primary_keys = ("campaign_activity_id",)
    replication_key = "last_refresh_time"
    ids_per_request = at_once = 10
    notes = StreamNotes(
        reads="of activities that have moved",
        cost="1 for 10 activities that have moved",
        limitations="what moves without a counter of the log, such as an unsubscribe rate",
    )

    def rows_of_activities(self, activities: list[Activity]) -> Iterator[Record]:
        """Yield the counters."""
        yield from self.stats_of(activity.activity_id for activity in activities)

    def predict_activities(self, activities: list[Activity]) -> Iterator[PredictedRequest]:
        """Yield the requests for the counters."""
        return self.predict_stats(activity.activity_id for activity in activities)


class ActivityReport(ChangedActivitiesStream, PerItemStream):
    """A report on each sent activity, read to its end where the activity has moved."""

    context_columns: ClassVar[tuple[str, ...]] = ("campaign_id", "campaign_activity_id")

    def rows_of_activities(self, activities: list[Activity]) -> Iterator[Record]:
        """Yield the rows of the only one; it is tried again on another day if it is refused."""
        for activity in activities:
            rows = self.rows_of(_item_of(activity))
            try:
                again = yield from self.rows_of_activity(activity, rows)
            except (NotFound, Forbidden) as refusal:
                self.skip(refusal)
                again = True
            if again:
                self.left_out[activity.activity_id] = self.api.today
            else:
                self.left_out.pop(activity.activity_id, None)

    def predict_activities(self, activities: list[Activity]) -> Iterator[PredictedRequest]:
        """Yield the requests for the reports."""
        for activity in activities:
            yield self.predict(_item_of(activity), whole=self.reads_to_the_end(activity))

    def reads_to_the_end(self, activity: Activity) -> bool:
        """Return whether the report on an activity will be read to its end."""
        return True

    def rows_of_activity(
        self, activity: Activity, rows: Iterator[Record]
    ) -> Generator[Record, None, bool]:
        """Yield what is to be read of an activity; return whether to try again another day.

        Args:
            activity: the activity.
            rows: the rows of its report; each page is asked for when its first row is.
        """
        yield from rows
        return False


class EmailCampaignSendHistory(ActivityReport):
    """A send of an activity (retrieveEmailSendHistoryUsingGET)."""

    name = "email_campaign_send_history"
    path = "/emails/activities/{campaign_activity_id}/send_history"
    primary_keys = ("campaign_activity_id", "send_id")
    replication_key = "run_date"
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    notes = StreamNotes(cost="1 for each activity that has moved")


class EmailLinks(ActivityReport):
    """A link of an email, with or without clicks (getCampaignActivityLinkStats)."""

    name = "email_links"
    path = "/reports/email_reports/{campaign_activity_id}/links"
    records_key = "link_click_counts"
    primary_keys = ("campaign_activity_id", "url_id")
    replication_key = "counted_at"
    notes = StreamNotes(
        cost="1 or more for each activity that has moved",
        limitations="a link that is gone: its row stays",
    )

    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters: links without clicks come too, unless a setting says no."""
        without_clicks = "true" if self.config["links_without_clicks"] else None
        return {"no_clicks": without_clicks}

    def rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the links of an activity, with the time at which their clicks were counted."""
        for row in super().rows_of(item):
            yield {**row, "counted_at": format_timestamp(self.api.requested_at)}


class TrackingReport(ActivityReport):
    """A report with a row for each contact."""

    records_key = "tracking_activities"
    params = {"limit": 500}
    primary_keys: tuple[str, ...] = _KEY_OF_CONTACT
    replication_key = "created_time"
    notes = StreamNotes(
        cost="1 for 500 rows of each activity that has moved",
        limitations="a row that disappears: it stays",
    )

    def rows_of_activity(
        self, activity: Activity, rows: Iterator[Record]
    ) -> Generator[Record, None, bool]:
        """Yield the rows of an activity that are not older than start_date."""
        for row in rows:
            if not self.is_too_old(_time_of(row)):
                yield row
        return False

    def is_too_old(self, at: datetime | None, by: timedelta = timedelta(0)) -> bool:
        """Return whether a time is before start_date, by some time or more."""
        return bool(at and self.start and at < self.start - by)


class EventReport(TrackingReport):
    """A report with a row for each event, newest first: a contact can be in it many times.

    Attributes:
        kind: `opens` or `clicks`, where the API counts the rows and not only contacts.
        least_lookback: how far to read on before what is known, if the setting says less.
    """

    primary_keys: tuple[str, ...] = _KEY_OF_EVENT
    kind: ClassVar[str | None] = None
    least_lookback: ClassVar[timedelta] = timedelta(days=1)
    notes = StreamNotes(
        reads="of activities that have moved, newest rows first, down to what is known",
        limitations="rows that come late, until a re-read; a row that disappears: it stays",
    )

    def reads_to_the_end(self, activity: Activity) -> bool:
        """Return whether nothing of an activity is known or left out."""
        return self.start is None and self.known_until(activity) is None

    def rows_of_activity(
        self, activity: Activity, rows: Iterator[Record]
    ) -> Generator[Record, None, bool]:
        """Yield the events of an activity that are new, told apart by their occurrence.

        Whole minutes are read, so that occurrences are the same in each run. A report that is
        behind its counter is tried again.
        """
        lookback = max(timedelta(days=self.config["engagement_lookback_days"]), self.least_lookback)
        tally = ReportCursor(activity, self.kind, self.known_until(activity), lookback)
        to_the_end = True
        for row in with_occurrences(rows, self.primary_keys):
            at = _time_of(row)
            if self.is_too_old(at, by=lookback) or tally.is_known(at):
                to_the_end = False
                break
            if not self.is_too_old(at):
                yield row
        if "max_records_per_stream" in self.config:  # which claims nothing
            return False
        return tally.close(read_in_full=to_the_end)


class EmailSends(EventReport):
    """An email that was sent to a contact (getSends)."""

    name = "email_sends"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/sends"
    selected_by_default = False


class EmailOpens(EventReport):
    """A contact opened an email (getOpens)."""

    name = "email_opens"
    kind = "opens"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/opens"
    notes = StreamNotes(limitations=TrackingReport.notes.limitations)


class EmailClicks(EventReport):
    """A contact clicked a link (getClicks)."""

    name = "email_clicks"
    kind = "clicks"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/clicks"
    primary_keys = ("campaign_activity_id", "contact_id", "url_id", "created_time", "occurrence")
    notes = StreamNotes(limitations=TrackingReport.notes.limitations)


class EmailBounces(EventReport):
    """An email came back (getBounces)."""

    name = "email_bounces"
    # Servers try for days before they give an email back.
    least_lookback = timedelta(days=7)
    path = "/reports/email_reports/{campaign_activity_id}/tracking/bounces"


class EmailOptouts(EventReport):
    """A contact unsubscribed by an email (getOptouts)."""

    name = "email_optouts"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/optouts"


class EmailForwards(EventReport):
    """A contact forwarded an email (getForwards)."""

    name = "email_forwards"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/forwards"


class EmailUniqueOpens(TrackingReport):
    """The last open of each contact (getUniqueOpens)."""

    name = "email_unique_opens"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/unique_opens"
    selected_by_default = False


class EmailDidNotOpens(TrackingReport):
    """A contact that has not opened an email so far (getDidNotOpens)."""

    name = "email_did_not_opens"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/didnotopens"
    selected_by_default = False
    notes = StreamNotes(limitations="a contact that opens leaves the report: its row stays")


def _item_of(activity: Activity) -> Record:
    return {"campaign_id": activity.campaign_id, "campaign_activity_id": activity.activity_id}


def _time_of(row: Record) -> datetime | None:
    try:
        return parse_timestamp(str(row.get("created_time")))
    except ValueError:
        return None
