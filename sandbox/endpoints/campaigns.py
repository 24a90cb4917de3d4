"""Email campaigns and their activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import comparable, seconds, stamp_ms
from sandbox.server.paging import BARE, START, After, Listing, Paging
from sandbox.server.parameters import choices, moment
from sandbox.server.routing import Service, without

if TYPE_CHECKING:
    from sandbox.account import Record
    from sandbox.server.routing import Call

CAMPAIGNS = Service("campaigns.api", "campaign_data")

INCLUDED = (
    "physical_address_in_footer",
    "permalink_url",
    "html_content",
    "document_properties",
)
PREVIEWED = (
    "campaign_activity_id",
    "from_email",
    "from_name",
    "preheader",
    "reply_to_email",
    "subject",
)


def _order(campaign: Record) -> tuple[object, ...]:
    """Return what campaigns are sorted by: last updated first (documented)."""
    return (-seconds(comparable(campaign["updated_at"]) + "Z"), campaign["campaign_id"])


@CAMPAIGNS.get(
    "/emails",
    privilege="campaign:read",
    # A bare number (observed); that it counts rows, not pages, is an assumption.
    paging=Paging(
        "campaigns",
        START,
        parameter="next",
        form=BARE,
        option="campaigns_cursors",
        other_cursors={"keyset": After(_order)},
    ),
    parameters={"after_date": moment, "before_date": moment},
)
def campaigns(call: Call) -> Listing:
    """List campaigns, last updated first (documented), removed ones too (observed)."""
    after, before = call.query.get("after_date", ""), call.query.get("before_date", "~")
    includes_after = call.options.inclusive_dates in ("after", "both")
    rows = [
        campaign
        for campaign in call.account.campaigns.values()
        if after < (moment_ := comparable(campaign["updated_at"])) < before
        or (includes_after and moment_ == after)
        if call.options.removed_campaigns_listed or campaign["current_status"] != "Removed"
    ]
    rows.sort(key=_order)
    return Listing(rows, _without_activities)


@CAMPAIGNS.get("/emails/<campaign_id>", privilege="campaign:read")
def campaign(call: Call, campaign_id: str) -> Record:
    """Show one campaign with its activities. Removed ones are 404, though listed (observed)."""
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
    """Show one campaign activity."""
    record = _readable(call, campaign_activity_id)
    excluded = set(INCLUDED) - call.query.get("include", set())
    return without(record, excluded)


@CAMPAIGNS.get("/emails/activities/<campaign_activity_id>/previews", privilege="campaign:read")
def preview(call: Call, campaign_activity_id: str) -> Record:
    """Show the preview of a campaign activity."""
    record = _readable(call, campaign_activity_id)
    subject = record["subject"] or ""
    html = f"<html><body><p>{subject}</p><p>Café Olé, Boston</p></body></html>"
    return {
        **{key: record[key] for key in PREVIEWED if key in record},
        "preview_html_content": record.get("html_content", html),
        "preview_text_content": f"{subject}\n\nCafé Olé, Boston",
    }


@CAMPAIGNS.get("/emails/activities/<campaign_activity_id>/schedules", privilege="campaign:read")
def schedules(call: Call, campaign_activity_id: str) -> list[Record]:
    """List when a campaign activity will be sent; empty if not scheduled (documented)."""
    activity_id = _readable(call, campaign_activity_id)["campaign_activity_id"]
    dates = call.account.schedules
    return [{"scheduled_date": dates[activity_id]}] if activity_id in dates else []


@CAMPAIGNS.get("/emails/activities/<campaign_activity_id>/send_history", privilege="campaign:read")
def send_history(call: Call, campaign_activity_id: str) -> list[Record]:
    """List the sends of a campaign activity, first one first (documented)."""
    activity = _readable(call, campaign_activity_id)
    part = call.account.engagement.get(campaign_activity_id)
    return [
        {
            "send_id": number,
            "contact_list_ids": list(sending.list_ids),
            "segment_ids": list(activity["segment_ids"]),
            "count": sending.reached,
            "run_date": stamp_ms(sending.at),
            "send_status": "COMPLETED",
            "reason_code": 0,
        }
        for number, sending in enumerate(part.sendings if part else [], start=1)
    ]


@CAMPAIGNS.get(
    "/emails/activities/<campaign_activity_id>/non_opener_resends", privilege="campaign:read"
)
def non_opener_resends(call: Call, campaign_activity_id: str) -> list[Record]:
    """List the resend to non-openers: there is at most one (documented)."""
    activity_id = _readable(call, campaign_activity_id)["campaign_activity_id"]
    resends = call.account.resends
    return [resends[activity_id]] if activity_id in resends else []


@CAMPAIGNS.get("/emails/activities/<campaign_activity_id>/abtest", privilege="campaign:read")
def ab_test(call: Call, campaign_activity_id: str) -> Record:
    """Show the A/B test of a campaign activity; 404 if it has none (assumed)."""
    if call.options.ab_test_conflict:
        raise CAMPAIGNS.error(409, "conflict", "The test is not available.")
    activity_id = _readable(call, campaign_activity_id)["campaign_activity_id"]
    return CAMPAIGNS.find(call.account.ab_tests, activity_id, "abtest")


def _readable(call: Call, campaign_activity_id: str) -> Record:
    """Return an activity. Removed ones and some permalinks are 404 (documented, observed)."""
    name = "campaign_activity_id"
    record = CAMPAIGNS.find(call.account.activities, campaign_activity_id, name)
    if record["current_status"] == "REMOVED" or record[name] in call.account.unreadable:
        raise CAMPAIGNS.error(404, "not_found", f"{name} was not found.")
    return record


def _without_activities(campaign: Record) -> Record:
    return without(campaign, {"campaign_activities"})
