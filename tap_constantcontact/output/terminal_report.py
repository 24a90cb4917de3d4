"""What a terminal shows of a run besides its log: a line for each stream, totals, next steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from tap_constantcontact.output.results import Outcome, Results, Row
from tap_constantcontact.output.status_line import shortened
from tap_constantcontact.output.summary import counted
from tap_constantcontact.output.terminal import Color, Terminal
from tap_constantcontact.output.terminal_log import INDENT, marked, wrapped

# Columns with two spaces before them, as in "  1,234,567 records".
_RECORDS, _REQUESTS, _SECONDS = 9, 6, 9
_MIN_NAME, _MIN_NOTE = 12, 30
_NAMES_IN_ADVICE = 5
# The name of the line of totals, at its widest.
_TOTALS = "55 of 55 streams"


class _Layout(NamedTuple):
    """The columns that fit into the terminal.

    Attributes:
        name: Width of the name of a stream.
        words: Whether numbers have their nouns.
        requests: Whether there is a column of requests.
        seconds: Whether there is a column of seconds.
    """

    name: int
    words: bool = True
    requests: bool = True
    seconds: bool = True

    @property
    def width(self) -> int:
        """The width of a line."""
        records = 2 + _RECORDS + self.words * len(" records")
        requests = self.requests * (2 + _REQUESTS + self.words * len(" requests"))
        return INDENT + self.name + records + requests + self.seconds * (2 + _SECONDS)


class TerminalReport:
    """Prints what became of the streams of a run."""

    def __init__(self, terminal: Terminal, streams: Iterable[str]) -> None:
        """Prepare the columns.

        Args:
            terminal: The terminal.
            streams: The names of the selected streams.
        """
        self._terminal = terminal
        self._names = max(map(len, [*streams, _TOTALS]))
        self._printed: set[str] = set()
        self._first_skipped: dict[str, str] = {}

    def print_row(self, row: Row) -> None:
        """Print what became of a stream, once."""
        if row.stream not in self._printed:
            self._printed.add(row.stream)
            self._terminal.print(self.line(row))

    def print_found(self, stream: str, found: str, *, is_tested: bool) -> None:
        """Print what a test found about a stream that is not skipped."""
        sign = self._terminal.signs.done if is_tested else self._terminal.signs.rule
        color = Color.GREEN if is_tested else Color.DIM
        self._terminal.print(f"{self._terminal.paint(sign, color)} {self._name(stream)}  {found}")

    def print_results(self, results: Results) -> None:
        """Print the totals of a run and what to do next, after the streams that did not end."""
        for row in results.rows:
            if row.outcome is not Outcome.COMPLETE or row.note:
                self.print_row(row)
        for line in self.totals(results):
            self._terminal.print(line)

    def line(self, row: Row) -> str:
        """Return the line of a stream; what was not read follows it."""
        signs, paint = self._terminal.signs, self._terminal.paint
        if row.outcome is Outcome.UNREADABLE:
            return self._with_note(signs.warning, row.stream, self._why_skipped(row))
        sign, color, note = signs.done, Color.GREEN, ""
        if row.outcome is Outcome.UNFINISHED:
            sign, color, note = signs.failed, Color.RED, "not finished; the next run resumes here"
        elif row.note:
            sign, color, note = signs.warning, Color.YELLOW, f"not read: {row.note}"
        numbers = self._numbers(row.records, row.requests, row.seconds)
        line = f"{paint(sign, color, Color.BOLD)} {self._name(row.stream)}{numbers}"
        if not note:
            return line
        return f"{line}\n{marked(note, '', color, self._terminal)}"

    def totals(self, results: Results) -> Iterator[str]:
        """Yield the lines of the totals, and what to do next."""
        layout, paint = self._layout, self._terminal.paint
        if results.rows:
            complete = sum(row.outcome is Outcome.COMPLETE for row in results.rows)
            streams = counted(len(results.rows) + len(results.not_reached), "stream", "streams")
            name = f"{complete} of {streams}".ljust(layout.name)
            records = sum(row.records for row in results.rows)
            numbers = self._numbers(records, results.requests, results.seconds)
            yield paint(self._terminal.signs.rule * layout.width, Color.DIM)
            yield paint(f"{' ' * INDENT}{name}{numbers}", Color.BOLD)
        else:
            requests = counted(results.requests, "request", "requests")
            yield paint(f"{' ' * INDENT}{requests} in {_duration(results.seconds)}", Color.BOLD)
        if results.requests:
            yield self._note(
                f"{results.left_today:,} of today's {results.daily_quota:,} requests are left for "
                f"this API key{_retried(results.retries)}."
            )
        for advice in next_steps(results):
            yield marked(advice, self._terminal.signs.next_step, Color.CYAN, self._terminal)

    def _note(self, text: str) -> str:
        return marked(text, "", Color.DIM, self._terminal)

    @property
    def _layout(self) -> _Layout:
        """The columns that fit; the least important ones go first."""
        columns = self._terminal.columns
        layouts = (
            _Layout(self._names),
            _Layout(self._names, requests=False),
            _Layout(self._names, requests=False, seconds=False),
            _Layout(self._names, words=False, requests=False, seconds=False),
        )
        fitting = (layout for layout in layouts if layout.width <= columns)
        narrowest = layouts[-1]
        name = max(_MIN_NAME, self._names - (narrowest.width - columns))
        return next(fitting, narrowest._replace(name=name))

    def _name(self, stream: str) -> str:
        width = self._layout.name
        return shortened(stream, self._terminal, width).ljust(width)

    def _numbers(self, records: int, requests: int, seconds: float) -> str:
        layout = self._layout
        parts = [f"  {records:>{_RECORDS},}{_noun(' record', records) * layout.words}"]
        if layout.requests:
            parts.append(f"  {requests:>{_REQUESTS},}{_noun(' request', requests)}")
        if layout.seconds:
            parts.append(f"  {_duration(seconds):>{_SECONDS}}")
        return "".join(parts)

    def _why_skipped(self, row: Row) -> str:
        """Return why a stream is skipped; many can have the same reason, which is long."""
        first = self._first_skipped.setdefault(row.reason, row.stream)
        if first != row.stream:
            return f"skipped for the same reason as {first}"
        return f"skipped: {row.reason}"

    def _with_note(self, sign: str, stream: str, note: str) -> str:
        """Return a line without numbers; the note is wrapped beside the name, or below it."""
        paint = self._terminal.paint
        start = f"{paint(sign, Color.YELLOW, Color.BOLD)} {self._name(stream)}"
        margin = INDENT + self._layout.name + 2
        if self._terminal.columns - margin < _MIN_NOTE:
            return f"{start.rstrip()}\n{marked(note, '', Color.YELLOW, self._terminal)}"
        lines = wrapped(note, self._terminal.columns - margin)
        return f"{start}  " + f"\n{' ' * margin}".join(paint(line, Color.YELLOW) for line in lines)


def next_steps(results: Results) -> Iterator[str]:
    """Yield what to do after a run, in words for people."""
    reasons = {row.reason: None for row in results.rows if row.outcome is Outcome.UNREADABLE}
    for reason in reasons:
        names = [row.stream for row in results.rows if row.reason == reason]
        were = "1 stream was" if len(names) == 1 else f"{len(names)} streams were"
        it = "it" if len(names) == 1 else "they"
        cause = reason if len(names) == 1 else reason.replace("requires", "require", 1)
        remedy = "Deselect" if "require" not in reason else "Sign in again with that, or deselect"
        yield (
            f"{were} skipped ({_listed(names)}): {it} {cause}. {remedy} "
            f"{'it' if len(names) == 1 else 'them'}."
        )
    unfinished = [row.stream for row in results.rows if row.outcome is Outcome.UNFINISHED]
    left = [*unfinished, *results.not_reached]
    if not left:
        return
    when = ""
    if results.left_today <= 0:
        when = f" after {results.resets_at:%Y-%m-%d %H:%M} UTC, when the quota resets"
    yield (
        f"{counted(len(left), 'stream is', 'streams are')} not finished ({_listed(left)}). Run the "
        f"tap again{when}: with the state of this run, it resumes where it stopped."
    )


def _listed(names: list[str]) -> str:
    shown = list(islice(names, _NAMES_IN_ADVICE))
    more = [f"{len(names) - len(shown)} more"] if len(names) > len(shown) else []
    return ", ".join(chain(shown, more))


def _retried(retries: int) -> str:
    if not retries:
        return ""
    return f"; {counted(retries, 'request was a retry', 'requests were retries')}"


def _noun(noun: str, number: int) -> str:
    """Return the noun of a number, as wide as its plural."""
    return f"{noun}{' ' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02} min"
