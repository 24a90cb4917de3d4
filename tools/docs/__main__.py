"""Write the reference: `python -m tools.docs`, or `make docs`."""

from __future__ import annotations

from pathlib import Path

from tools.docs import assumptions, badges, changelog, diagrams, page, settings

DOCS = Path(__file__).parents[2] / "docs"


def files() -> dict[Path, str]:
    """Return the files of the reference: their paths and contents."""
    reference = DOCS / "reference"
    return {
        DOCS / "concepts" / "assumptions.md": assumptions.markdown(),
        **badges.files(DOCS / "images"),
        **diagrams.files(DOCS),
        reference / "changelog.md": changelog.markdown(),
        reference / "settings.md": settings.markdown(),
        **{reference / "streams" / name: text for name, text in page.pages().items()},
    }


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
