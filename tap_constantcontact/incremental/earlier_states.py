"""Brings the state of an earlier run into the form that the tap works with.

Earlier versions had no parts (`state_parts`): their properties were spread over the state of a
stream, so a merge could mix those of different runs. They are taken as they are, once, if nothing
speaks against it; without them, everything is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tap_constantcontact.incremental.activity_progress import POSITION
from tap_constantcontact.incremental.change_log_codec import LOG, LOG_OWNER, VERSION
from tap_constantcontact.incremental.change_log_identity import LAST_NUMBER_KEY, new_log_id
from tap_constantcontact.incremental.contact_cycles import CycleState, SweepState
from tap_constantcontact.incremental.state_parts import part_of
from tap_constantcontact.timestamps import format_timestamp, to_hour

_BOOKMARK = "replication_key_value"
# By part: its properties in version 1.
_LOG_KEYS = ("id", "campaigns", LAST_NUMBER_KEY, "asked_since", "others", "unanswered")
_POSITION_KEYS = ("read_through", "complete_through", "left_out", "since")
_PARTS = (LOG, POSITION, CycleState.under_way_key, SweepState.under_way_key)
# Parts of a campaign that are not activities.
_OWN_COUNTERS = ("all", "skipped")
# The lengths of an activity's list; the shortest one has no number.
_LENGTHS = (1, 9, 11, *range(13, 20))
_WITHOUT_NUMBER = 1
# Clocks differ.
_TOLERANCE = timedelta(hours=1)


class Upgraded(NamedTuple):
    """A state in today's form, and what it lost.

    Attributes:
        state: The state.
        in_future: The streams whose bookmark was in the future.
        is_log_dropped: Whether the change log contradicted itself.
    """

    state: dict[str, Any]
    in_future: list[str]
    is_log_dropped: bool


def upgraded(state: Mapping[str, Any], now: datetime) -> Upgraded:
    """Return a state in today's form.

    What is in the future doesn't tell which rows were read, so streams lose it. The state that was
    passed is not changed.

    Args:
        state: The state of an earlier run.
        now: The time.
    """
    bookmarks = {name: {**own} for name, own in state.get("bookmarks", {}).items()}
    is_log_dropped = _upgrade_log(bookmarks)
    _upgrade_cycles(bookmarks)
    for own in bookmarks.values():
        for part in filter(own.get, _PARTS):
            own[part] = own[part][-1:]
    in_future = [name for name, own in bookmarks.items() if _drop_future(own, now)]
    return Upgraded({**state, "bookmarks": bookmarks}, in_future, is_log_dropped)


def _upgrade_log(bookmarks: dict[str, dict[str, Any]]) -> bool:
    """Make parts of the log and of the positions in it; return whether the log is dropped."""
    owner = bookmarks.get(LOG_OWNER, {})
    owner.pop("log_version", None)
    log = {key: owner.pop(key) for key in _LOG_KEYS if key in owner}
    positions = {
        name: {key: own.pop(key) for key in _POSITION_KEYS if key in own}
        for name, own in bookmarks.items()
        if "read_through" in own or "complete_through" in own
    }
    if owner.get(LOG):
        if not (is_sound := _is_sound(part_of(owner, LOG))):
            del owner[LOG]
        return not is_sound
    if not log or not _is_sound(log):
        return bool(log)
    log = {"version": VERSION, "id": new_log_id(), **log}
    owner[LOG] = [log]
    for name, position in positions.items():
        bookmarks[name].setdefault(POSITION, [{"log": log["id"], **position}])
    return False


def _is_sound(log: Mapping[str, Any]) -> bool:
    """Return whether the numbers of a log are those of one run after the other."""
    campaigns = log.get("campaigns", {}).values()
    entries = [
        entry
        for campaign in campaigns
        for activity, entry in campaign.items()
        if activity not in _OWN_COUNTERS
    ]
    if not all(isinstance(entry, list) and len(entry) in _LENGTHS for entry in entries):
        return False
    numbers = [entry[0] for entry in entries if len(entry) > _WITHOUT_NUMBER]
    is_each_once = len({*map(str, numbers)}) == len(numbers)
    last = log.get(LAST_NUMBER_KEY, 0)
    return is_each_once and all(isinstance(each, int) and each <= last for each in numbers)


def _upgrade_cycles(bookmarks: dict[str, dict[str, Any]]) -> None:
    """Make parts of the cycles under way."""
    for own in bookmarks.values():
        for kind in (CycleState, SweepState):
            if cycle := own.pop(kind.version_1_key, None):
                own.setdefault(kind.under_way_key, [cycle])


def _drop_future(own: dict[str, Any], now: datetime) -> bool:
    """Take away what the state of a stream has of the future; return whether the bookmark was.

    A bookmark that is ahead by less than clocks differ is taken back to now.
    """
    latest, near = format_timestamp(now), format_timestamp(now + _TOLERANCE)
    for part in (CycleState.under_way_key, SweepState.under_way_key):
        if own.get(part) and own[part][-1].get("began", "") > near:
            del own[part]
    if (own.get("sent_until") or 0) > to_hour(now + _TOLERANCE):
        del own["sent_until"]
    bookmark = str(own.get(_BOOKMARK, ""))
    if bookmark > near:
        del own[_BOOKMARK]
    elif bookmark > latest:
        own[_BOOKMARK] = latest
    return bookmark > near
