"""Generated accounts without a server, and what tests look up in them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sandbox import Account
from sandbox.generate.account import generate_account
from sandbox.server.expected import Rows, expected
from sandbox.server.options import PRIVILEGES

NOW = int(datetime(2026, 3, 1, 12, tzinfo=timezone.utc).timestamp())
LATER = NOW + 600


def make(contacts: int = 120, campaigns: int = 12, seed: int = 3, **options: Any) -> Account:
    return generate_account(
        contacts=contacts, campaigns=campaigns, seed=seed, now=lambda: NOW, **options
    )


def rows(account: Account) -> dict[str, Rows]:
    return expected(account, PRIVILEGES)


def changed_keys(before: dict[str, Rows], after: dict[str, Rows], stream: str) -> list[Any]:
    return [key for key, row in after[stream].items() if before[stream].get(key) != row]


def sent_campaign(account: Account) -> str:
    """Name the sent campaign that reached most contacts and has no resend."""
    without = [
        id_
        for id_, campaign in account.campaigns.items()
        if campaign["current_status"] == "Done" and len(account.engagements(id_)) == 1
    ]
    return max(without, key=lambda id_: len(account.reached_by(id_)))


def primary(account: Account, campaign_id: str) -> str:
    return str(account.activity(campaign_id, "primary_email")["campaign_activity_id"])


def counters(streams: dict[str, Rows], campaign_id: str) -> dict[str, int]:
    values: dict[str, int] = streams["email_campaign_stats"][(campaign_id,)]["stats"]
    return values
