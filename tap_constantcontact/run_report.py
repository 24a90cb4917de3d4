"""Reports what a run has done with its streams: the summary and the progress."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from tap_constantcontact.api.rate_limit import next_reset
from tap_constantcontact.output.progress import Snapshot
from tap_constantcontact.output.results import Outcome, Results, Row
from tap_constantcontact.output.summary import summary
from tap_constantcontact.output.terminal_log import terminal_of_log
from tap_constantcontact.output.terminal_report import TerminalReport
from tap_constantcontact.redaction import in_one_line

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
        self._begun: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def begin(self, stream: str) -> bool:
        """Note that a stream and its children are being read; return whether it is the first."""
        self._begun.setdefault(stream, time.monotonic())
        return len(self._begun) == 1

    def end(self, name: str) -> None:
        """Note that a stream has been read, and print what became of it and its children."""
        self._ended[name] = time.monotonic()
        family = _family(self._tap.streams[name])
        if self._terminal and not self._tap.is_test:
            for each in self._tap.streams.values():
                if each in family and each.selected:
                    self._terminal.print_row(self._row(each))

    def snapshot(self) -> Snapshot:
        """Return the progress of the run. Called from another thread."""
        name = next(reversed(self._begun), "")
        stream = self._tap.streams.get(name)
        limits = [api.limits for api in self._apis]
        selected = [each for each in self._tap.streams.values() if each.selected]
        return Snapshot(
            stream=name,
            records=self._tap.message_writer.records.get(name, 0),
            responses=sum(api.responses.get(name, 0) for api in self._apis),
            pages=_announced_pages(stream) if stream else 0,
            requests=sum(each.requests for each in limits),
            requests_today=max((each.requests_today for each in limits), default=0),
            daily_quota=self._tap.config["daily_quota"],
            retries=sum(api.retries for api in self._apis),
            streams=len(selected),
            streams_read=sum(_root_of(each, self._tap).name in self._ended for each in selected),
            seconds=time.monotonic() - self._began_at,
        )

    def write(self) -> None:
        """Print the results of the run to a terminal, or log them."""
        results = self.results()
        if self._terminal:
            self._terminal.print_results(results)
        else:
            self._tap.logger.info(summary(results))

    def results(self) -> Results:
        """Return what the run has done."""
        limits = [api.limits for api in self._apis]
        return Results(
            rows=[*self._rows()] if self._begun else [],
            not_reached=[*self._not_reached()] if self._begun else [],
            seconds=time.monotonic() - self._began_at,
            requests=sum(each.requests for each in limits),
            retries=sum(api.retries for api in self._apis),
            left_today=min((each.left_today for each in limits), default=0),
            daily_quota=self._tap.config["daily_quota"],
            resets_at=next_reset(datetime.now(timezone.utc)),
        )

    def unknown_properties(self) -> Iterator[tuple[str, str]]:
        """Yield streams with their properties that no schema declares."""
        for name, stream in self._tap.streams.items():
            if names := stream.records.unknown_properties:
                yield name, in_one_line(", ".join(sorted(names)))

    def write_test(self) -> None:
        """Print or log of each stream whether a test found that this account can read it."""
        requested = set().union(*(api.responses for api in self._apis))
        for name, stream in self._tap.streams.items():
            found = "readable" if name in requested else "not tested (nothing to request)"
            if not self._terminal:
                found = "not readable" if stream.why_unreadable() else found
                self._tap.logger.info("%s: %s", name, found)
            elif not stream.ABORT_AT_RECORD_COUNT:
                continue  # not one of those that --select names
            elif stream.why_unreadable():
                self._terminal.print_row(self._row(stream))
            else:
                self._terminal.print_found(name, found, is_tested=name in requested)

    def _rows(self) -> Iterator[Row]:
        """Yield the table's rows: each stream that was selected and reached, or read."""
        records, responses = self._tap.message_writer.records, self._responses
        not_reached = set(self._not_reached())
        for name, stream in self._tap.streams.items():
            if name not in not_reached and (stream.selected or records[name] or responses[name]):
                yield self._row(stream)

    def _row(self, stream: ConstantContactStream) -> Row:
        """Return what the run did with a stream."""
        name, root = stream.name, _root_of(stream, self._tap).name
        began_at, now = self._begun.get(root), time.monotonic()
        seconds = self._ended.get(root, now) - began_at if began_at is not None else 0.0
        outcome = Outcome.COMPLETE
        if reason := stream.why_unreadable():
            outcome = Outcome.UNREADABLE
        elif self._is_unfinished(stream):
            outcome = Outcome.UNFINISHED
        records = self._tap.message_writer.records[name]
        note = self._not_read(stream)
        return Row(name, records, self._responses[name], note, seconds, outcome, reason)

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
        if self._is_unfinished(stream):
            return "the rest"
        reasons = {
            "gone or forbidden": sum(stream.details.skipped.values()),
            "without a key": stream.records.keyless,
        }
        return ", ".join(f"{number:,} {reason}" for reason, number in reasons.items() if number)

    def _is_unfinished(self, stream: ConstantContactStream) -> bool:
        """Return whether the run ended before a stream did."""
        root = _root_of(stream, self._tap)
        is_wanted = any(each.selected for each in _family(root))  # not only by other streams
        return is_wanted and not self._tap.is_test and root.name not in self._ended

    @cached_property
    def _terminal(self) -> TerminalReport | None:
        """Prints to the terminal, if the log is written for people; None if it is not."""
        terminal = terminal_of_log()
        if not terminal or not self._tap.logger.isEnabledFor(logging.INFO):
            return None
        names = (name for name, stream in self._tap.streams.items() if stream.selected)
        return TerminalReport(terminal, names)

    @property
    def _responses(self) -> Counter[str]:
        return sum((api.responses for api in self._apis), Counter[str]())

    @property
    def _apis(self) -> list[RunContext]:
        return self._tap.connections


def _announced_pages(stream: ConstantContactStream) -> int:
    """Return the total number of pages if the API reports it, else 0."""
    return -(-stream.announced_records // int(stream.params.get("limit", 1)))


def _root_of(stream: ConstantContactStream, tap: TapConstantContact) -> ConstantContactStream:
    return next(each for each in tap.streams.values() if stream in _family(each))


def _family(root: ConstantContactStream) -> tuple[Stream, ...]:
    """Return a stream with its descendants, or nothing for a child stream."""
    return () if root.parent_stream_type else (root, *root.descendent_streams)
