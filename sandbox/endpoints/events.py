"""Events, and who registered for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.server.paging import OFFSET, Listing, Paging
from sandbox.server.parameters import boolean, choice, text, whole
from sandbox.server.routing import Service, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.account import Record
    from sandbox.server.routing import Call

EVENTS = Service("events.api", "campaign_data")

STATUSES = ("ACTIVE", "DRAFT", "COMPLETE", "DELETED", "CANCELLED", "ERROR")
# What each key of the list is called in the detail.
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
MOST_REGISTRATIONS = 100
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
    # What the cursors hold is a guess, as is that there is no way back here.
    paging=Paging("records", OFFSET, default=100, most=100, parameter="next", end=END),
    parameters={
        "event_status": choice(*STATUSES),
        "search_text": text,
        "sort_by": choice(*SORTED_BY),
        "sort_order": ORDER,
    },
)
def events(call: Call) -> Listing:
    """List events; deleted ones only if asked for (guess)."""
    status = call.query.get("event_status")
    search = call.query.get("search_text", "").lower()
    rows = [
        event
        for event in call.account.events.values()
        if (event["status"] == status if status else event["status"] != "DELETED")
        and search in f"{event['name']}\n{event['title']}".lower()
    ]
    if "sort_by" in call.query:
        _sort(rows, call, lambda event: event[SORTED_BY[call.query["sort_by"]]])
    return Listing(
        rows, lambda event: _in_brief(call, event), lambda _: _total(rows), lead=_lead(call)
    )


@EVENTS.get("/events/<event_id>", privilege="campaign:read", parameters={"include": boolean})
def event(call: Call, event_id: str) -> Record:
    """Show one event, deleted or not (guess); its settings only if asked for."""
    record = EVENTS.find(call.account.events, event_id, "event_id")
    left_out = () if call.query.get("include") else ("event_settings",)
    return without(record, left_out)


@EVENTS.get(
    "/events/<event_id>/tracks/<track_id>/registrations",
    privilege="campaign:read",
    # Default and maximum are guesses.
    paging=Paging("records", OFFSET, most=MOST_REGISTRATIONS, parameter="next", end=END),
    parameters={
        "registration_status": choice(
            # The last one is how the contract writes two.
            *("PENDING", "REGISTERED", "CANCELED", "EXPIRED", "IN_PROGRESS, FAILED"),
        ),
        "payment_status": choice(
            *("PENDING", "PAID", "REFUNDED", "CANCELLED", "FAILED", "CHARGED_BACK")
        ),
        "search_text": text,
        "sort_by": choice(*REGISTRATIONS_SORTED_BY),
        "sort_order": ORDER,
        "page_size": whole(1, MOST_REGISTRATIONS),
    },
)
def registrations(call: Call, event_id: str, track_id: str) -> Listing:
    """List who registered for an event, in the order of registration (guess)."""
    if call.query.get("limit") != call.query.get("page_size", call.query.get("limit")):
        raise EVENTS.invalid("page_size")  # the two have to agree (documented)
    of_track = _registrations(call, event_id, track_id).values()
    rows = [row for row in (_in_one_line(row, track_id) for row in of_track) if _fits(row, call)]
    rows.sort(key=lambda row: str(row["registration_time"]))
    if "sort_by" in call.query:
        _sort(rows, call, lambda row: row.get(call.query["sort_by"], ""))
    return Listing(rows, beside=lambda _: _total(rows), lead=_lead(call))


@EVENTS.get(
    "/events/<event_id>/tracks/<track_id>/registrations/<registration_id>",
    privilege="campaign:read",
)
def registration(call: Call, event_id: str, track_id: str, registration_id: str) -> Record:
    """Show one registration with its answers and its order."""
    of_track = _registrations(call, event_id, track_id)
    return EVENTS.find(of_track, registration_id, "registration_id")


def _registrations(call: Call, event_id: str, track_id: str) -> dict[str, Record]:
    record = EVENTS.find(call.account.events, event_id, "event_id")
    if record["default_track"]["track_id"] != track_id:
        raise EVENTS.error(404, "not_found", "track_id was not found.")
    return call.account.registrations[event_id]


def _in_brief(call: Call, event: Record) -> Record:
    """Show an event as the list does: many names differ from those of the detail (documented)."""
    count = len(call.account.registrations[event["event_id"]])
    return {
        **{name: event[in_detail] for name, in_detail in IN_LIST.items()},
        "event_registration_summary_metrics": {
            "registration_count": count,
            "ticket_sold": count,
            "item_sold": 0,
        },
    }


def _in_one_line(registration: Record, track_id: str) -> Record:
    answers = {field["field_name"]: field["field_value"] for field in registration["contact"]}
    same = (
        *("checkedIn_tickets", "checkin_status", "eligible_checkin_tickets"),
        *("registration_id", "registration_status"),
    )
    names = {
        name: answers[f"CONTACT_{name.upper()}"]
        for name in ("email_address", "first_name", "last_name")
        if f"CONTACT_{name.upper()}" in answers
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


def _lead(call: Call) -> Callable[[str, str], Record]:
    """Lead on by the cursor, by the link, or by both; an option decides."""
    links = call.options.event_links

    def lead(href: str, cursor: str) -> Record:
        return {
            "next_cursor": None if links == "links" else cursor,
            "prev_cursor": None,
            "_links": None if links == "cursor" else {"next": {"href": href}},
        }

    return lead
