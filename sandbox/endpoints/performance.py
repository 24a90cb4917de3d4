"""The rankings of the best and the worst campaigns of a period.

No response was ever published: the form is that of the contract, the rest is assumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import comparable, stamp_ms
from sandbox.account.engagement import percent, stats
from sandbox.endpoints.contact_reports import CONTACT_REPORTS
from sandbox.server.parameters import choice, integer, moment

if TYPE_CHECKING:
    from sandbox.account import Account, Record
    from sandbox.server.routing import Call

MEASURES = ("open_rate", "opens", "click_rate", "clicks")
DEFAULT_COUNT = 10
MAX_COUNT = 500
FAILED = {
    "error_key": "reportingsvc.internal",
    "error_message": "Could not compute all rankings for the requested accounts.",
}


@CONTACT_REPORTS.get(
    "/reports/email_reports/campaign_performance",
    privilege="ui:campaign:metrics",
    parameters={
        "start_at": moment,
        "end_at": moment,
        "count": integer(1, MAX_COUNT),
        "filter": choice("adjusted_timestamp", "start_at"),
    },
)
def campaign_performance(call: Call) -> Record:
    """Rank the campaigns of a period by four measures, from both ends."""
    start, end = call.query.get("start_at", ""), call.query.get("end_at", "~")
    rows = [
        row
        for row in performances(call.account)
        if start <= comparable(row["last_send_date"]) <= end
    ]
    count = call.query.get("count", DEFAULT_COUNT)
    top, bottom = (
        {
            measure: sorted(rows, key=lambda row: row[measure], reverse=is_top)[:count]
            for measure in MEASURES
        }
        for is_top in (True, False)
    )
    if call.options.partial_rankings:
        places = [{**row, "opens": str(row["opens"])} for row in top["opens"]]
        return {"errors": [FAILED], "top": {"opens": places, "clicks": None}}
    return {"errors": [], "top": top, "bottom": bottom}


def performances(account: Account) -> list[Record]:
    """Return the figures of each sent campaign."""
    return [
        _performance(account, campaign)
        for campaign in account.campaigns.values()
        if campaign["current_status"] == "Done"
    ]


def _performance(account: Account, campaign: Record) -> Record:
    parts = account.engagements(campaign["campaign_id"])
    counts = stats(parts)
    received = counts["em_sends"] - counts["em_bounces"]
    open_rate, click_rate = (
        percent(counts[f"em_{kind}_all"], received) for kind in ("opens", "clicks")
    )
    return {
        "campaign_id": campaign["campaign_id"],
        "campaign_name": campaign["name"],
        "last_send_date": stamp_ms(max(part.sent_at for part in parts)),
        "open_rate": open_rate,
        "open_rate_precision_one": round(open_rate, 1),
        "opens": counts["em_opens"],
        "click_rate": click_rate,
        "click_rate_precision_one": round(click_rate, 1),
        "clicks": counts["em_clicks"],
    }
