"""Tables in the reports of checks and benchmarks."""

from __future__ import annotations

import io
import sys
from typing import Any


def print_lines_at_once() -> None:
    """Print each line when it is complete, also into a pipe or a file."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def print_table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Print rows under their columns: the first column to the left, the others to the right."""
    lines = [columns, *([str(value) for value in row] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        first = line[0].ljust(widths[0])
        others = [text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join([first, *others]).rstrip())
