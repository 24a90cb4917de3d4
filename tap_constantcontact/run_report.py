"""Reports what a run has done with its streams: the summary and the progress."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tap_constantcontact.output.progress import Snapshot
from tap_constantcontact.output.summary import Row, table

if TYPE_CHECKING:
    from singer_sdk import Stream

    from tap_constantcontact.api.run_context import RunContext
    from tap_constantcontact.client import ConstantContactStream
    from tap_constantcontact.tap import TapConstantContact


class RunReport:
    """Tracks which streams a run reads, and reports the results."""

    def __init__(self, tap: TapConstantContact) -> None:
        """Start a report with no stream read.

        Args:
            tap: The tap.
        """
        self._tap = tap
        self._began_at = time.monotonic()
        self._begun: list[str] = []
        self._ended: set[str] = set()

    def begin(self, stream: str) -> bool:
        """Note that a stream and its children are being read; return whether it is the first."""
        self._begun.append(stream)
        return len(self._begun) == 1

    def end(self, stream: str) -> None:
        """Note that a stream has been read."""
        self._ended.add(stream)

    def snapshot(self) -> Snapshot:
        """Return the progress of the run. Called from another thread."""
        name = self._begun[-1] if self._begun else ""
        stream = self._tap.streams.get(name)
        limits = [api.limits for api in self._apis]
        return Snapshot(
            stream=name,
            records=self._tap.message_writer.records.get(name, 0),
            responses=sum(api.responses.get(name, 0) for api in self._apis),
            pages=_announced_pages(stream) if stream else 0,
            requests=sum(each.requests for each in limits),
            requests_today=max((each.requests_today for each in limits), default=0),
            daily_quota=self._tap.config["daily_quota"],
        )

    def summary(self) -> str:
        """Return the summary of the run: a table of the streams, and what was not reached.

        A check of the account, which reads no stream, has neither.
        """
        seconds = time.monotonic() - self._began_at
        requests = sum(api.limits.requests for api in self._apis)
        retries = sum(api.retries for api in self._apis)
        counts = [_counted(requests, "request", "requests"), _counted(retries, "retry", "retries")]
        lines = [f"Run ended after {seconds:.1f} s: {', '.join(counts)}"]
        if self._begun:
            lines.append(table(self._rows()))
            if names := list(self._not_reached()):
                streams = names[0] if len(names) == 1 else f"{len(names)} more streams"
                lines.append(f"The run ended before it reached {streams}.")
        return "\n".join(lines)

    def unknown_properties(self) -> Iterator[tuple[str, str]]:
        """Yield streams with their properties that no schema declares."""
        for name, stream in self._tap.streams.items():
            if names := stream.records.unknown_properties:
                yield name, ", ".join(sorted(names))

    def readable_streams(self) -> Iterator[tuple[str, str]]:
        """Yield each stream with whether a test found that this account can read it."""
        requested = set().union(*(api.responses for api in self._apis))
        for name, stream in self._tap.streams.items():
            found = "readable" if name in requested else "not tested (nothing to request)"
            yield name, "not readable" if stream.why_unreadable() else found

    def _rows(self) -> Iterator[Row]:
        """Yield the table's rows: each stream that was selected and reached, or read."""
        records, responses = self._tap.message_writer.records, self._responses
        not_reached = set(self._not_reached())
        for name, stream in self._tap.streams.items():
            if name not in not_reached and (stream.selected or records[name] or responses[name]):
                yield Row(name, records[name], responses[name], self._not_read(stream))

    def _not_reached(self) -> Iterator[str]:
        """Yield the selected streams that an early end left unread, and without a request."""
        for name, stream in self._tap.streams.items():
            has_begun = self._tap.is_test or _root_of(stream, self._tap).name in self._begun
            if stream.selected and not (
                has_begun or self._responses[name] or stream.why_unreadable()
            ):
                yield name

    def _not_read(self, stream: ConstantContactStream) -> str:
        """Return which part of a stream was not read, and why. Empty if all was."""
        if reason := stream.why_unreadable():
            return f"all: {reason}"
        root = _root_of(stream, self._tap)
        is_wanted = any(each.selected for each in _family(root))  # not only by other streams
        if is_wanted and not self._tap.is_test and root.name not in self._ended:
            return "the rest"
        reasons = {
            "that are gone or forbidden": sum(stream.details.skipped.values()),
            "without a key": stream.records.keyless,
        }
        return ", ".join(f"{number:,} {reason}" for reason, number in reasons.items() if number)

    @property
    def _responses(self) -> Counter[str]:
        return sum((api.responses for api in self._apis), Counter[str]())

    @property
    def _apis(self) -> list[RunContext]:
        return self._tap.connections


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _announced_pages(stream: ConstantContactStream) -> int:
    """Return the total number of pages if the API reports it, else 0."""
    return -(-stream.announced_records // int(stream.params.get("limit", 1)))


def _root_of(stream: ConstantContactStream, tap: TapConstantContact) -> ConstantContactStream:
    return next(each for each in tap.streams.values() if stream in _family(each))


def _family(root: ConstantContactStream) -> tuple[Stream, ...]:
    """Return a stream with its descendants, or nothing for a child stream."""
    return () if root.parent_stream_type else (root, *root.descendent_streams)
