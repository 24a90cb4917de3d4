"""Email campaigns and their activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.api import Service
from sandbox.moments import comparable
from sandbox.paging import Listing, PageNumber, Paging
from sandbox.parameters import choices, moment

if TYPE_CHECKING:
    from sandbox.account import Record
    from sandbox.api import Call

CAMPAIGNS = Service("campaigns.api", "campaign_data")

INCLUDED = (
    "physical_address_in_footer",
    "permalink_url",
    "html_content",
    "document_properties",
)


@CAMPAIGNS.get(
    "/emails",
    privilege="campaign:read",
    paging=Paging("campaigns", PageNumber(), parameter="next"),
    parameters={"after_date": moment, "before_date": moment},
)
def campaigns(call: Call) -> Listing:
    """List campaigns, the one updated last first (documented), removed ones too (seen)."""
    after, before = call.query.get("after_date", ""), call.query.get("before_date", "~")
    rows = [
        campaign
        for campaign in call.account.campaigns.values()
        if after < comparable(campaign["updated_at"]) < before
    ]
    rows.sort(key=lambda campaign: str(campaign["updated_at"]), reverse=True)
    return Listing(rows, _in_brief)


@CAMPAIGNS.get("/emails/<campaign_id>", privilege="campaign:read")
def campaign(call: Call, campaign_id: str) -> Record:
    """Show one campaign with its activities. Removed ones are 404, though listed (seen)."""
    record = CAMPAIGNS.find(call.account.campaigns, campaign_id, "campaign_id")
    if record["current_status"] == "Removed":
        raise CAMPAIGNS.error(404, "not_found", "campaign_id was not found.")
    return record


@CAMPAIGNS.get(
    "/emails/activities/<campaign_activity_id>",
    privilege="campaign:read",
    parameters={"include": choices(*INCLUDED)},
)
def campaign_activity(call: Call, campaign_activity_id: str) -> Record:
    """Show one campaign activity. Removed ones and some permalinks are 404 (documented, seen)."""
    name = "campaign_activity_id"
    record = CAMPAIGNS.find(call.account.activities, campaign_activity_id, name)
    if record["current_status"] == "REMOVED" or record[name] in call.account.unreadable:
        raise CAMPAIGNS.error(404, "not_found", f"{name} was not found.")
    left_out = set(INCLUDED) - call.query.get("include", set())
    return {key: value for key, value in record.items() if key not in left_out}


def _in_brief(campaign: Record) -> Record:
    return {key: value for key, value in campaign.items() if key != "campaign_activities"}
