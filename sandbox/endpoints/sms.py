"""The report on sent SMS campaigns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sandbox.account.clock import comparable, seconds, stamp_eastern
from sandbox.account.engagement import percent
from sandbox.endpoints.reports import REPORTS
from sandbox.server.paging import OFFSET, Listing, Paging
from sandbox.server.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.account import Record
    from sandbox.server.routing import Call


@REPORTS.get(
    "/reports/summary_reports/sms_campaign_summaries",
    privilege="ui:campaign:metrics",
    paging=Paging("bulk_sms_campaign_summaries", OFFSET, max_limit=50, parameter="next"),
    parameters={"start_at": moment, "end_at": moment},
    required=("start_at",),
)
def sms_campaign_summaries(call: Call) -> Listing:
    """List SMS campaigns, last sent first; the window includes both ends (documented)."""
    start, end = call.query["start_at"], call.query.get("end_at", "~")
    rows = [
        campaign
        for campaign in call.account.sms_campaigns.values()
        if start <= comparable(campaign["last_sent_date"]) <= end
    ]
    rows.sort(key=lambda campaign: str(campaign["last_sent_date"]), reverse=True)
    return Listing(rows, _with_offset, envelope=_percents_of_page)


def _with_offset(campaign: Record) -> Record:
    """Write the time of the last send with an offset (documented)."""
    return {**campaign, "last_sent_date": stamp_eastern(seconds(campaign["last_sent_date"]))}


def _percents_of_page(summaries: Sequence[Record]) -> Record:
    total = Counter[str]()
    for summary in summaries:
        total.update(summary["unique_counts"])
    return {
        "aggregate_percents": {
            "deliver": percent(total["delivers"], total["sends"]),
            "click": percent(total["clicks"], total["delivers"]),
            "bounce": percent(total["sends"] - total["delivers"], total["sends"]),
            "unsubscribe": percent(total["optouts"], total["delivers"]),
        }
    }
