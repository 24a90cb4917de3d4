"""Write the reference: `python -m tools.docs`, or `make docs`."""

from __future__ import annotations

from pathlib import Path

from tools.docs.drawing import svg
from tools.docs.page import markdown

DOCS = Path(__file__).parents[2] / "docs"


def files() -> dict[Path, str]:
    """Return the files of the reference: their paths and contents."""
    return {DOCS / "streams.md": markdown(), DOCS / "streams.svg": svg()}


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
