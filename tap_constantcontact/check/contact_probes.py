"""What an account shows of the assumptions about contacts and lists."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tap_constantcontact.check.account_reader import (
    PAGE,
    AccountReader,
    count_of,
    cursor_in,
    next_link,
    rows_in,
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
from tap_constantcontact.check.probes import probe
from tap_constantcontact.exceptions import Refused

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

_FEW = 5
_MANY = 20
_BEGINNING = "2000-01-01T00:00:00Z"
_PROBE_PAGE = 3


@probe("contact_pages_are_numbered")
def contact_pages(account: AccountReader) -> Outcome:
    """Decode the cursor behind a page of three contacts."""
    body = account.get("/contacts", status="all", limit=_PROBE_PAGE)
    cursor = cursor_in(body)
    if not cursor:
        return not_observable("there are too few contacts for two pages")
    position = parse_qs(cursor).get("next", [""])[0]
    shapes = {"2": Shape.PAGE_NUMBER, str(_PROBE_PAGE): Shape.OFFSET}
    other = Shape.OPAQUE if cursor == "?" else Shape.KEYSET
    shape = shapes.get(position, other)
    return decided(shape is Shape.PAGE_NUMBER, cursor=shape)


@probe("contacts_come_newest_first")
def contact_order(account: AccountReader) -> Outcome:
    """Compare the times of a page of contacts."""
    created = [moment for row in account.contacts if (moment := time_of(row.get("created_at")))]
    updated = [moment for row in account.contacts if (moment := time_of(row.get("updated_at")))]
    if len({*created}) < _FEW:
        return not_observable("there are too few contacts", contacts=len(created))
    order = Shape.UNSORTED
    if created == sorted(created, reverse=True):
        order = Shape.NEWEST_FIRST
    elif created == sorted(created):
        order = Shape.OLDEST_FIRST
    elif updated == sorted(updated, reverse=True):
        order = Shape.UPDATED_FIRST
    return decided(order is Shape.NEWEST_FIRST, contacts=len(created), order=order)


def _newest_change(account: AccountReader) -> tuple[Record, Any] | None:
    """Return the contact that changed last, and the page of those changed after it."""
    dated = [row for row in account.contacts if time_of(row.get("updated_at"))]
    if not dated:
        return None
    newest = max(dated, key=lambda row: str(row["updated_at"]))
    page = account.get(
        "/contacts",
        status="all",
        limit=PAGE,
        include_count="true",
        updated_after=newest["updated_at"],
    )
    return newest, page


@probe("dates_exclude_their_moment")
def date_filters(account: AccountReader) -> Outcome:
    """Request the contacts changed after the very time of a contact."""
    found = _newest_change(account)
    if found is None or next_link(found[1]):
        return not_observable("there are no contacts, or too many have changed")
    newest, page = found
    ids = [row.get("contact_id") for row in rows_in(page, "contacts")]
    return decided(newest.get("contact_id") not in ids, returned=len(ids))


@probe("contacts_count_follows_the_filter")
def contacts_count(account: AccountReader) -> Outcome:
    """Compare the count of a narrow filter with the contacts that came."""
    found = _newest_change(account)
    if found is None or next_link(found[1]):
        return not_observable("there are no contacts, or too many have changed")
    rows, counted = rows_in(found[1], "contacts"), count_of(found[1], "contacts_count")
    every = account.contacts_count
    if "contacts_count" not in found[1] or len(rows) == every:
        return not_observable("no count was announced, or all contacts came")
    return decided(counted == len(rows), announced=counted, returned=len(rows))


@probe("unsubscribing_keeps_updated_at")
def unsubscribes(account: AccountReader) -> Outcome:
    """Compare the dates of contacts that have unsubscribed."""
    rows = account.rows("/contacts", "contacts", status="all", limit=PAGE, optout_after=_BEGINNING)
    later = same = 0
    for row in rows:
        email = row.get("email_address")
        left = time_of(email.get("opt_out_date")) if isinstance(email, dict) else None
        changed = time_of(row.get("updated_at"))
        if left and changed:
            later += left > changed
            same += left == changed
    facts = {"unsubscribed": len(rows), "left_after_last_change": later, "same_time": same}
    if not later and (len(rows) < _FEW or not same):
        return not_observable("no contact unsubscribed after its last change", **facts)
    return decided(later > 0, **facts)


@probe("deleting_moves_updated_at")
def deletions(account: AccountReader) -> Outcome:
    """Compare the day of deletion with that of the last change."""
    rows = account.rows("/contacts", "contacts", status="deleted", limit=PAGE)
    dated = [row for row in rows if row.get("deleted_at") and time_of(row.get("updated_at"))]
    earlier = sum(str(row["updated_at"])[:10] < str(row["deleted_at"])[:10] for row in dated)
    if not dated:
        return not_observable("there are no deleted contacts")
    return decided(not earlier, deleted=len(dated), changed_before=earlier)


@probe("memberships_keep_updated_at")
def memberships(account: AccountReader) -> Outcome:
    """Look for members of lists and tags that are newer than the member's last change.

    Who joined a list created after that change shows that joining moves nothing.
    """
    created = {
        str(row.get(key)): moment
        for rows, key in (
            (_email_lists(account), "list_id"),
            (account.rows("/contact_tags", "tags", limit=PAGE), "tag_id"),
        )
        for row in rows
        if (moment := time_of(row.get("created_at")))
    }
    kept = compared = 0
    for row in account.contacts:
        born, changed = time_of(row.get("created_at")), time_of(row.get("updated_at"))
        for id_ in [*(row.get("list_memberships") or ()), *(row.get("taggings") or ())]:
            since = created.get(str(id_))
            if since and born and changed and born < since:
                compared += 1
                kept += changed < since
    facts = {"memberships_in_younger_lists_or_tags": compared, "joined_without_change": kept}
    if not kept and compared < _MANY:
        return not_observable("too few contacts are older than their lists and tags", **facts)
    return decided(kept > 0, **facts)


@probe("created_at_never_changes")
def creation(account: AccountReader) -> Outcome:
    """Compare a contact's time of creation with that of its email address."""
    compared = later = edited = 0
    for row in account.contacts:
        email = row.get("email_address")
        of_email = time_of(email.get("created_at")) if isinstance(email, dict) else None
        born, changed = time_of(row.get("created_at")), time_of(row.get("updated_at"))
        if of_email and born and changed:
            compared += 1
            later += born > of_email + timedelta(minutes=1)
            edited += changed > born + timedelta(minutes=1)
    facts = {"contacts": compared, "created_after_their_address": later, "edited": edited}
    if not compared or (not later and edited < _FEW):
        return not_observable("too few contacts have been edited", **facts)
    return decided(not later, **facts)


@probe("sms_channel_comes_unasked")
def sms_channel(account: AccountReader) -> Outcome:
    """Request contacts with an SMS channel, without including it."""
    rows = account.rows("/contacts", "contacts", status="all", sms_status="all", limit=_PROBE_PAGE)
    if not rows:
        return not_observable("no contact has an SMS channel")
    came = sum("sms_channel" in row for row in rows)
    return decided(came == len(rows), contacts=len(rows), with_sms_channel=came)


def _email_lists(account: AccountReader) -> list[Record]:
    return account.rows("/contact_lists", "lists", limit=PAGE)


def _sms_lists(account: AccountReader) -> list[Record]:
    return account.rows(
        "/contact_lists",
        "lists",
        channel_type="sms",
        status="all",
        include_sms_membership_count="true",
        limit=PAGE,
    )


@probe("sms_lists_can_be_requested")
def sms_lists(account: AccountReader) -> Outcome:
    """Request the SMS lists."""
    try:
        return confirmed(lists=len(_sms_lists(account)))
    except Refused as refusal:
        _email_lists(account)  # is refused as well if the token doesn't allow lists at all
        return contradicted(status=refusal.status)


@probe("sms_count_has_this_name")
def sms_count(account: AccountReader) -> Outcome:
    """Look which count a list for SMS has."""
    rows = _sms_lists(account)
    if not rows:
        return not_observable("there are no SMS lists")
    named = sum("sms_membership_count" in row for row in rows)
    other = sum(
        any(re.search("sms.*count", key) and key != "sms_membership_count" for key in row)
        for row in rows
    )
    if named:
        return confirmed(lists=len(rows), with_this_name=named)
    if other:
        return contradicted(lists=len(rows), with_another_name=other)
    return not_observable("no list has such a count", lists=len(rows))
