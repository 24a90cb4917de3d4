"""Automations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tap_constantcontact.client import ConstantContactStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class Automations(ConstantContactStream):
    """An automation with its definitions (listAutomations, retrieveAutomationCampaignUsingGet)."""

    name = "automations"
    path = "/automations/workflows"  # answers 209 (contract)
    records_key = "flow_summaries"
    primary_keys = ("id",)
    detail_path = "/automations/workflows/{id}"
    needs = "the scope campaign_data and the privilege customer-journey:read"
    selected_by_default = False
    unseen = "a deleted one: its row stays"

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield each automation with its detail."""
        for automation in self.request_records(context):
            yield self.completed(automation)
