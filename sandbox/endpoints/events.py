"""Events and registrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.server.paging import OFFSET, OPAQUE, Listing, Paging
from sandbox.server.parameters import boolean, choice, integer, text
from sandbox.server.routing import Service, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.account import Record
    from sandbox.server.routing import Call

EVENTS = Service("events.api", "campaign_data")

STATUSES = ("ACTIVE", "DRAFT", "COMPLETE", "DELETED", "CANCELLED", "ERROR")
# The names in the detail, by the names in the list.
IN_LIST = {
    "event_id": "event_id",
    "title": "title",
    "description": "description",
    "start_time": "event_start",
    "end_time": "event_end",
    "status": "status",
    "registration_url": "registration_url",
    "name": "name",
    "event_type": "event_type",
    "location_type": "location_type",
    "time_zone_type": "time_zone_abbreviation",
    "address": "address",
    "create_time": "create_time",
}
SORTED_BY = {
    "name": "name",
    "start_time": "event_start",
    "end_time": "event_end",
    "created_time": "create_time",
    "updated_time": "last_update_time",
}
MAX_REGISTRATIONS = 100
REGISTRATIONS_SORTED_BY = (
    *("first_name", "last_name", "email_address"),
    *("registration_status", "payment_status", "tickets", "total"),
)
# null at the end (documented)
END = {"next_cursor": None, "prev_cursor": None, "_links": None}
ORDER = choice("ASC", "DESC")


@EVENTS.get(
    "/events",
    privilege="campaign:read",
    # What the cursors hold is an assumption, as is that they only lead forward.
    paging=Paging(
        "records", OFFSET, default=100, max_limit=100, parameter="next", end=END, form=OPAQUE
    ),
    parameters={
        "event_status": choice(*STATUSES),
        "search_text": text,
        "sort_by": choice(*SORTED_BY),
        "sort_order": ORDER,
    },
)
def events(call: Call) -> Listing:
    """List events; deleted ones only by status (assumed)."""
    status = call.query.get("event_status")
    search = call.query.get("search_text", "").lower()
    rows = [
        event
        for event in call.account.events.values()
        if (event["status"] == status if status else _is_listed(call, event))
        and search in f"{event['name']}\n{event['title']}".lower()
    ]
    if "sort_by" in call.query:
        _sort(rows, call, lambda event: event[SORTED_BY[call.query["sort_by"]]])
    return Listing(
        rows, lambda event: _summary(call, event), lambda _: _total(rows), link=_link(call)
    )


def _is_listed(call: Call, event: Record) -> bool:
    """Return whether an event is listed if no status is requested."""
    if call.options.default_events == "active":
        return bool(event["status"] == "ACTIVE")
    return bool(event["status"] != "DELETED")


@EVENTS.get("/events/<event_id>", privilege="campaign:read", parameters={"include": boolean})
def event(call: Call, event_id: str) -> Record:
    """Show one event, deleted or not (assumed); its settings only if included."""
    record = EVENTS.find(call.account.events, event_id, "event_id")
    excluded = () if call.query.get("include") else ("event_settings",)
    return without(record, excluded)


@EVENTS.get(
    "/events/<event_id>/tracks/<track_id>/registrations",
    privilege="campaign:read",
    # Default and maximum are assumptions.
    paging=Paging(
        "records", OFFSET, max_limit=MAX_REGISTRATIONS, parameter="next", end=END, form=OPAQUE
    ),
    parameters={
        "registration_status": choice(
            # The contract writes the last two as one.
            *("PENDING", "REGISTERED", "CANCELED", "EXPIRED", "IN_PROGRESS, FAILED"),
        ),
        "payment_status": choice(
            *("PENDING", "PAID", "REFUNDED", "CANCELLED", "FAILED", "CHARGED_BACK")
        ),
        "search_text": text,
        "sort_by": choice(*REGISTRATIONS_SORTED_BY),
        "sort_order": ORDER,
        "page_size": integer(1, MAX_REGISTRATIONS),
    },
)
def registrations(call: Call, event_id: str, track_id: str) -> Listing:
    """List the registrations for an event, in order of registration (assumed)."""
    if call.query.get("limit") != call.query.get("page_size", call.query.get("limit")):
        raise EVENTS.invalid("page_size")  # both must be equal (documented)
    of_track = _registrations(call, event_id, track_id).values()
    rows = [row for row in (_list_row(row, track_id) for row in of_track) if _fits(row, call)]
    rows.sort(key=lambda row: str(row["registration_time"]))
    if "sort_by" in call.query:
        _sort(rows, call, lambda row: row.get(call.query["sort_by"], ""))
    return Listing(rows, envelope=lambda _: _total(rows), link=_link(call))


@EVENTS.get(
    "/events/<event_id>/tracks/<track_id>/registrations/<registration_id>",
    privilege="campaign:read",
)
def registration(call: Call, event_id: str, track_id: str, registration_id: str) -> Record:
    """Show one registration with its form fields and its order."""
    of_track = _registrations(call, event_id, track_id)
    return EVENTS.find(of_track, registration_id, "registration_id")


def _registrations(call: Call, event_id: str, track_id: str) -> dict[str, Record]:
    record = EVENTS.find(call.account.events, event_id, "event_id")
    if record["default_track"]["track_id"] != track_id:
        raise EVENTS.error(404, "not_found", "track_id was not found.")
    return call.account.registrations[event_id]


def _summary(call: Call, event: Record) -> Record:
    """Return an event as in the list: many names differ from the detail (documented)."""
    registrations = call.account.registrations[event["event_id"]]
    count = len(registrations) if call.options.event_metrics else 0
    return {
        **{name: event[in_detail] for name, in_detail in IN_LIST.items()},
        "event_registration_summary_metrics": {
            "registration_count": count,
            "ticket_sold": count,
            "item_sold": 0,
        },
    }


def _list_row(registration: Record, track_id: str) -> Record:
    fields = {field["field_name"]: field["field_value"] for field in registration["contact"]}
    same = (
        *("checkedIn_tickets", "checkin_status", "eligible_checkin_tickets"),
        *("registration_id", "registration_status"),
    )
    names = {
        name: fields[f"CONTACT_{name.upper()}"]
        for name in ("email_address", "first_name", "last_name")
        if f"CONTACT_{name.upper()}" in fields
    }
    return {
        **{name: registration[name] for name in same},
        **names,
        "new_contact": False,
        "payment_status": registration["order_summary"]["payment_status"],
        "registration_time": registration["registration_date"],
        "tickets": len(registration["tickets"]),
        "total": sum(ticket["price"] for ticket in registration["tickets"]),
        "track_key": track_id,
    }


def _fits(row: Record, call: Call) -> bool:
    search = call.query.get("search_text", "").lower()
    names = (row.get(name, "") for name in ("first_name", "last_name", "email_address"))
    return (
        all(
            call.query.get(name, row[name]) == row[name]
            for name in ("registration_status", "payment_status")
        )
        and search in "\n".join(names).lower()
    )


def _sort(rows: list[Record], call: Call, key: Callable[[Record], Any]) -> None:
    rows.sort(key=key, reverse=call.query.get("sort_order") == "DESC")


def _total(rows: list[Record]) -> Record:
    return {"total_records": len(rows)}


def _link(call: Call) -> Callable[[str, str], Record]:
    """Link to the next page by cursor, by link, or by both; an option decides."""
    links = call.options.event_links

    def link(href: str, cursor: str) -> Record:
        return {
            "next_cursor": None if links == "links" else cursor,
            "prev_cursor": None,
            "_links": None if links == "cursor" else {"next": {"href": href}},
        }

    return link
