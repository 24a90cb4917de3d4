"""What became of the emails that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.api import UUID, Service
from sandbox.campaign_maker import CAMPAIGN_TYPES
from sandbox.engagement import aggregate_percents, percents, stats, unique_counts
from sandbox.moments import stamp_ms
from sandbox.paging import Listing, Offset, Paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.account import Account, Record
    from sandbox.api import Call

REPORTS = Service("reportingsvc", "campaign_data", bare_errors=True)


@REPORTS.get(
    "/reports/summary_reports/email_campaign_summaries",
    privilege="ui:campaign:metrics",
    paging=Paging("bulk_email_campaign_summaries", Offset(), parameter="next"),
)
def email_campaign_summaries(call: Call) -> Listing:
    """List sent campaigns, the one sent last first, with unique counts (documented)."""
    account = call.account
    sent = [campaign for campaign in account.campaigns.values() if _was_sent(campaign)]
    sent.sort(key=lambda campaign: _last_sent(account, campaign), reverse=True)
    if call.options.text_counts:
        return Listing(sent, lambda row: _as_text(_summary(account, row)))
    return Listing(sent, lambda row: _summary(account, row), _percents_of_page)


@REPORTS.get("/reports/stats/email_campaigns/<campaign_ids>", privilege="ui:campaign:metrics")
def email_campaign_stats(call: Call, campaign_ids: str) -> Record:
    """Count what happened to up to 150 campaigns. One bad id spoils all (documented).

    That an id which is well-formed but unknown, or of a campaign that was never sent, spoils all
    is a guess; an option names such ids in `errors` instead.
    """
    asked = campaign_ids.split(",")
    if len(asked) > 150:  # noqa: PLR2004 - documented
        raise REPORTS.invalid("campaign_ids")
    campaigns = call.account.campaigns
    known = [id_ for id_ in asked if id_ in campaigns and _was_sent(campaigns[id_])]
    malformed = not all(map(UUID.fullmatch, asked))
    if malformed or (len(known) < len(asked) and not call.options.partial_stats):
        raise REPORTS.error(404, *NO_STATS)
    key, message = NO_STATS
    error = {"error_key": f"{REPORTS.name}.{key}", "error_message": message}
    return {
        "errors": [error for _ in range(len(asked) - len(known))],
        "results": [_stats(call, id_) for id_ in known],
    }


NO_STATS = (
    "not_found.invalid_path_param.campaign_ids.",
    "Could not find any campaign stats for all requested campaigns.",
)


def _was_sent(campaign: Record) -> bool:
    return bool(campaign["current_status"] == "Done")


def _last_sent(account: Account, campaign: Record) -> int:
    return max(part.sent_at for part in account.engagements(campaign["campaign_id"]))


def _summary(account: Account, campaign: Record) -> Record:
    return {
        "campaign_id": campaign["campaign_id"],
        "campaign_type": CAMPAIGN_TYPES[campaign["type_code"]][1],
        "last_sent_date": stamp_ms(_last_sent(account, campaign)),
        "unique_counts": unique_counts(account.engagements(campaign["campaign_id"])),
    }


def _as_text(summary: Record) -> Record:
    """Write counts as one guide page does, against the contract."""
    counts = {name: str(count) for name, count in summary["unique_counts"].items()}
    return summary | {"unique_counts": counts}


def _percents_of_page(summaries: Sequence[Record]) -> Record:
    counts = [summary["unique_counts"] for summary in summaries]
    return {"aggregate_percents": aggregate_percents(counts)}


def _stats(call: Call, campaign_id: str) -> Record:
    parts = call.account.engagements(campaign_id)
    counts = stats(parts)
    return {
        "campaign_id": campaign_id,
        "stats": {_dotted(name): count for name, count in counts.items()}
        if call.options.dotted_stats
        else counts,
        "percents": percents(counts),
        "last_refresh_time": stamp_ms(max(part.refreshed_at for part in parts)),
    }


def _dotted(name: str) -> str:
    """Write a key as one guide page does, against the contract: em_opens.all.mobile."""
    return name.replace("_all_", ".all.").replace("_all", ".all")
