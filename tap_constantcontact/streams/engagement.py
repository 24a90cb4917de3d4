"""Reports on sent emails: send history, links, and tracking reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Forbidden, NotFound
from tap_constantcontact.incremental import counters
from tap_constantcontact.incremental.activity import Activity
from tap_constantcontact.incremental.activity_progress import ActivityReader
from tap_constantcontact.incremental.report_cursor import ReportCursor
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.timestamps import format_timestamp, normalize_timestamp, parse_timestamp

if TYPE_CHECKING:
    from urllib.parse import ParseResult

    from singer_sdk.helpers.types import Context, Record

_KEY_OF_EVENT = ("campaign_activity_id", "contact_id", "created_time", "occurrence")
_KEY_OF_CONTACT = ("campaign_activity_id", "contact_id")


# By how much counters may lag behind reports.
_MAX_LAG = timedelta(days=2)
_WRONG_ZERO = (
    "%s: a report has rows although its counter is 0. Reports are read whatever their counters say "
    "from now on, and those that were skipped are read by this run or the next one"
)


def with_occurrences(rows: Iterator[Record], primary_keys: tuple[str, ...]) -> Iterator[Record]:
    """Yield rows with `occurrence`, which numbers rows whose other key columns are identical.

    IDs in the key that a row lacks are empty, since a key has no nulls.

    The API's times have only minutes, so two opens of a contact can have the same time. The rows of
    a minute always come together, in the same order. Assumes: report_times_are_whole_minutes.
    """
    seen: Counter[tuple[Any, ...]] = Counter()
    columns = [name for name in primary_keys if name != "occurrence"]
    ids = [name for name in columns if name.endswith("_id")]
    for row in rows:
        # The report may not name a contact that was erased. The number tells its rows apart.
        for name in ids:
            if row.get(name) is None:
                row[name] = ""
        # Times come with and without milliseconds, but a key needs one format.
        key = tuple(normalize_timestamp(row.get(name)) or row.get(name) for name in columns)
        yield {**row, "occurrence": seen[key]}
        seen[key] += 1


class ActivityReport(ConstantContactStream):
    """A report on each sent activity, read in full if the activity has changed.

    Most are tracking reports with a row for each contact.

    Attributes:
        skips_older_rows: Whether rows that are older than start_date are skipped.
    """

    records_key: ClassVar[str | None] = "tracking_activities"
    params: ClassVar[Mapping[str, Any]] = {"limit": 500}
    primary_keys: tuple[str, ...] = _KEY_OF_CONTACT
    replication_key = "created_time"
    context_columns = ("campaign_id", "campaign_activity_id")
    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)
    follows_change_log = manages_state = True
    skips_older_rows: ClassVar[bool] = True
    notes = StreamNotes(
        reads="reports on changed activities, in full",
        cost="1 for 500 rows of each changed activity",
        limitations="rows that disappear from a report: they stay",
    )

    @property
    @override
    def has_keys_once(self) -> bool:
        """Whether a key comes once: an activity that changes meanwhile is read again."""
        return "occurrence" not in self.primary_keys

    @property
    def activities(self) -> ActivityReader:
        """The reader of the activities that have changed."""
        return self.services.activity_reader(self)

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of the reports on changed activities."""
        return self.activities.read(self._rows_of_batch)

    @override
    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the requests for the reports, or None until the changed activities are known."""
        pending = self.activities.pending()
        if pending is None:
            return None
        return (
            self.predict.pages(_context_of(activity), all_pages=self.reads_in_full(activity))
            for activity in pending
        )

    def reads_in_full(self, activity: Activity) -> bool:
        """Return whether the report on an activity will be read in full."""
        return True

    def rows_of_activity(
        self, activity: Activity, rows: Iterator[Record]
    ) -> Generator[Record, None, bool]:
        """Yield the rows to read of an activity, and return whether to retry on a later day.

        Args:
            activity: The activity.
            rows: The rows of its report. Each page is requested when its first row is read.
        """
        for row in rows:
            if not (self.skips_older_rows and self.is_too_old(_time_of(row))):
                yield row
        return False

    def is_too_old(self, at: datetime | None, by: timedelta = timedelta(0)) -> bool:
        """Return whether a time is before start_date by more than a time span."""
        start = self.activities.progress.start
        return bool(at and start and at < start - by)

    def _rows_of_batch(self, activities: list[Activity]) -> Iterator[Record]:
        """Yield the rows of the reports. A report that is refused is retried on a later day."""
        progress = self.activities.progress
        for activity in activities:
            rows = self.rows_of(_context_of(activity))
            if self.report_kind.counts_nothing(activity.counters):
                rows = self._unexpected(activity, rows)
            try:
                again = yield from self.rows_of_activity(activity, rows)
            except (NotFound, Forbidden) as refusal:
                self.details.skip(refusal)
                again = True
            if again:
                progress.note_skipped(activity, self.api.today)
            else:
                progress.note_read(activity)

    def _unexpected(self, activity: Activity, rows: Iterator[Record]) -> Iterator[Record]:
        """Yield rows that no counter shows. If they are not new, counters of 0 prove nothing."""
        for row in rows:
            at = _time_of(row)
            is_old = at is not None and at < activity.changed_at - _MAX_LAG
            if is_old and self.activities.distrust_zeros():
                self.logger.warning(_WRONG_ZERO, self.name)
            yield row


class EmailCampaignSendHistory(ActivityReport):
    """A send of an activity (retrieveEmailSendHistoryUsingGET)."""

    name = "email_campaign_send_history"
    report_kind = counters.SEND_HISTORY
    path = "/emails/activities/{campaign_activity_id}/send_history"
    records_key = None
    params = {}
    primary_keys = ("campaign_activity_id", "send_id")
    replication_key = "run_date"
    skips_older_rows = False
    privileges = ("campaign:read",)
    notes = StreamNotes(cost="1 for each changed activity", limitations="")


class EmailLinks(ActivityReport):
    """A link of an email, with or without clicks (getCampaignActivityLinkStats)."""

    name = "email_links"
    report_kind = counters.LINKS
    path = "/reports/email_reports/{campaign_activity_id}/links"
    records_key = "link_click_counts"
    params = {}
    primary_keys = ("campaign_activity_id", "url_id")
    replication_key = "counted_at"
    skips_older_rows = False
    notes = StreamNotes(
        cost="1 or more for each changed activity",
        limitations="links that are gone: their rows stay",
    )

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters: they include links without clicks, unless a setting says no."""
        without_clicks = "true" if self.config["links_without_clicks"] else None
        return {"no_clicks": without_clicks}

    @override
    def rows_of(self, context: Record) -> Iterator[Record]:
        """Yield the links of an activity with the time at which their clicks were counted."""
        for row in super().rows_of(context):
            yield {**row, "counted_at": format_timestamp(self.api.requested_at)}


class EventReport(ActivityReport):
    """A report with a row for each event, newest first. A contact can have many rows.

    Attributes:
        min_lookback: The minimum lookback, if the setting is shorter.
    """

    primary_keys: tuple[str, ...] = _KEY_OF_EVENT
    min_lookback: ClassVar[timedelta] = timedelta(days=1)
    notes = StreamNotes(
        reads="new rows of changed activities, newest first, with a lookback",
        limitations="late rows, until a re-read; rows that disappear from a report: they stay",
    )

    @override
    def reads_in_full(self, activity: Activity) -> bool:
        """Return whether no row of an activity has been read or is to be skipped."""
        progress = self.activities.progress
        return progress.start is None and progress.read_until(activity) is None

    @override
    def rows_of_activity(
        self, activity: Activity, rows: Iterator[Record]
    ) -> Generator[Record, None, bool]:
        """Yield the new events of an activity, with their occurrences.

        Minutes are read in full, so that occurrences are the same in every run. A report with fewer
        rows than its counter says is retried once, on a later day.
        """
        lookback = max(timedelta(days=self.config["engagement_lookback_days"]), self.min_lookback)
        read_until = self.activities.progress.read_until(activity)
        cursor = ReportCursor(activity, self.report_kind.rows, read_until, lookback)
        read_in_full = True
        for row in with_occurrences(rows, self.row_key):
            at = _time_of(row)
            if self.is_too_old(at, by=lookback) or cursor.is_known(at):
                read_in_full = False
                break
            if not self.is_too_old(at):
                yield row
        if "max_records_per_stream" in self.config:  # the state will be restored
            return False
        if read_in_full and cursor.is_behind and self.activities.progress.was_skipped(activity):
            self.records.report(
                "a report has fewer rows than its counter, a day later too; it is read again when "
                "the counter changes"
            )
        return cursor.close(read_in_full=read_in_full)


class EmailSends(EventReport):
    """An email that was sent to a contact (getSends)."""

    name = "email_sends"
    report_kind = counters.SENDS
    path = "/reports/email_reports/{campaign_activity_id}/tracking/sends"
    selected_by_default = False


class EmailOpens(EventReport):
    """A contact opened an email (getOpens)."""

    name = "email_opens"
    report_kind = counters.OPENS
    path = "/reports/email_reports/{campaign_activity_id}/tracking/opens"
    # Late rows are noticed, because the API counts opens.
    notes = StreamNotes(limitations=ActivityReport.notes.limitations)


class EmailClicks(EventReport):
    """A contact clicked a link (getClicks)."""

    name = "email_clicks"
    report_kind = counters.CLICKS
    path = "/reports/email_reports/{campaign_activity_id}/tracking/clicks"
    primary_keys = ("campaign_activity_id", "contact_id", "url_id", "created_time", "occurrence")
    # As for opens.
    notes = StreamNotes(limitations=ActivityReport.notes.limitations)


class EmailBounces(EventReport):
    """An email bounced (getBounces)."""

    name = "email_bounces"
    report_kind = counters.BOUNCES
    # Mail servers retry for days before an email bounces.
    min_lookback = timedelta(days=7)
    path = "/reports/email_reports/{campaign_activity_id}/tracking/bounces"


class EmailOptouts(EventReport):
    """A contact unsubscribed through an email (getOptouts)."""

    name = "email_optouts"
    report_kind = counters.OPTOUTS
    path = "/reports/email_reports/{campaign_activity_id}/tracking/optouts"


class EmailForwards(EventReport):
    """A contact forwarded an email (getForwards)."""

    name = "email_forwards"
    report_kind = counters.FORWARDS
    path = "/reports/email_reports/{campaign_activity_id}/tracking/forwards"


class EmailUniqueOpens(ActivityReport):
    """The last open of each contact (getUniqueOpens)."""

    name = "email_unique_opens"
    report_kind = counters.UNIQUE_OPENS
    path = "/reports/email_reports/{campaign_activity_id}/tracking/unique_opens"
    selected_by_default = False


class EmailDidNotOpens(ActivityReport):
    """A contact that has not opened an email yet (getDidNotOpens)."""

    name = "email_did_not_opens"
    report_kind = counters.DID_NOT_OPENS
    path = "/reports/email_reports/{campaign_activity_id}/tracking/didnotopens"
    selected_by_default = False
    notes = StreamNotes(limitations="contacts that open later leave the report: their rows stay")


def _context_of(activity: Activity) -> Record:
    return {"campaign_id": activity.campaign_id, "campaign_activity_id": activity.activity_id}


def _time_of(row: Record) -> datetime | None:
    try:
        return parse_timestamp(str(row.get("created_time")))
    except ValueError:
        return None
