"""docs/reference/changelog.md: CHANGELOG.md, with links that lead on from where the page is."""

from __future__ import annotations

import re
from pathlib import Path

_FILE = Path(__file__).parents[2] / "CHANGELOG.md"


def markdown() -> str:
    """Return the content of docs/reference/changelog.md."""
    return re.sub(r"\]\(docs/(?:reference/)?", _link, _FILE.read_text(encoding="utf-8"))


def _link(found: re.Match[str]) -> str:
    return "](" if found[0].endswith("reference/") else "](../"
