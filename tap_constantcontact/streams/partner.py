"""Client accounts of a technology partner, read with the partner's key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import StreamNotes

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class PartnerStream(ConstantContactStream):
    """A stream that is read with the key and the token of a partner."""

    requires = "a partner's key"
    for_partners = True
    selected_by_default = False

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        """Headers of every request, with the partner's key."""
        return {**super().http_headers, "x-api-key": self.config.get("partner_api_key", "")}

    @override
    def why_unreadable(self) -> str:
        """Return why the stream can't be read: perhaps the partner's key is missing."""
        if "partner_api_key" not in self.config:
            return f"requires {self.permissions}"
        return super().why_unreadable()

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the records, or none if there is no partner's key."""
        if "partner_api_key" in self.config:
            yield from super().get_records(context)
        else:
            message = "%s is skipped: it requires partner_api_key. Set it, or deselect the stream"
            self.logger.warning(message, self.name)
            self.tap.require_readable_stream(
                "partner_api_key is not set. Set it, or select other streams"
            )


class PartnerAccounts(PartnerStream):
    """A client account of the partner (getPartnerSiteOwners)."""

    name = "partner_accounts"
    path = "/partner/accounts"
    records_key = "site_owner_list"
    params = {"limit": 50}
    primary_keys = ("encoded_account_id",)
    notes = StreamNotes(limitations="accounts that are gone: their rows stay")

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterator[Context]:
        """Yield the account."""
        yield {"encoded_account_id": record["encoded_account_id"]}


class PartnerAccountPlans(PartnerStream):
    """The billing plan of a client account (getPlan)."""

    name = "partner_account_plans"
    path = "/partner/accounts/{encoded_account_id}/plan"
    primary_keys = ("encoded_account_id",)
    context_columns = ("encoded_account_id",)
    parent_stream_type = PartnerAccounts
    state_partitioning_keys = ()
    notes = StreamNotes(reads="the plan of each account, in every run", cost="1 for each account")


class PartnerWebhookSubscriptions(PartnerStream):
    """A webhook: a URL that the vendor calls on certain events (getWebhooksCollection)."""

    name = "partner_webhook_subscriptions"
    path = "/partner/webhooks/subscriptions"
    primary_keys = ("topic_id",)
    notes = StreamNotes(limitations="subscriptions that are gone: their rows stay")
