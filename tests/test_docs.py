"""The documents say something of every stream, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import STREAMS

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def streams_in_tables(document: Path) -> list[str]:
    """Return the streams that first columns of tables name, in their order."""
    rows = [row for row in document.read_text("utf-8").splitlines() if row.startswith("|")]
    names = [name for row in rows for name in re.findall("`([a-z0-9_]+)`", row.split("|")[1])]
    return [name for name in names if name in STREAMS]


def anchors_of(document: Path) -> set[str]:
    headings = re.findall("^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_table_on_behaviour_has_every_stream_once() -> None:
    table = streams_in_tables(ROOT / "docs" / "behaviour.md")[: len(STREAMS)]
    assert sorted(table) == sorted(STREAMS)


def test_the_readme_has_every_stream() -> None:
    assert set(streams_in_tables(ROOT / "README.md")) == STREAMS.keys()


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall("^## (.+)$", changelog, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    released = r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d"
    assert [heading for heading in versions[1:] if not re.fullmatch(released, heading)] == []
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {*re.findall("^### (.+)$", changelog, re.MULTILINE)} <= kinds


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_and_headings_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text("utf-8")):
        if not link.startswith("http"):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            assert target.exists(), link
            assert not anchor or anchor in anchors_of(target), link
