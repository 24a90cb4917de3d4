"""Which events a run has to read: those that may have changed since they were read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from tap_constantcontact.incremental.state_parts import own_part, part_of
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

CYCLE_KEY = "cycle"
MEMBER_KEY = "cycle_began"

# A daily run does not start at the same second every day.
_EARLY = timedelta(hours=1)
_DIGEST_BYTES = 6


class EventCycle:
    """Reads all events once in a cycle, and again if they may have changed since.

    The list shows most changes of an event, and how many have registered. After an event, people
    still check in, pay and are refunded, which the list does not show. Assumes:
    event_list_shows_registrations. So an event is read again if its row in the list has changed, or
    if it is not over, or not for long. If runs end early, all events are read once before any is
    read again.

    The part `cycle` of the state of `events` has `began`, `read` (a digest of the row of each event
    that was read), `is_complete`, and the `streams` that took part in all its runs. These also have
    `cycle_began` in their own states. A stream needs a new cycle if it is selected later, if its
    state was removed, or if a run has read events while it was deselected.
    """

    def __init__(
        self,
        state: dict[str, Any],
        config: Mapping[str, Any],
        *,
        selected: Mapping[str, dict[str, Any]],
        is_full: bool = False,
    ) -> None:
        """Resume from the states of streams, and leave them as they are.

        Args:
            state: The state of `events`, selected or not.
            config: The settings.
            selected: The states of the selected streams among `events` and its child streams, by
                name.
            is_full: Whether every run reads everything.
        """
        self._state = state
        self._selected = selected
        self._has_begun = False
        self._interval = timedelta(days=config["events_sweep_days"])
        self._config = config
        self._is_full = is_full

    def begin(self, now: datetime) -> None:
        """Begin a new cycle, unless the last one goes on.

        Args:
            now: The time by the API's clock.
        """
        if not self._is_current(now):
            began = format_timestamp(now)
            cycle = {"began": began, "read": {}, "is_complete": False}
            own_part(self._state, CYCLE_KEY).update(cycle, streams=[*self._selected])
            for state in self._selected.values():
                state[MEMBER_KEY] = began
        own = own_part(self._state, CYCLE_KEY)
        own["streams"] = [name for name in own["streams"] if name in self._selected]
        self._has_begun = True

    def needs(self, event: Record, now: datetime) -> bool:
        """Return whether an event is to be read, before or after `begin`.

        Args:
            event: Its row in the list.
            now: The time by the API's clock.
        """
        if self._is_full or not self._is_current(now):
            return True
        if self._cycle["read"].get(_id_of(event)) != _digest(event):
            return True
        # First those that an earlier run could not reach.
        return self._cycle["is_complete"] and not is_settled(event, now, self._config)

    def note_read(self, event: Record) -> None:
        """Note that an event was read, with all that belongs to it."""
        self._cycle["read"][_id_of(event)] = _digest(event)

    def complete(self) -> None:
        """Note that all events were read."""
        self._cycle["is_complete"] = True

    @property
    def _cycle(self) -> dict[str, Any]:
        return part_of(self._state, CYCLE_KEY)

    def _is_current(self, now: datetime) -> bool:
        """Return whether the last cycle goes on: it is incomplete, or not old yet."""
        if self._has_begun:  # a long run does not begin another one
            return True
        began = self._cycle.get("began")
        known = self._cycle.get("streams", ())
        if not began or any(
            state.get(MEMBER_KEY) != began or name not in known
            for name, state in self._selected.items()
        ):
            return False
        is_young = format_timestamp(now - self._interval + _EARLY) < began
        return is_young or not self._cycle["is_complete"]


def is_settled(event: Record, now: datetime, config: Mapping[str, Any]) -> bool:
    """Return whether an event has been over for so long that nothing happens unseen any more.

    Args:
        event: Its row in the list.
        now: The time by the API's clock.
        config: The settings.
    """
    settles = timedelta(days=config["events_settle_days"])
    try:
        return parse_timestamp(str(event.get("end_time"))) < now - settles
    except ValueError:
        return False


def _id_of(event: Record) -> str:
    return str(event.get("event_id"))


def _digest(event: Record) -> str:
    """Return what tells a row from what it was earlier."""
    text = json.dumps(event, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
