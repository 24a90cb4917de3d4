"""The summary of a run in a log: a table of its streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tap_constantcontact.output.results import Results, Row

_HEADER = ("stream", "records", "requests", "not read")


def summary(results: Results) -> str:
    """Return the summary of a run: a table of the streams, and what was not reached.

    A check of the account, which reads no stream, has neither.
    """
    counts = [
        counted(results.requests, "request", "requests"),
        counted(results.retries, "retry", "retries"),
    ]
    lines = [f"Run ended after {results.seconds:.1f} s: {', '.join(counts)}"]
    if results.rows:
        lines.append(table(results.rows))
    if names := results.not_reached:
        streams = names[0] if len(names) == 1 else f"{len(names)} more streams"
        lines.append(f"The run ended before it reached {streams}.")
    return "\n".join(lines)


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def table(rows: Iterable[Row]) -> str:
    """Return a table; the last column is omitted if no row has a note."""
    cells = [(row.stream, f"{row.records:,}", f"{row.requests:,}", row.note) for row in rows]
    header = _HEADER if any(note for *_, note in cells) else (*_HEADER[:3], "")
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    return "\n".join(_line(line, widths) for line in (header, *cells))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, records, requests, note = cells
    numbers = f"{records:>{widths[1]}}  {requests:>{widths[2]}}"
    return f"{name:{widths[0]}}  {numbers}  {note}".rstrip()
