"""Tells which log a number belongs to."""

from __future__ import annotations

from collections.abc import Container
from secrets import token_hex
from typing import Any

_ID_KEY = "id"
_EARLIER_KEY = "earlier"
#: In the state of a log: the greatest number that a change has got.
LAST_NUMBER_KEY = "last_number"
_BYTES = 6


def new_log_id() -> str:
    """Return an id that no other log has."""
    return token_hex(_BYTES)


class LogIdentity:
    """The id of a log, and the ids that it had in earlier runs.

    Two runs that continue the same log give the same numbers to different changes. So the log gets
    a new id in each run that adds to it. A stream names the id together with the number up to which
    it has read. The log keeps the earlier ids that streams still name, each with the last number
    that was given under it: up to there, both logs are the same.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        """Take the state of a log, and leave it as it is.

        Args:
            state: The state, which `renew` and `forget_unnamed` change.
        """
        self._state = state
        self._is_renewed = False

    @property
    def id(self) -> str:
        """The id; "" while the log is empty."""
        return str(self._state.get(_ID_KEY, ""))

    def knows(self, log_id: str) -> bool:
        """Return whether the log has or had an id."""
        return log_id in self._last_numbers

    def number_of(self, log_id: str, number: int) -> int:
        """Return up to which number a stream has read this log.

        Args:
            log_id: The id that the stream names.
            number: The number that the stream names. The log can be older than that.
        """
        return min(number, self._last_numbers.get(log_id, 0))

    def renew(self) -> None:
        """Give the log a new id, before this run adds its first number."""
        if not self._is_renewed:
            if self.id:
                earlier = [self.id, self._last_number]
                self._state[_EARLIER_KEY] = [*self._state.get(_EARLIER_KEY, ()), earlier]
            self._state[_ID_KEY] = new_log_id()
            self._is_renewed = True

    def forget_unnamed(self, named: Container[str]) -> None:
        """Forget the earlier ids that no stream names any more.

        Args:
            named: The ids that streams name.
        """
        if earlier := self._state.get(_EARLIER_KEY):
            self._state[_EARLIER_KEY] = [each for each in earlier if each[0] in named]

    @property
    def _last_number(self) -> int:
        return int(self._state.get(LAST_NUMBER_KEY, 0))

    @property
    def _last_numbers(self) -> dict[str, int]:
        """The last number of each id."""
        return {**dict(self._state.get(_EARLIER_KEY, ())), self.id: self._last_number}
