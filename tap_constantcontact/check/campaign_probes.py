"""What an account shows of the assumptions about campaigns and their counters."""

from __future__ import annotations

import uuid

import requests

from tap_constantcontact.check.account_reader import (
    STATS,
    AccountReader,
    cursor_in,
    time_of,
)
from tap_constantcontact.check.outcome import (
    Outcome,
    Shape,
    confirmed,
    contradicted,
    decided,
    not_observable,
)
from tap_constantcontact.check.probes import probe, spread
from tap_constantcontact.exceptions import NotFound, Refused
from tap_constantcontact.incremental.campaign_details import (
    PRIMARY,
    REPORTED,
    activities_of,
    status_of,
)

_AB_TEST = 57
_NOTHING_SENT = "no campaign was sent"
_PROBE_PAGE = 3
_SAMPLE = 3
_TOLERANCE_SECONDS = 60


@probe("campaign_links_hold_a_position")
def campaign_pages(account: AccountReader) -> Outcome:
    """Decode the cursor behind a page of three campaigns."""
    cursor = cursor_in(account.get("/emails", limit=_PROBE_PAGE))
    if not cursor:
        return not_observable("there are too few campaigns for two pages")
    shapes = {str(_PROBE_PAGE): Shape.POSITION, "1": Shape.PAGE_NUMBER, "2": Shape.PAGE_NUMBER}
    other = Shape.OPAQUE if cursor == "?" else Shape.KEYSET
    shape = shapes.get(cursor, other)
    return decided(shape in (Shape.POSITION, Shape.PAGE_NUMBER), cursor=shape)


@probe("removed_campaigns_stay_listed")
def removed_campaigns(account: AccountReader) -> Outcome:
    """Look for removed campaigns in the list."""
    listed, _ = account.campaigns
    removed = sum(status_of(row) == "removed" for row in listed)
    if not removed:
        return not_observable("no removed campaign is listed", listed=len(listed))
    return decided(holds=True, listed=len(listed), removed=removed)


@probe("sending_moves_updated_at")
def sends_and_updates(account: AccountReader) -> Outcome:
    """Compare the last send with the last change of campaigns that were not resent."""
    sent = {row.get("campaign_id"): row for row in account.summaries[0]}
    compared = earlier = 0
    for detail in account.sent_details():
        changed = time_of(detail.get("updated_at"))
        last = time_of(sent[detail.get("campaign_id")].get("last_sent_date"))
        if changed and last and len(activities_of(detail, REPORTED)) == 1:
            compared += 1
            earlier += (last - changed).total_seconds() > _TOLERANCE_SECONDS
    if not compared:
        return not_observable(_NOTHING_SENT)
    return decided(not earlier, campaigns=compared, changed_before_their_send=earlier)


@probe("unknown_ids_fail_stats")
def stats_of_unknown(account: AccountReader) -> Outcome:
    """Request the counters of a sent campaign and of one that does not exist."""
    known = next(iter(account.counters), None)
    if known is None:
        return not_observable(_NOTHING_SENT)
    try:
        rows = account.rows(f"{STATS}{known},{uuid.uuid4()}", "results")
    except NotFound as refusal:
        return decided(holds=True, status=refusal.status)
    return decided(holds=False, results=len(rows))


@probe("counters_have_underscores")
def names_of_counters(account: AccountReader) -> Outcome:
    """Look for dots in the names of counters."""
    names = {name for stats in account.counters.values() for name in stats}
    if not names:
        return not_observable(_NOTHING_SENT)
    dotted = sum("." in name for name in names)
    return decided(not dotted, names=len(names), with_dots=dotted)


@probe("conflict_means_no_test")
def conflicts(account: AccountReader) -> Outcome:
    """Request the A/B test of a campaign that has one."""
    tested = next((row for row in account.details if row.get("type_code") == _AB_TEST), None)
    activities = activities_of(tested, PRIMARY) if tested else []
    if not activities:
        return not_observable("no campaign with a test was found")
    try:
        account.get(f"/emails/activities/{activities[0]['campaign_activity_id']}/abtest")
    except Refused as refusal:
        if refusal.status != requests.codes.conflict:
            raise
        return contradicted(status=refusal.status)
    return confirmed(tests=1)


@probe("last_sent_date_is_the_last_send")
def last_sends(account: AccountReader) -> Outcome:
    """Compare summaries with the history of sends, first of campaigns that were sent again."""
    sent = {row.get("campaign_id"): row for row in account.summaries[0]}
    details = sorted(
        account.sent_details(), key=lambda row: len(activities_of(row, REPORTED)), reverse=True
    )
    campaigns = agreeing = again = 0
    for detail in spread(details, _SAMPLE) if len(details) > 2 * _SAMPLE else details[:_SAMPLE]:
        last = time_of(sent[detail.get("campaign_id")].get("last_sent_date"))
        sends = [
            moment
            for activity in activities_of(detail, REPORTED)[:2]
            for row in account.get(
                f"/emails/activities/{activity['campaign_activity_id']}/send_history"
            )
            if isinstance(row, dict) and (moment := time_of(row.get("run_date")))
        ]
        if last and sends:
            campaigns += 1
            again += len(sends) > 1
            agreeing += abs((max(sends) - last).total_seconds()) <= _TOLERANCE_SECONDS
    facts = {"campaigns": campaigns, "sent_more_than_once": again, "agreeing": agreeing}
    if not campaigns or (agreeing == campaigns and not again):
        return not_observable("no campaign was sent more than once", **facts)
    return decided(agreeing == campaigns, **facts)
