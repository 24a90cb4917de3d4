"""The clients of a partner, and what its app listens to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sandbox.server.parameters import choice, text, whole
from sandbox.server.routing import Service

if TYPE_CHECKING:
    from sandbox.account import Record
    from sandbox.server.routing import Call

PARTNER = Service("partner.api", None, for_partners=True)

ACCOUNTS_PATH = "/partner/accounts"
LEAST, MOST = 10, 50


@PARTNER.get(
    ACCOUNTS_PATH,
    parameters={
        "limit": text,
        "offset": whole(0, 10**9),
        "account_type": choice("all", "managed", "unmanaged"),
    },
)
def partner_accounts(call: Call) -> Record:
    """List clients. Who is unmanaged is not told: those on trial, here."""
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
    """List what the partner's app listens to."""
    return list(call.account.webhook_subscriptions.values())


@PARTNER.get("/partner/webhooks/subscriptions/<topic_id>")
def webhook_subscription(call: Call, topic_id: str) -> Record:
    """Show one topic. Its id is a number in the answer and a text in the path (documented)."""
    by_text = {str(number): row for number, row in call.account.webhook_subscriptions.items()}
    return PARTNER.find(by_text, topic_id, "topic_id")


def _limit(value: str) -> int:
    """Ignore limits that are out of range (documented)."""
    return int(value) if value.isdecimal() and LEAST <= int(value) <= MOST else MOST
