"""What a single contact did: a request or more for each contact that the run brings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from tap_constantcontact.client import ForEachStream
from tap_constantcontact.streams.contacts import Contacts
from tap_constantcontact.streams.engagement import with_occurrences
from tap_constantcontact.values import parse_start, timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_METRICS = "the scope contact_data and the privilege ui:campaign:metrics"


class ForEachContact(ForEachStream):
    """A stream that asks once for each contact."""

    own_columns: ClassVar[tuple[str, ...]] = ("contact_id",)
    parent_stream_type = Contacts
    state_partitioning_keys = ()
    needs = _METRICS
    selected_by_default = False


class ContactSmsEngagementHistory(ForEachContact):
    """A change of a contact's SMS consent (getSmsEngagementHistory)."""

    name = "contact_sms_engagement_history"
    path = "/contacts/sms_engagement_history/{contact_id}"
    primary_keys = ("sms_channel_history_id",)
    needs = "the scope contact_data and the privilege contacts:read"

    def items(self, context: Context | None) -> Iterator[Record]:
        """Yield the contact if it has an SMS channel."""
        if context and context["has_sms_channel"]:
            yield dict(context)


class ContactActivityDetails(ForEachContact):
    """An event of a contact, newest first (getContactTracking)."""

    name = "contact_activity_details"
    path = "/reports/contact_reports/{contact_id}/activity_details"
    records_key = "tracking_activities"
    params = {"limit": 100}
    primary_keys = (
        "contact_id",
        "campaign_activity_id",
        "tracking_activity_type",
        "created_time",
        "occurrence",
    )

    def rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the events of a contact, told apart by their occurrence."""
        types = ",".join(self.config["contact_activity_types"])
        asked = {**item, "params": {"tracking_activities_list": types}}
        yield from with_occurrences(super().rows_of(asked), self.primary_keys)


class ReportInWindow(ForEachContact):
    """A report on a contact between report_start and report_end."""

    own_columns = ("contact_id", "report_start", "report_end")

    @cached_property
    def window(self) -> tuple[str, str]:
        """Start and end of the report, the same for all contacts of a run."""
        now = datetime.fromtimestamp(self._tap.initialized_at / 1000, timezone.utc)
        start, end = self.config["report_start"], self.config.get("report_end", "-0h")
        return timestamp(parse_start(start, now)), timestamp(parse_start(end, now))

    def rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the rows of a contact, with the window that they are about."""
        start, end = self.window
        asked = {**item, "report_start": start, "report_end": end}
        yield from super().rows_of({**asked, "params": {"start": start, "end": end}})


class ContactActivitySummaries(ReportInWindow):
    """How often a contact did what with an activity (getContactTrackingCount)."""

    name = "contact_activity_summaries"
    path = "/reports/contact_reports/{contact_id}/activity_summary"
    records_key = "campaign_activities"
    primary_keys = ("contact_id", "campaign_activity_id")


class ContactOpenClickRates(ReportInWindow):
    """The rates at which a contact opens and clicks (getContactOpenClickRate)."""

    name = "contact_open_click_rates"
    path = "/reports/contact_reports/{contact_id}/open_and_click_rates"
    primary_keys = ("contact_id",)
