"""The reports on single contacts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sandbox.account.clock import comparable, stamp, stamp_ms
from sandbox.account.contact_activity import EMAIL_TYPES, PAGE_TYPES
from sandbox.server.paging import NO_NEXT, OFFSET, Listing, Paging
from sandbox.server.parameters import boolean, choices, moment
from sandbox.server.routing import Service

if TYPE_CHECKING:
    from sandbox.account import Account, Record
    from sandbox.account.contact_activity import ContactActivity
    from sandbox.server.routing import Call

CONTACT_REPORTS = Service("reportingsvc", "contact_data", bare_errors=True)

PATH = "/reports/contact_reports/<contact_id>/"
TYPES = choices(*EMAIL_TYPES, *PAGE_TYPES)
LISTS_OF_TYPES = ("tracking_activities_list", "tracking_activity_type")
WINDOW = {"start": moment, "end": moment}
MAX_YEARS = 5
MAX_ACTIVITIES = 200


@CONTACT_REPORTS.get(
    PATH + "activity_details",
    privilege="ui:campaign:metrics",
    paging=Paging(
        "tracking_activities", OFFSET, default=100, max_limit=100, parameter="next", end=NO_NEXT
    ),
    parameters={
        **dict.fromkeys(LISTS_OF_TYPES, TYPES),
        "include_campaign_activity_names": boolean,
    },
)
def activity_details(call: Call, contact_id: str) -> Listing:
    """List the activity of a contact, newest first, of the types in one of two parameters."""
    given = [call.query[name] for name in LISTS_OF_TYPES if name in call.query]
    if len(given) != 1:
        raise CONTACT_REPORTS.invalid(" or ".join(LISTS_OF_TYPES))
    rows = [row for row in _activity(call.account, contact_id) if row.type in given[0]]
    named = call.query.get("include_campaign_activity_names", True)
    return Listing(rows, lambda row: _detail(call.account, row, named=named))


@CONTACT_REPORTS.get(
    PATH + "activity_summary",
    privilege="ui:campaign:metrics",
    parameters=WINDOW,
    required=("start", "end"),
)
def activity_summary(call: Call, contact_id: str) -> Record:
    """Count the events of a contact by email; only the last 200 emails (documented)."""
    rows = _activity(call.account, contact_id)
    counts = Counter((row.activity_id, row.type) for row in rows)
    return {
        "contact_id": contact_id,
        "campaign_activities": [
            {
                "campaign_activity_id": row.activity_id,
                "start_on": stamp_ms(row.event.at),
                **{
                    type_.replace("optouts", "unsubscribes"): counts[row.activity_id, type_]
                    for type_ in EMAIL_TYPES
                },
            }
            for row in _sends(call, rows)[:MAX_ACTIVITIES]
        ],
    }


@CONTACT_REPORTS.get(
    PATH + "open_and_click_rates",
    privilege="ui:campaign:metrics",
    parameters=WINDOW,
    required=("start", "end"),
)
def open_and_click_rates(call: Call, contact_id: str) -> Record:
    """Show the share of its emails that a contact opens and clicks; 0 if it got none."""
    start, end = call.query["start"], call.query["end"]
    if int(end[:4]) - int(start[:4]) > MAX_YEARS or (
        int(end[:4]) - int(start[:4]) == MAX_YEARS and end[4:] > start[4:]
    ):
        raise CONTACT_REPORTS.invalid("start")
    rows = _activity(call.account, contact_id)
    sent = {row.activity_id for row in _sends(call, rows)}
    return {
        "contact_id": contact_id,
        "included_activities_count": len(sent),
        "average_open_rate": _share(rows, "em_opens", sent),
        "average_click_rate": _share(rows, "em_clicks", sent),
    }


def _activity(account: Account, contact_id: str) -> list[ContactActivity]:
    CONTACT_REPORTS.find(account.contacts, contact_id, "contact_id")
    return account.activity_by_contact.of(contact_id)


def _sends(call: Call, rows: list[ContactActivity]) -> list[ContactActivity]:
    """Return the sends in a window. That it includes both ends is an assumption."""
    start, end = call.query["start"], call.query["end"]
    if start > end:
        raise CONTACT_REPORTS.invalid("end")
    return [
        row
        for row in rows
        if row.type == "em_sends" and start <= comparable(stamp(row.event.at)) <= end
    ]


def _detail(account: Account, row: ContactActivity, *, named: bool) -> Record:
    return {
        "contact_id": row.event.contact_id,
        "campaign_activity_id": row.activity_id,
        "created_time": stamp_ms(row.event.at),
        "tracking_activity_type": row.type,
        **({"campaign_activity_name": _name(account, row.activity_id)} if named else {}),
    }


def _name(account: Account, activity_id: str) -> str:
    """Return the name of an activity: that of its campaign or landing page (assumed)."""
    if activity_id in account.landing_pages:
        return account.landing_pages[activity_id].name
    campaign_id = account.activities[activity_id]["campaign_id"]
    return str(account.campaigns[campaign_id]["name"])


def _share(rows: list[ContactActivity], type_: str, sent: set[str]) -> float:
    done = {row.activity_id for row in rows if row.type == type_} & sent
    return round(len(done) / len(sent), 4) if sent else 0.0
