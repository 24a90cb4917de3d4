"""What a target holds after some runs of the tap, compared with the account."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from checks.support.comparison import Key, Row, compare
from sandbox import Sandbox
from sandbox.server.served_account import ServedAccount
from support.tap import STREAMS

Message = dict[str, Any]


class Target:
    """Takes what runs write, as a target does: by primary key, the latest row wins.

    Attributes:
        rows: the rows it holds, by stream and key.
        state: the last state that it has read, which the next run begins with.
    """

    def __init__(self) -> None:
        self.rows: dict[str, dict[Key, Row]] = {}
        self.state: dict[str, Any] | None = None

    def load(self, messages: Iterable[Message]) -> int:
        """Take messages; return how many of their rows it did not hold."""
        before = self.size
        for message in messages:
            if message["type"] == "STATE":
                self.state = message["value"]
            if message["type"] == "RECORD":
                stream, row = message["stream"], message["record"]
                self.rows.setdefault(stream, {})[key_of(stream, row)] = row
        return self.size - before

    @property
    def size(self) -> int:
        return sum(map(len, self.rows.values()))

    def lacks(
        self,
        sandbox: Sandbox | ServedAccount,
        streams: Collection[str],
        hidden: Collection[str] = (),
    ) -> dict[str, str]:
        """Return, by stream, which rows are missing or older than those of the account.

        Args:
            sandbox: what serves the account.
            streams: the streams that have been read.
            hidden: ids of rows whose last change no filter of the API shows.
        """
        found = {}
        for stream, expected in sandbox.expected(set(streams)).items():
            keys = STREAMS[stream].primary_keys
            missing, old = compare(self.rows.get(stream, {}).values(), expected, keys, hidden)
            for what, rows in (("missing", missing), ("old", old)):
                if rows:
                    found[stream] = f"{len(rows)} of {len(expected)} are {what}: {rows[:9]}"
        return found


def messages_of(output: bytes) -> list[Message]:
    """Return the messages of all whole lines; a kill can tear the last one."""
    return [json.loads(line) for line in output.split(b"\n")[:-1]]


def key_of(stream: str, row: Row) -> Key:
    return tuple(row[name] for name in STREAMS[stream].primary_keys)


def hidden_by(changed: dict[str, list[Any]]) -> set[str]:
    """Return the ids of rows whose changes the API does not show: a sweep would bring them."""
    kinds = ("contacts_resubscribed", "contacts_off_lists", "registrations_changed")
    return {id_ for kind in kinds for id_ in changed[kind]}
