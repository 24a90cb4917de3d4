"""A command on a real terminal, and its screen as an SVG."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_RED, _GREEN, _YELLOW, _BLUE = (207, 34, 46), (26, 127, 55), (154, 103, 0), (9, 105, 218)
_MAGENTA, _CYAN, _GRAY = (130, 80, 223), (27, 124, 131), (110, 119, 129)
_COLORS = [(36, 41, 47), _RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN, _GRAY]
THEMES = {
    "light": TerminalTheme((246, 248, 250), (36, 41, 47), _COLORS),
    "dark": TerminalTheme(
        (22, 27, 34),
        (201, 209, 217),
        [
            *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
            *((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)),
        ],
    ),
}

# Rich's own has fonts of another host, and cuts off the last line where an underscore is.
_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def screens(
    command: str, columns: int, lines: int, folder: Path, environment: Mapping[str, str]
) -> Iterator[pyte.Screen]:
    """Run a command of a shell on a terminal, and yield the screen after each output.

    Args:
        command: The command; the screen shows it as typed at a prompt.
        columns: The width of the terminal.
        lines: Its height.
        folder: The working folder.
        environment: The environment.

    Raises:
        subprocess.CalledProcessError: If the command fails.
    """
    screen = pyte.Screen(columns, lines)
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ {command}\r\n".encode())
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**environment, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        with suppress(OSError):  # on Linux, the end of a terminal is an error
            while output := os.read(ours, 65536):
                stream.feed(output)
                yield screen
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, command)
    finally:
        os.close(ours)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def svg(lines: list[Text], columns: int, theme: str) -> str:
    """Return lines of a terminal as an SVG.

    Args:
        lines: The lines, as `lines_of` returns them.
        columns: The width of the terminal.
        theme: The name of one of the `THEMES`.
    """
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=columns, file=nowhere, force_terminal=True)
        for line in lines:
            console.print(line, overflow="crop", no_wrap=True)
        drawn = console.export_svg(
            title="", theme=THEMES[theme], code_format=_SVG, unique_id="terminal"
        )
    return "\n".join(filter(None, map(str.rstrip, drawn.splitlines()))) + "\n"


def lines_of(screen: pyte.Screen) -> list[Text]:
    """Return the lines of a screen with their colors, without empty ones at the end."""
    lines = [_line(screen, number) for number in range(screen.lines)]
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def _line(screen: pyte.Screen, number: int) -> Text:
    cells = [screen.buffer[number][column] for column in range(screen.columns)]
    parts = [(_style(cell), cell.data) for cell in cells]
    runs = groupby(parts, key=itemgetter(0))
    line = Text.assemble(*(("".join(data for _, data in run), style) for style, run in runs))
    line.rstrip()
    return line


def _style(cell: Any) -> Style:
    return Style(
        color=_color(cell.fg),
        bgcolor=_color(cell.bg),
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
        reverse=cell.reverse,
    )


def _color(name: str) -> str | None:
    """Return rich's name of a color of the terminal."""
    if name == "default":
        return None
    if len(name) == len("rrggbb") and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    name = name.replace("brown", "yellow")
    return name.replace("bright", "bright_") if name.startswith("bright") else name
