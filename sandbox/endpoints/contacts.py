"""Contacts, contact lists, tags, custom fields and segments."""

from __future__ import annotations

import operator
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

from sandbox.account import MAILABLE, permission
from sandbox.account.clock import DAY, stamp
from sandbox.account.segments import members
from sandbox.account.sms_consents import consent_history
from sandbox.server.paging import NO_NEXT, PAGE_NUMBER, Keyset, Listing, Paging, next_link
from sandbox.server.parameters import boolean, choice, choices, ids, moment, text
from sandbox.server.routing import JsonResponse, Service, without

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.account import Account, Record
    from sandbox.server.routing import Call

CONTACTS = Service("contacts.api", "contact_data")

SUB_RESOURCES = (
    "custom_fields",
    "list_memberships",
    "phone_numbers",
    "street_addresses",
    "taggings",
    "notes",
)
SMS_STATUSES = ("explicit", "unsubscribed", "pending_confirmation", "not_set")

# Builds up to 2024-11 accepted `sms_channel` as well; here an option decides.
INCLUDE = choices(*SUB_RESOURCES, "sms_channel")

# --- contacts


def _status(contact: Record) -> str:
    if "deleted_at" in contact:
        return "deleted"
    held = permission(contact)
    return "active" if held in MAILABLE else held


def _has_status(contact: Record, wanted: frozenset[str]) -> bool:
    return _status(contact) in wanted if wanted else "deleted_at" not in contact


def _has_sms_status(contact: Record, wanted: frozenset[str]) -> bool:
    consents = contact.get("sms_channel", {}).get("sms_channel_consents", [])
    held = {consent["sms_consent_permission"] for consent in consents}
    return bool(held if "all" in wanted else held & wanted)


FILTERS: dict[str, Callable[[Record, Any], bool]] = {
    "status": _has_status,
    "sms_status": _has_sms_status,
    "email": lambda contact, address: (
        contact.get("email_address", {}).get("address") == address.lower()
    ),
    "lists": lambda contact, ids: not ids.isdisjoint(contact["list_memberships"]),
    "tags": lambda contact, ids: not ids.isdisjoint(contact["taggings"]),
}

# The dates behind filters such as `created_after` and `created_before`. No filter uses
# `email_address.updated_at`: unsubscribing is not an update (observed).
DATES: dict[str, Callable[[Record], str]] = {
    "created": lambda contact: contact["created_at"],
    "updated": lambda contact: contact["updated_at"],
    "optout": lambda contact: contact.get("email_address", {}).get("opt_out_date", ""),
}
DATE_FILTERS = [f"{kind}_{side}" for kind in DATES for side in ("after", "before")]


def _select(call: Call) -> list[Record]:
    """Return the contacts that pass all filters, in the order in which they were added.

    There may be very many: each filter is one quick loop, and the filter for all is dropped.
    """
    query = {"status": frozenset(), **call.query}
    if "all" in query["status"]:
        del query["status"]
    rows = list(call.account.contacts.values())
    for kind, date in DATES.items():
        if f"{kind}_after" in query or f"{kind}_before" in query:
            start, end = _span(query, kind, call.options.inclusive_dates)
            rows = [row for row in rows if start <= date(row) < end]
    for name, test in FILTERS.items():
        if name in query:
            value = query[name]
            rows = [row for row in rows if test(row, value)]
    return rows


def _span(query: Mapping[str, Any], kind: str, inclusive: str) -> tuple[str, str]:
    """Return the inclusive start and the exclusive end of a date filter; "" is no date."""
    start, end = query.get(f"{kind}_after"), query.get(f"{kind}_before")
    return (
        _edge(start, beyond=inclusive not in ("after", "both")) if start else "0",
        _edge(end, beyond=inclusive in ("before", "both")) if end else "~",
    )


def _edge(moment: str, *, beyond: bool) -> str:
    """Format a moment of a request as contacts do: its second, or just beyond it."""
    second = moment[:19]
    return f"{second}Z\0" if beyond or moment != second else f"{second}Z"


def _sort(rows: list[Record], order: str) -> None:
    """Sort contacts, which are in the order in which they were added."""
    if order == "id":
        rows.sort(key=operator.itemgetter("contact_id"))
    elif order != "oldest":
        rows.reverse()
    if order == "updated":
        rows.sort(key=operator.itemgetter("updated_at"), reverse=True)


@CONTACTS.get(
    "/contacts",
    privilege="contacts:read",
    paging=Paging(
        "contacts",
        PAGE_NUMBER,
        end={"_links": {}},
        option="contacts_cursors",
        other_cursors={"keyset": Keyset("contact_id")},
    ),
    parameters={
        "status": choices(
            *("all", "active", "deleted"),
            *("not_set", "pending_confirmation", "temp_hold", "unsubscribed"),
        ),
        "sms_status": choices("all", *SMS_STATUSES),
        "email": text,
        "lists": ids(25),
        "tags": ids(50),
        **dict.fromkeys(DATE_FILTERS, moment),
        "include": INCLUDE,
        "include_count": boolean,
        "segment_id": int,
    },
)
def contacts(call: Call) -> Listing | JsonResponse:
    """List contacts, by default newest first (assumed: as in the only published response)."""
    if "segment_id" in call.query:
        return _segment_contacts(call)
    rows = _select(call)
    by_id = call.options.contacts_cursors == "keyset"
    _sort(rows, "id" if by_id else call.options.contacts_order)
    counted = call.account.contacts if call.options.contacts_count == "all" else rows
    count = {"contacts_count": len(counted)} if call.query.get("include_count") else {}
    excluded = _left_out(call)
    return Listing(rows, lambda row: without(row, excluded), lambda _: count)


@CONTACTS.get("/contacts/<contact_id>", privilege="contacts:read", parameters={"include": INCLUDE})
def contact(call: Call, contact_id: str) -> Record:
    """Show one contact, deleted or not."""
    record = CONTACTS.find(call.account.contacts, contact_id, "contact_id")
    return without(record, _left_out(call))


@CONTACTS.get(
    "/contacts/counts",
    privilege="contacts:read",
    parameters={"include": choice("new_subscriber")},
)
def contact_counts(call: Call) -> Record:
    """Count the contacts by permission. Deleted ones do not count (assumed)."""
    living = [row for row in call.account.contacts.values() if "deleted_at" not in row]
    held = Counter(map(permission, living))
    counts = {
        "total": len(living),
        "explicit": held["explicit"],
        "implicit": held["implicit"],
        "pending": held["pending_confirmation"],
        "unsubscribed": held["unsubscribed"],
    }
    if "include" in call.query:
        month_ago = stamp(call.account.now() - 30 * DAY)
        counts["new_subscriber"] = sum(row["created_at"] > month_ago for row in living)
    return counts


def _segment_contacts(call: Call) -> Listing | JsonResponse:
    """List the contacts of a segment, once it has been evaluated (documented).

    That no other filter may accompany it is documented; an option says how long it takes.
    """
    segment_id = call.query["segment_id"]
    if not set(call.query) <= {"segment_id", "limit"}:
        raise CONTACTS.invalid("segment_id")
    if segment_id not in call.account.segments:
        raise CONTACTS.error(404, "not_found", "segment_id was not found.")
    polls = call.account.segment_polls
    if polls[segment_id] < call.options.segment_polls:
        polls[segment_id] += 1
        return JsonResponse(202, {"contacts": [], "_links": {}, "status": "processing"})
    rows = members(call.account, call.account.segments[segment_id])
    return Listing(rows[::-1], lambda row: without(row, SUB_RESOURCES))


def _left_out(call: Call) -> set[str]:
    included = call.query.get("include", frozenset())
    if "sms_channel" in included and not call.options.sms_channel_include:
        raise CONTACTS.invalid("include")
    hidden = set() if call.options.sms_channel_unasked else {"sms_channel"}
    return hidden.union(SUB_RESOURCES).difference(included)


@CONTACTS.get("/contacts/sms_engagement_history/<contact_id>", privilege="contacts:read")
def sms_engagement_history(call: Call, contact_id: str) -> list[Record]:
    """List the history of a contact's SMS consents; empty without a channel (assumed)."""
    return consent_history(CONTACTS.find(call.account.contacts, contact_id, "contact_id"))


# --- contact lists


@CONTACTS.get(
    "/contact_lists",
    privilege="contacts:lists:read",
    paging=Paging("lists", PAGE_NUMBER, max_limit=1000),
    parameters={
        "status": choices("all", "active", "deleted"),
        "name": text,
        "channel_type": choice("email", "sms"),
        "include_count": boolean,
        "include_membership_count": choice("all", "active"),
        "include_sms_membership_count": boolean,
    },
)
def contact_lists(call: Call) -> Listing:
    """List contact lists: active ones for email by default (documented)."""
    query = {"channel_type": "email", "status": frozenset({"active"}), **call.query}
    if query["channel_type"] == "sms" and not call.options.sms_lists:
        raise CONTACTS.invalid("channel_type")
    rows = [list_ for list_ in call.account.lists.values() if _is_wanted(call, list_, query)]
    counts = _membership_counts(call)
    envelope = {"lists_count": len(rows)} if query.get("include_count") else {}
    return Listing(rows, lambda row: row | counts(row["list_id"]), lambda _: envelope)


@CONTACTS.get(
    "/contact_lists/<list_id>",
    privilege="contacts:lists:read",
    parameters={"include_membership_count": choice("all", "active")},
)
def contact_list(call: Call, list_id: str) -> Record:
    """Show one contact list, deleted or not."""
    record = CONTACTS.find(call.account.lists, list_id, "list_id")
    return record | _membership_counts(call)(list_id)


def _is_wanted(call: Call, list_: Record, query: dict[str, Any]) -> bool:
    status = "deleted" if "deleted_at" in list_ else "active"
    return (
        query["channel_type"] in call.account.list_channels[list_["list_id"]]
        and bool(query["status"] & {"all", status})
        and query.get("name", list_["name"]) == list_["name"]
    )


def _membership_counts(call: Call) -> Callable[[str], Record]:
    """Return what looks up the requested member counts of a list."""
    counters = {}
    if "include_membership_count" in call.query:
        only_active = call.query["include_membership_count"] == "active"
        counters["membership_count"] = _members(
            call.account, lambda row: not only_active or _status(row) == "active"
        )
    if call.query.get("include_sms_membership_count"):
        # The contract has the parameter but not the property: its name is an assumption.
        name = call.options.sms_count_name
        counters[name] = _members(call.account, lambda row: "sms_channel" in row)
    return lambda list_id: {name: counter[list_id] for name, counter in counters.items()}


def _members(account: Account, counts: Callable[[Record], bool]) -> Counter[str]:
    members = filter(counts, account.contacts.values())
    return Counter(chain.from_iterable(row["list_memberships"] for row in members))


# --- contact tags


@CONTACTS.get(
    "/contact_tags",
    privilege="contacts:read",
    paging=Paging("tags", Keyset("tag_id")),
    parameters={"include_count": boolean},
)
def contact_tags(call: Call) -> Listing:
    """List tags, sorted by id: real cursors hold the id of a tag (observed)."""
    rows = sorted(call.account.tags.values(), key=lambda tag: str(tag["tag_id"]))
    counts = _tag_counts(call)
    # The contract declares the link in two ways.
    link = _nested_link if call.options.nested_tag_links else next_link
    return Listing(rows, lambda tag: tag | counts(tag["tag_id"]), link=link)


@CONTACTS.get(
    "/contact_tags/<tag_id>", privilege="contacts:read", parameters={"include_count": boolean}
)
def contact_tag(call: Call, tag_id: str) -> Record:
    """Show one tag."""
    return CONTACTS.find(call.account.tags, tag_id, "tag_id") | _tag_counts(call)(tag_id)


def _tag_counts(call: Call) -> Callable[[str], Record]:
    if not call.query.get("include_count"):
        return lambda _: {}
    taggings = (row["taggings"] for row in call.account.contacts.values())
    counter = Counter(chain.from_iterable(taggings))
    return lambda tag_id: {"contacts_count": counter[tag_id]}


def _nested_link(href: str, cursor: str) -> Record:
    return {"_links": {"next": next_link(href, cursor)["_links"]}}


# --- custom fields


@CONTACTS.get(
    "/contact_custom_fields",
    privilege="contacts:read",
    paging=Paging("custom_fields", PAGE_NUMBER, max_limit=100),
)
def contact_custom_fields(call: Call) -> Listing:
    """List custom fields."""
    return Listing(list(call.account.custom_fields.values()))


@CONTACTS.get("/contact_custom_fields/<custom_field_id>", privilege="contacts:read")
def contact_custom_field(call: Call, custom_field_id: str) -> Record:
    """Show one custom field."""
    return CONTACTS.find(call.account.custom_fields, custom_field_id, "custom_field_id")


# --- segments


@CONTACTS.get(
    "/segments",
    privilege="contacts:lists:read",
    # That 1000 is the maximum as well as the default is an assumption.
    paging=Paging("segments", PAGE_NUMBER, default=1000, max_limit=1000, end=NO_NEXT),
    parameters={"sort_by": choice("name", "date")},
)
def segments(call: Call) -> Listing:
    """List segments, last edited first, or by name (documented)."""
    rows = sorted(call.account.segments.values(), key=lambda row: str(row["name"]))
    if call.query.get("sort_by", "date") == "date":
        rows = sorted(rows, key=lambda row: str(row["edited_at"]), reverse=True)
    return Listing(rows, lambda row: without(row, {"segment_criteria"}))


@CONTACTS.get("/segments/<segment_id>", privilege="contacts:lists:read")
def segment(call: Call, segment_id: str) -> Record:
    """Show one segment with its criteria, a JSON string (documented)."""
    by_text = {str(number): record for number, record in call.account.segments.items()}
    return CONTACTS.find(by_text, segment_id, "segment_id")
