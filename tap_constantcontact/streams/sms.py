"""SMS campaigns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.values import timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

# Counts move for some time after the send.
_LOOKBACK = timedelta(days=90)
# start_at is required (contract); the API is younger.
_BEGINNING = "2000-01-01T00:00:00.000Z"


class SmsCampaignSummaries(ConstantContactStream):
    """Counts of a sent SMS campaign (getAllBulkSmsCampaignSummaries)."""

    name = "sms_campaign_summaries"
    path = "/reports/summary_reports/sms_campaign_summaries"
    records_key = "bulk_sms_campaign_summaries"
    params = {"limit": 50}
    primary_keys = ("campaign_id",)
    replication_key = "last_sent_date"
    needs = "the scope campaign_data and the privilege ui:campaign:metrics"
    reading = "what was sent since the bookmark less 90 days"
    unseen = "counts that move later than 90 days after the send"

    def first_pages(self, context: Context | None) -> list[Context]:
        """Ask for campaigns sent since the last one read, less the time in which counts move."""
        start_at = timestamp(self.begins_at - _LOOKBACK) if self.begins_at else _BEGINNING
        return [{"params": {"start_at": start_at}}]
