"""The docs mention every stream, and their links have targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.tap import STREAMS

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors_of(document: Path) -> set[str]:
    headings = re.findall("^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_names_every_stream_and_the_default_ones_in_bold() -> None:
    section = (ROOT / "README.md").read_text("utf-8").split("## Streams")[1].split("[Streams]")[0]
    named = re.findall(r"(\*\*)?`(\w+)`", section)
    by_default = {name: bool(bold) for bold, name in named}
    assert len(named) == len(STREAMS)
    assert by_default == {name: each.selected_by_default for name, each in STREAMS.items()}


def test_changelog_has_the_form_of_keep_a_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall("^## (.+)$", changelog, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    released = r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d"
    assert [heading for heading in versions[1:] if not re.fullmatch(released, heading)] == []
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {*re.findall("^### (.+)$", changelog, re.MULTILINE)} <= kinds


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_docs_links_have_targets(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text("utf-8")):
        if not link.startswith("http"):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            assert target.exists(), link
            assert not anchor or anchor in anchors_of(target), link
