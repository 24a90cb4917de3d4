"""The reports on sent emails: summaries, stats and links."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.account.clock import stamp_ms
from sandbox.account.engagement import (
    Engagement,
    activity_stats,
    aggregate_percents,
    latest,
    percents,
    stats,
    unique_counts,
)
from sandbox.server.paging import OFFSET, Listing, Paging
from sandbox.server.parameters import boolean
from sandbox.server.routing import UUID, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.account import Account, Record
    from sandbox.server.errors import ApiError
    from sandbox.server.routing import Call

REPORTS = Service("reportingsvc", "campaign_data", bare_errors=True)

CAMPAIGN_TYPES = {  # in the summaries, by type_code
    10: "Newsletter",
    26: "Custom Code Email",
    11: "Announcement",
    22: "Sale Promotion",
    57: "A/B Test",
}


@REPORTS.get(
    "/reports/summary_reports/email_campaign_summaries",
    privilege="ui:campaign:metrics",
    paging=Paging("bulk_email_campaign_summaries", OFFSET, parameter="next"),
)
def email_campaign_summaries(call: Call) -> Listing:
    """List sent campaigns, last sent first, with unique counts (documented)."""
    account = call.account
    sent = [campaign for campaign in account.campaigns.values() if _was_sent(campaign)]
    sent.sort(key=lambda campaign: _last_sent(account, campaign), reverse=True)
    if call.options.text_counts:
        return Listing(sent, lambda row: _as_text(_summary(call, row)))
    return Listing(sent, lambda row: _summary(call, row), _percents_of_page)


@REPORTS.get("/reports/stats/email_campaigns/<campaign_ids>", privilege="ui:campaign:metrics")
def email_campaign_stats(call: Call, campaign_ids: str) -> Record:
    """Count the events of up to 150 campaigns. One invalid id fails the request (documented).

    That a well-formed id which is unknown, or of a campaign that was never sent, does so too is an
    assumption; an option lists such ids in `errors` instead.
    """
    requested = _parse_ids(campaign_ids, "campaign_ids", maximum=150)
    campaigns = call.account.campaigns
    known = [id_ for id_ in requested if id_ in campaigns and _was_sent(campaigns[id_])]
    if len(known) < len(requested) and not call.options.partial_stats:
        raise _no_stats("campaign_ids")
    return {
        "errors": [_no_stats("campaign_ids").body for _ in range(len(requested) - len(known))],
        "results": [_stats(call, id_) for id_ in known],
    }


@REPORTS.get(
    "/reports/stats/email_campaign_activities/<campaign_activity_ids>",
    privilege="ui:campaign:metrics",
)
def email_campaign_activity_stats(call: Call, campaign_activity_ids: str) -> Record:
    """Count the events of up to 10 activities; list those that were never sent in `errors`.

    A malformed id fails the request (documented).
    """
    name = "campaign_activity_ids"
    requested = _parse_ids(campaign_activity_ids, name, maximum=10)
    known = [id_ for id_ in requested if call.account.was_sent(id_)]
    return {
        "errors": [_no_stats(name).body for _ in range(len(requested) - len(known))],
        "results": [_activity_stats(call, id_) for id_ in known],
    }


@REPORTS.get(
    "/reports/email_reports/<campaign_activity_id>/links",
    privilege="ui:campaign:metrics",
    parameters={"no_clicks": boolean},
)
def links(call: Call, campaign_activity_id: str) -> Record:
    """Count the contacts who clicked each link; links without clicks only if requested."""
    part = engagement_of(call.account, campaign_activity_id)
    clicks = Counter(event.url_id for event in latest(part.clicks))
    all_ = call.query.get("no_clicks", False)
    return {
        "campaign_activity_id": campaign_activity_id,
        "link_click_counts": [
            {
                "link_url": url,
                "url_id": url_id,
                "unique_clicks": clicks[url_id],
                **_list_action(call.account, url),
            }
            for url_id, url in part.links.items()
            if clicks[url_id] or all_
        ],
    }


def engagement_of(account: Account, campaign_activity_id: str) -> Engagement:
    """Return the engagement of an activity; empty if it is not DONE (documented)."""
    REPORTS.find(account.activities, campaign_activity_id, "campaign_activity_id")
    if not account.was_sent(campaign_activity_id):
        return Engagement(0, {})
    return account.engagement[campaign_activity_id]


def _parse_ids(ids: str, name: str, *, maximum: int) -> list[str]:
    requested = ids.split(",")
    if len(requested) > maximum:
        raise REPORTS.invalid(name)
    if not all(map(UUID.fullmatch, requested)):
        raise _no_stats(name)
    return requested


def _no_stats(name: str) -> ApiError:
    message = "Could not find any campaign stats for all requested campaigns."
    return REPORTS.error(404, f"not_found.invalid_path_param.{name}.", message)


def _list_action(account: Account, url: str) -> Record:
    """Return the list that a click on some links adds the contact to (documented)."""
    return {"list_action": "add", "list_id": next(iter(account.lists))} if "sale" in url else {}


def _was_sent(campaign: Record) -> bool:
    return bool(campaign["current_status"] == "Done")


def _last_sent(account: Account, campaign: Record) -> int:
    return max(part.sent_at for part in account.engagements(campaign["campaign_id"]))


def _summary(call: Call, campaign: Record) -> Record:
    parts = call.account.engagements(campaign["campaign_id"])
    return {
        "campaign_id": campaign["campaign_id"],
        "campaign_type": CAMPAIGN_TYPES[campaign["type_code"]],
        "last_sent_date": stamp_ms(_sent_date(call, parts)),
        "unique_counts": unique_counts(_counted(call, parts)),
    }


def _sent_date(call: Call, parts: list[Engagement]) -> int:
    if call.options.last_sent_date == "first":
        return min(part.sendings[0].at for part in parts)
    return max(part.sent_at for part in parts)


def _counted(call: Call, parts: list[Engagement]) -> list[Engagement]:
    """Return the events that are in the counters: reports may be ahead of them (assumed)."""
    lag = call.options.stats_lag
    counted = [part.known(call.account.now() - lag) for part in parts] if lag else parts
    if call.options.uncounted_forwards:
        return [replace(part, forwards=[]) for part in counted]
    return counted


def _as_text(summary: Record) -> Record:
    """Return counts as strings, as one guide page does, against the contract."""
    counts = {name: str(count) for name, count in summary["unique_counts"].items()}
    return summary | {"unique_counts": counts}


def _percents_of_page(summaries: Sequence[Record]) -> Record:
    counts = [summary["unique_counts"] for summary in summaries]
    return {"aggregate_percents": aggregate_percents(counts)}


def _stats(call: Call, campaign_id: str) -> Record:
    parts = _counted(call, call.account.engagements(campaign_id))
    counts = stats(parts)
    return {
        "campaign_id": campaign_id,
        "stats": _with_names(call, counts),
        "percents": percents(counts),
        "last_refresh_time": stamp_ms(max(part.refreshed_at for part in parts)),
    }


def _activity_stats(call: Call, campaign_activity_id: str) -> Record:
    (part,) = _counted(call, [call.account.engagement[campaign_activity_id]])
    return {
        "campaign_id": call.account.activities[campaign_activity_id]["campaign_id"],
        "campaign_activity_id": campaign_activity_id,
        "stats": _with_names(call, activity_stats(part)),
        "last_refresh_time": stamp_ms(part.refreshed_at),
    }


def _with_names(call: Call, counts: dict[str, int]) -> dict[str, int]:
    if not call.options.dotted_stats:
        return counts
    return {_dotted(name): count for name, count in counts.items()}


def _dotted(name: str) -> str:
    """Return a key as in one guide page, against the contract: em_opens.all.mobile."""
    return name.replace("_all_", ".all.").replace("_all", ".all")
