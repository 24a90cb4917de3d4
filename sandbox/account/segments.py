"""The criteria of a segment, and the contacts that meet them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, stamp
from sandbox.account.engagement import contacts_of

if TYPE_CHECKING:
    from sandbox.account import Account, Record


def write_criteria(field: str, parameter: str) -> str:
    """Return the criteria of a segment: JSON in a string (documented)."""
    group = {
        "source": "tracking",
        "field": field,
        "op": "contains-any",
        "const_value": "last-n-campaigns",
        "param": parameter,
    }
    return json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": [group]}})


def members(account: Account, segment: Record) -> list[Record]:
    """Return the contacts of a segment. Deleted contacts belong to none (assumed)."""
    (rule,) = json.loads(segment["segment_criteria"])["criteria"]["group"]
    living = [row for row in account.contacts.values() if "deleted_at" not in row]
    if rule["field"] == "created":
        since = stamp(account.now() - int(rule["param"]) * DAY)
        return [row for row in living if row["created_at"] >= since]
    wanted = _readers(account, rule["field"], int(rule["param"]))
    return [row for row in living if row["contact_id"] in wanted]


def _readers(account: Account, field: str, last: int) -> set[str]:
    """Return who opened, clicked or did not open any of the last campaigns."""
    parts = sorted(account.engagement.values(), key=lambda part: -part.sent_at)[:last]
    sent, opened, clicked = (
        set[str]().union(*(contacts_of(getattr(part, kind)) for part in parts))
        for kind in ("sends", "opens", "clicks")
    )
    return {"opened": opened, "clicked": clicked, "not_opened": sent - opened}[field]
