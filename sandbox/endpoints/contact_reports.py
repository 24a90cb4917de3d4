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
    from sandbox.account.contact_activity import Deed
    from sandbox.server.routing import Call

CONTACT_REPORTS = Service("reportingsvc", "contact_data", bare_errors=True)

PATH = "/reports/contact_reports/<contact_id>/"
TYPES = choices(*EMAIL_TYPES, *PAGE_TYPES)
LISTS_OF_TYPES = ("tracking_activities_list", "tracking_activity_type")
WINDOW = {"start": moment, "end": moment}
MOST_YEARS = 5
MOST_ACTIVITIES = 200


@CONTACT_REPORTS.get(
    PATH + "activity_details",
    privilege="ui:campaign:metrics",
    paging=Paging(
        "tracking_activities", OFFSET, default=100, most=100, parameter="next", end=NO_NEXT
    ),
    parameters={
        **dict.fromkeys(LISTS_OF_TYPES, TYPES),
        "include_campaign_activity_names": boolean,
    },
)
def activity_details(call: Call, contact_id: str) -> Listing:
    """List what a contact did, newest first. The kinds have to be named, in one of two ways."""
    given = [call.query[name] for name in LISTS_OF_TYPES if name in call.query]
    if len(given) != 1:
        raise CONTACT_REPORTS.invalid(" or ".join(LISTS_OF_TYPES))
    deeds = [deed for deed in _deeds(call.account, contact_id) if deed.type in given[0]]
    named = call.query.get("include_campaign_activity_names", True)
    return Listing(deeds, lambda deed: _detail(call.account, deed, named=named))


@CONTACT_REPORTS.get(
    PATH + "activity_summary",
    privilege="ui:campaign:metrics",
    parameters=WINDOW,
    required=("start", "end"),
)
def activity_summary(call: Call, contact_id: str) -> Record:
    """Count what a contact did with each email it got; the last 200 only (documented)."""
    deeds = _deeds(call.account, contact_id)
    counts = Counter((deed.activity_id, deed.type) for deed in deeds)
    return {
        "contact_id": contact_id,
        "campaign_activities": [
            {
                "campaign_activity_id": deed.activity_id,
                "start_on": stamp_ms(deed.event.at),
                **{
                    type_.replace("optouts", "unsubscribes"): counts[deed.activity_id, type_]
                    for type_ in EMAIL_TYPES
                },
            }
            for deed in _sends(call, deeds)[:MOST_ACTIVITIES]
        ],
    }


@CONTACT_REPORTS.get(
    PATH + "open_and_click_rates",
    privilege="ui:campaign:metrics",
    parameters=WINDOW,
    required=("start", "end"),
)
def open_and_click_rates(call: Call, contact_id: str) -> Record:
    """Tell which share of its emails a contact opens and clicks; zeros if it got none."""
    start, end = call.query["start"], call.query["end"]
    if int(end[:4]) - int(start[:4]) > MOST_YEARS or (
        int(end[:4]) - int(start[:4]) == MOST_YEARS and end[4:] > start[4:]
    ):
        raise CONTACT_REPORTS.invalid("start")
    deeds = _deeds(call.account, contact_id)
    sent = {deed.activity_id for deed in _sends(call, deeds)}
    return {
        "contact_id": contact_id,
        "included_activities_count": len(sent),
        "average_open_rate": _share(deeds, "em_opens", sent),
        "average_click_rate": _share(deeds, "em_clicks", sent),
    }


def _deeds(account: Account, contact_id: str) -> list[Deed]:
    CONTACT_REPORTS.find(account.contacts, contact_id, "contact_id")
    return account.deeds.of(contact_id)


def _sends(call: Call, deeds: list[Deed]) -> list[Deed]:
    """Pick the sends of a window. That both of its ends belong to it is a guess."""
    start, end = call.query["start"], call.query["end"]
    if start > end:
        raise CONTACT_REPORTS.invalid("end")
    return [
        deed
        for deed in deeds
        if deed.type == "em_sends" and start <= comparable(stamp(deed.event.at)) <= end
    ]


def _detail(account: Account, deed: Deed, *, named: bool) -> Record:
    return {
        "contact_id": deed.event.contact_id,
        "campaign_activity_id": deed.activity_id,
        "created_time": stamp_ms(deed.event.at),
        "tracking_activity_type": deed.type,
        **({"campaign_activity_name": _name(account, deed.activity_id)} if named else {}),
    }


def _name(account: Account, activity_id: str) -> str:
    """Tell the name of an activity: that of its campaign or of its landing page (guess)."""
    if activity_id in account.landing_pages:
        return account.landing_pages[activity_id].name
    campaign_id = account.activities[activity_id]["campaign_id"]
    return str(account.campaigns[campaign_id]["name"])


def _share(deeds: list[Deed], type_: str, sent: set[str]) -> float:
    done = {deed.activity_id for deed in deeds if deed.type == type_} & sent
    return round(len(done) / len(sent), 4) if sent else 0.0
