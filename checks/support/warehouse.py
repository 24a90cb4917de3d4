"""What a target would hold after some runs, compared with the account."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from checks.support.comparison import column_of, normalize, volatile_properties
from sandbox import Sandbox
from sandbox.server.expected import OCCURRENCE


@dataclass
class Warehouse:
    """The rows that a target would hold after some runs.

    Attributes:
        keys: The primary keys of the expected streams.
        lines: The lines of RECORD messages, by stream and key.
    """

    keys: dict[str, list[str]]
    lines: dict[str, dict[tuple[str, ...], str]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, message: dict[str, Any], line: str) -> None:
        """Add a RECORD message."""
        stream = message["stream"]
        key = tuple(str(message["record"][name]) for name in self.keys[stream])
        self.lines[stream][key] = line

    def lost(self, sandbox: Sandbox) -> Counter[str]:
        """Count the rows of the account that are missing or outdated here, by stream."""
        lost = Counter[str]()
        for stream, names in self.keys.items():
            # One stream at a time: all at once would take much memory.
            expected = sandbox.expected({stream})[stream].values()
            # The order of rows within a minute does not matter.
            kept = [name for name in names if name != OCCURRENCE]
            held = defaultdict(list)
            for line in self.lines[stream].values():
                # In the form of contacts, so that most values are equal right away.
                row = json.loads(line.replace(".000Z", "Z"))["record"]
                held[_key(row, kept)].append(row)
            ignored = volatile_properties(names) | {OCCURRENCE}
            for wanted in expected:
                rows = held[_key(wanted, kept)]
                found = next((row for row in rows if _agrees(row, wanted, ignored)), None)
                if found is None:
                    lost[stream] += 1
                else:
                    rows.remove(found)
        return lost


def _key(row: dict[str, Any], names: list[str]) -> tuple[Any, ...]:
    return tuple(normalize(row[name]) for name in names)


def _agrees(row: dict[str, Any], wanted: dict[str, Any], ignored: Collection[str]) -> bool:
    """Return whether a row has all wanted values, except ignored ones."""
    return all(
        value == row.get(name) or normalize(value) == normalize(row.get(column_of(name)))
        for name, value in wanted.items()
        if name not in ignored
    )
