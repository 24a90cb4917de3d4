"""What an account shows of the assumptions about events, limits and partners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_constantcontact.check.account_reader import AccountReader, count_of, next_link
from tap_constantcontact.check.outcome import Outcome, confirmed, decided, not_observable
from tap_constantcontact.check.probes import probe
from tap_constantcontact.streams.partner import PartnerAccounts

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

_STATUSES = ("COMPLETE", "DRAFT", "CANCELLED", "ACTIVE")


@probe("events_come_in_every_status")
def statuses_of_events(account: AccountReader) -> Outcome:
    """Request the events of statuses that the list without a filter doesn't show."""
    listed = {str(row.get("event_id")) for row in account.events}
    shown = {str(row.get("status")).upper() for row in account.events}
    missing = 0
    for status in _STATUSES:
        if status not in shown:
            rows = account.rows("/events", "records", event_status=status, limit=100)
            missing += sum(str(row.get("event_id")) not in listed for row in rows)
    facts = {"listed": len(listed), "statuses": len(shown), "only_with_a_status": missing}
    if not missing and len(shown) <= 1:
        return not_observable("all events have the same status", **facts)
    return decided(not missing, **facts)


@probe("event_list_shows_registrations")
def counted_registrations(account: AccountReader) -> Outcome:
    """Compare the number in the list with the registrations of the event that has most."""
    counted = {str(row.get("event_id")): _registration_count(row) for row in account.events}
    most = max(counted, key=counted.__getitem__, default="")
    if not most:
        return not_observable("there is no event")
    track = (account.get(f"/events/{most}").get("default_track") or {}).get("track_id")
    rows = account.rows(f"/events/{most}/tracks/{track}/registrations", "records") if track else []
    if not rows and not counted[most]:
        return not_observable("no event has registrations")
    return decided(counted[most] == len(rows), counted=counted[most], registrations=len(rows))


def _registration_count(event: Record) -> int:
    metrics = event.get("event_registration_summary_metrics") or {}
    return count_of(metrics, "registration_count")


@probe("event_links_are_either")
def links_of_events(account: AccountReader) -> Outcome:
    """Look how a page of one event links to the next."""
    body = account.get("/events", limit=1)
    facts = {"by_cursor": bool(body.get("next_cursor")), "by_link": bool(next_link(body))}
    if count_of(body, "total_records") <= 1 and not any(facts.values()):
        return not_observable("there are too few events for two pages")
    return decided(any(facts.values()), **facts)


@probe("throttling_has_no_retry_after")
def throttling(account: AccountReader) -> Outcome:
    """Tell what responses with status 429 had, if there were any."""
    if not account.throttled:
        return not_observable("no request was throttled")
    with_header = sum(account.throttled)
    return decided(not with_header, throttled=len(account.throttled), with_header=with_header)


@probe("partners_use_client_credentials")
def partner_grant(account: AccountReader) -> Outcome:
    """Get a partner's token, if the settings have a partner's key."""
    tap = account.tap
    if "partner_api_key" not in tap.config:
        return not_observable("partner_api_key is not set")
    rows = tap.stream(PartnerAccounts).details.get(PartnerAccounts.path, {"limit": 10})
    return confirmed(accounts=len(rows.get("site_owner_list") or ()))
