"""The client accounts of a partner, and its webhook subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sandbox.server.parameters import choice, integer, text
from sandbox.server.routing import Service

if TYPE_CHECKING:
    from sandbox.account import Record
    from sandbox.server.routing import Call

PARTNER = Service("partner.api", None, for_partners=True)

ACCOUNTS_PATH = "/partner/accounts"
MIN_LIMIT, MAX_LIMIT = 10, 50


@PARTNER.get(
    ACCOUNTS_PATH,
    parameters={
        "limit": text,
        "offset": integer(0, 10**9),
        "account_type": choice("all", "managed", "unmanaged"),
    },
)
def partner_accounts(call: Call) -> Record:
    """List clients. Which ones are unmanaged is not documented: here those on trial."""
    type_ = call.query.get("account_type", "all")
    rows = [
        row
        for row in call.account.partner_accounts.values()
        if type_ == "all" or (row["billing_status"] == "Trial") == (type_ == "unmanaged")
    ]
    limit, offset = _limit(call.query.get("limit", "")), call.query.get("offset", 0)
    body: Record = {"site_owner_list": rows[offset : offset + limit]}
    if offset + limit < len(rows):
        query = {**call.query, "limit": limit, "offset": offset + limit}
        body["_links"] = {"next": {"href": f"/v3{ACCOUNTS_PATH}?{urlencode(query)}"}}
    return body


@PARTNER.get("/partner/accounts/<encoded_account_id>/plan")
def partner_account_plan(call: Call, encoded_account_id: str) -> Record:
    """Show the billing plan of a client."""
    return PARTNER.find(call.account.partner_plans, encoded_account_id, "encoded_account_id")


@PARTNER.get("/partner/webhooks/subscriptions")
def webhook_subscriptions(call: Call) -> list[Record]:
    """List the webhook subscriptions of the partner's app."""
    return list(call.account.webhook_subscriptions.values())


@PARTNER.get("/partner/webhooks/subscriptions/<topic_id>")
def webhook_subscription(call: Call, topic_id: str) -> Record:
    """Show one topic. Its id is a number in the response and a text in the path (documented)."""
    by_text = {str(number): row for number, row in call.account.webhook_subscriptions.items()}
    return PARTNER.find(by_text, topic_id, "topic_id")


def _limit(value: str) -> int:
    """Ignore limits that are out of range (documented)."""
    return int(value) if value.isdecimal() and MIN_LIMIT <= int(value) <= MAX_LIMIT else MAX_LIMIT
