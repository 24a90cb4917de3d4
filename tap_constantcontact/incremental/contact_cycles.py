"""The state of reads of all contacts, which repeat every `contacts_sweep_days`.

A run that ends early leaves one under way, and the next run resumes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from typing_extensions import override

from tap_constantcontact.incremental.state_parts import own_part, part_of
from tap_constantcontact.timestamps import format_timestamp

# A daily run does not start at the same second every day.
_EARLY = timedelta(hours=1)


class CycleState:
    """A cycle: one read of all contacts by a stream of reports on single contacts.

    Attributes:
        completed_at_key: Names when the last complete cycle began, in the state of the stream.
        completed_for_key: Names the settings that it was made with; others need a new one.
        under_way_key: Names the cycle under way, a part of the state with the entries that follow.
        version_1_key: Names it in states of earlier versions, in which it was no part of its own.
        settings_key: Names the settings that it is made with.
        position_key: Names what it has read last.
    """

    completed_at_key: ClassVar[str] = "round_at"
    completed_for_key: ClassVar[str] = "round_for"
    under_way_key: ClassVar[str] = "unfinished_round"
    version_1_key: ClassVar[str] = "round"
    settings_key: ClassVar[str] = "for"
    position_key: ClassVar[str] = "last"

    def __init__(self, state: dict[str, Any], settings: Mapping[str, Any], days: float) -> None:
        """Take a state, and leave it as it is.

        Args:
            state: The state of the stream, which the methods change.
            settings: The settings of this run that decide what is read.
            days: How many days after one cycle began the next one is due.
        """
        self._state = state
        self._settings = settings
        self._interval = timedelta(days=days)

    @property
    def position(self) -> Any:
        """What the cycle under way has read last; None if it has read nothing."""
        return self._under_way.get(self.position_key)

    def is_due(self, now: datetime) -> bool:
        """Return whether contacts are to be read: a cycle is under way, or the last one is old.

        Args:
            now: The time by the API's clock.
        """
        if self.under_way_key in self._state:
            return True
        if self._state.get(self.completed_for_key) != self._settings:
            return True
        latest = format_timestamp(now - self._interval + _EARLY)
        completed_at = str(self._state.get(self.completed_at_key, ""))
        return not latest < completed_at <= format_timestamp(now + _EARLY)

    def discard_outdated(self) -> None:
        """Drop a cycle under way of other settings, or from before the last complete one.

        The latter comes back when an orchestrator merges states.
        """
        began = self._under_way.get("began")
        is_complete_since = (
            self._state.get(self.completed_for_key) == self._settings
            and began is not None
            and began <= str(self._state.get(self.completed_at_key, ""))
        )
        if self._under_way.get(self.settings_key) != self._settings or is_complete_since:
            self._state.pop(self.under_way_key, None)

    def start(self) -> None:
        """Resume the cycle under way, or start a new one."""
        self.discard_outdated()
        own_part(self._state, self.under_way_key).setdefault(self.settings_key, self._settings)

    def set_began(self, moment: datetime) -> None:
        """Note when the cycle under way began, unless an earlier run has noted it.

        Args:
            moment: The time by the API's clock.
        """
        own_part(self._state, self.under_way_key).setdefault("began", format_timestamp(moment))

    def advance(self, position: Any) -> None:
        """Note how far the cycle under way is.

        Args:
            position: What it has read last.
        """
        own_part(self._state, self.under_way_key)[self.position_key] = position

    def finish(self) -> str:
        """Note that the cycle under way has read all contacts; return when it began."""
        cycle = self._under_way
        del self._state[self.under_way_key]
        began: str = cycle["began"]
        self._state[self.completed_at_key] = began
        self._state[self.completed_for_key] = cycle[self.settings_key]
        return began

    @property
    def _under_way(self) -> dict[str, Any]:
        return part_of(self._state, self.under_way_key)


class SweepState(CycleState):
    """A sweep: a full re-read of all contacts by the stream of contacts."""

    completed_at_key = "swept_at"
    completed_for_key = "swept_for"
    under_way_key = "unfinished_sweep"
    version_1_key = "sweep"
    settings_key = "swept_for"
    position_key = "created_before"

    @override
    def is_due(self, now: datetime) -> bool:
        """Return whether a sweep is to be made; it always is if there is no bookmark."""
        return not self._state.get("replication_key_value") or super().is_due(now)
