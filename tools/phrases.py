"""Find phrases that have a plainer word: `make lint` runs it. codespell finds single words."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PHRASES = {
    "as far as": "if, as much as",
    "(asks|is asked|are asked|was asked|were asked) for": "request",
    "at the most": "at most",
    "but for": "except",
    "(goes|go|gone|going) on (with|from)": "continue, resume",
    "is to be had": "can be obtained",
    "left out": "skipped, missing",
    "of before": "earlier, previous",
    "read to (its|their) ends?": "in full",
    "used up": "exhausted",
}
_SPACE = r"\s+(?:(?:#:?|--)\s+)?"  # a phrase can wrap, in comments too


def main(names: list[str]) -> int:
    """Print where the phrases are in some files, and return an exit status."""
    found = 0
    for path in map(Path, names):
        if not path.is_file() or path.samefile(__file__):
            continue
        text = path.read_text("utf-8")
        for phrase, better in PHRASES.items():
            words = re.compile(rf"\b({phrase})\b".replace(" ", _SPACE), re.IGNORECASE)
            for match in words.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                print(f"{path}:{line}: {' '.join(match[0].split())} (better: {better})")
                found += 1
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
