"""Summaries of SMS campaigns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.incremental.start_date import starting_point
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.timestamps import format_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

# Counts change for some time after the send. Assumes: sms_counts_settle.
_LOOKBACK = timedelta(days=90)
# start_at is required (contract); the API is younger.
_BEGINNING = "2000-01-01T00:00:00.000Z"


class SmsCampaignSummaries(ConstantContactStream):
    """The counts of a sent SMS campaign (getAllBulkSmsCampaignSummaries)."""

    name = "sms_campaign_summaries"
    path = "/reports/summary_reports/sms_campaign_summaries"
    records_key = "bulk_sms_campaign_summaries"
    params = {"limit": 50}
    primary_keys = ("campaign_id",)
    replication_key = "last_sent_date"
    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)
    notes = StreamNotes(
        reads="campaigns sent since the bookmark minus 90 days",
        limitations="counts that change later than 90 days after the send",
    )

    @override
    def request_contexts(self, context: Context | None) -> list[Context]:
        """Return a context with the bookmark minus the time in which counts change."""
        start = starting_point(self)
        start_at = format_timestamp(start - _LOOKBACK) if start else _BEGINNING
        return [{"params": {"start_at": start_at}}]
