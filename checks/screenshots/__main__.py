"""The second half of `make screenshots`: run the tap on a terminal, and take all pictures.

The program of the target is the argument.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.text import Text

from checks.screenshots.pages import browser, png
from checks.screenshots.terminal import THEMES, lines_of, screens, svg
from sandbox import Sandbox

PROJECT = Path(__file__).parents[2]
IMAGES = PROJECT / "docs" / "images"
REPORT = PROJECT / "build" / "screenshots" / "report.html"

RUN = "tap-constantcontact --config config.json | target-jsonl > state.jsonl"
#: The status line in the middle of the contacts, and the totals at the end.
_MIDDLE = re.compile(r"page 3\d of \d+ .* left", re.MULTILINE)
_COLUMNS, _LINES, _LINES_OF_A_RUN = 100, 8, 40
_REPORT_HEIGHT = 1216


def main() -> int:
    """Write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    programs = [str(Path(each).absolute().parent) for each in (sys.executable, sys.argv[1])]
    path = os.pathsep.join([*programs, "/usr/bin", "/bin"])
    draw("sync", during_a_sync(path), _COLUMNS)
    draw("summary", after_a_sync(path), _COLUMNS)
    with browser() as chrome:
        for scheme in THEMES:
            picture = png(chrome, REPORT, _REPORT_HEIGHT, scheme)
            (IMAGES / f"report-{scheme}.png").write_bytes(picture)
    return 0


def during_a_sync(path: str) -> list[Text]:
    """Return the screen in the middle of a sync."""
    with Sandbox(contacts=30000, campaigns=4, seed=2) as sandbox, TemporaryDirectory() as folder:
        environment = prepare(Path(folder), sandbox, path)
        for screen in screens(RUN, _COLUMNS, _LINES, Path(folder), environment):
            if _MIDDLE.search("\n".join(screen.display)):
                return lines_of(screen)
    raise AssertionError("the run never was in the middle")


def after_a_sync(path: str) -> list[Text]:
    """Return the screen at the end of a sync."""
    with Sandbox(contacts=2000, campaigns=24, seed=3) as sandbox, TemporaryDirectory() as folder:
        environment = prepare(Path(folder), sandbox, path)
        *_, screen = screens(RUN, _COLUMNS, _LINES_OF_A_RUN, Path(folder), environment)
        return lines_of(screen)


def prepare(folder: Path, sandbox: Sandbox, path: str) -> dict[str, str]:
    """Write the settings of a tap, and return the environment of a run."""
    settings = {**sandbox.settings, "token_store": str(folder / "tokens.json")}
    (folder / "config.json").write_text(json.dumps(settings), "utf-8")
    host = sandbox.options.host
    return {"PATH": path, "HOME": str(folder), "NO_PROXY": host, "LANG": "C.UTF-8"}


def draw(name: str, lines: list[Text], columns: int) -> None:
    """Write a picture of a terminal in all themes."""
    for theme in THEMES:
        (IMAGES / f"{name}-{theme}.svg").write_text(svg(lines, columns, theme), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
