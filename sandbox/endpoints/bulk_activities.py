"""Bulk activities: imports, exports and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, stamp
from sandbox.endpoints.contacts import CONTACTS
from sandbox.server.paging import PAGE_NUMBER, Listing, Paging
from sandbox.server.parameters import choice

if TYPE_CHECKING:
    from typing import NoReturn

    from sandbox.account import Record
    from sandbox.server.routing import Call

SHOWN_FOR = 10 * DAY
"""Older activities are not shown (documented)."""


@CONTACTS.get(
    "/activities",
    privilege="contacts:write",
    paging=Paging("activities", PAGE_NUMBER),
    # An activity can be `initialized` as well, which is not a filter (documented).
    parameters={"state": choice("processing", "completed", "cancelled", "failed", "timed_out")},
)
def bulk_activities(call: Call) -> Listing:
    """List the activities of the last ten days (documented), newest first (assumed)."""
    rows = [
        activity
        for activity in _kept(call).values()
        if call.query.get("state", activity["state"]) == activity["state"]
    ]
    return Listing(sorted(rows, key=lambda row: str(row["created_at"]), reverse=True))


@CONTACTS.get("/activities/<activity_id>", privilege="contacts:write")
def bulk_activity(call: Call, activity_id: str) -> Record:
    """Show one activity; older ones are 404 (assumed)."""
    return CONTACTS.find(_kept(call), activity_id, "activity_id")


@CONTACTS.get("/contact_exports/<file_export_id>", privilege="contacts:write")
def contact_export(call: Call, file_export_id: str) -> NoReturn:  # noqa: ARG001
    """Return 404: an export requires a POST first, which the sandbox does not offer."""
    raise CONTACTS.error(404, "not_found", f"{file_export_id} was not found.")


def _kept(call: Call) -> dict[str, Record]:
    since = stamp(call.account.now() - SHOWN_FOR)
    activities = call.account.bulk_activities
    return {id_: row for id_, row in activities.items() if row["created_at"] >= since}
