"""Generate bulk activities: imports, exports and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import HOUR, stamp

if TYPE_CHECKING:
    from sandbox.account import Account, Record

BULK_ACTIVITIES = (  # state, hours ago, file
    ("completed", 400, "old.csv"),
    ("completed", 200, "customers.csv"),
    ("failed", 150, "broken.xls"),
    ("completed", 90, None),
    ("timed_out", 70, None),
    ("cancelled", 50, None),
    ("processing", 2, "guests.csv"),
    ("initialized", 1, None),
)


def add_bulk_activities(account: Account) -> None:
    """Add activities of every state, one of them too old to be listed."""
    for state, hours, file_name in BULK_ACTIVITIES:
        add_bulk_activity(account, state, account.now() - hours * HOUR, file_name)


def add_bulk_activity(account: Account, state: str, at: int, file_name: str | None = None) -> str:
    """Add an activity; it starts and ends at the same time.

    Returns:
        The `activity_id`.
    """
    activity_id = account.new_id()
    done = state == "completed"
    account.bulk_activities[activity_id] = {
        "activity_id": activity_id,
        "state": state,
        **({"started_at": stamp(at)} if state != "initialized" else {}),
        **({"completed_at": stamp(at)} if done else {}),
        "created_at": stamp(at),
        "updated_at": stamp(at),
        **({"source_file_name": file_name} if file_name else {}),
        "percent_done": 100 if done else 20,
        "activity_errors": ["The file could not be read."] if state == "failed" else [],
        "status": _status(done=done, import_=file_name is not None),
        "_links": _links(activity_id, exported=done and file_name is None),
    }
    return activity_id


def _status(*, done: bool, import_: bool) -> Record:
    status = {"items_total_count": 5, "items_completed_count": 5 if done else 1}
    if import_:
        status.update(
            person_count=5,
            error_count=0,
            correctable_count=1,
            cannot_add_to_list_count=0,
            list_count=2,
        )
    return status


def _links(activity_id: str, *, exported: bool) -> Record:
    links = {"self": {"href": f"/v3/activities/{activity_id}"}}
    if exported:  # the path of the contract's example, which does not exist
        links["results"] = {"href": f"/v3/contacts_exports/{activity_id}"}
    return links
