"""Automations with their definitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import StreamNotes

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class Automations(ConstantContactStream):
    """An automation with its definitions (listAutomations, retrieveAutomationCampaignUsingGet)."""

    name = "automations"
    path = "/automations/workflows"  # returns 209 (contract)
    records_key = "flow_summaries"
    primary_keys = ("id",)
    detail_path = "/automations/workflows/{id}"
    scopes = ("campaign_data",)
    privileges = ("customer-journey:read",)
    selected_by_default = False
    notes = StreamNotes(limitations="deleted automations: their rows stay")

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield each automation with its detail."""
        for automation in self.request_records(context):
            yield self.details.with_detail(automation)
