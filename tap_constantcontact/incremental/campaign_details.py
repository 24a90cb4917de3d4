"""What a campaign's row and its detail say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

#: Roles whose activities have reports (contract).
REPORTED = frozenset({"primary_email", "resend"})
PRIMARY = frozenset({"primary_email"})


def activities_of(campaign: Record, roles: frozenset[str]) -> list[Record]:
    """Return the activities in a campaign's detail that have one of the roles, or all of them."""
    listed = campaign.get("campaign_activities")
    return [
        activity
        for activity in (listed if isinstance(listed, list) else [])
        if isinstance(activity, dict)
        and activity.get("campaign_activity_id")
        and (not roles or activity.get("role") in roles)
    ]


def status_of(campaign: Record) -> str:
    """Return the status of a campaign or an activity, in lower case."""
    return str(campaign.get("current_status") or "").lower()
