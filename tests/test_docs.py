"""The README is short and true, and the links of the docs have targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.tap import STREAMS

from tap_constantcontact.settings.schema import SETTINGS

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


README = (ROOT / "README.md").read_text("utf-8")


def links_of(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)


def anchors_of(document: Path) -> set[str]:
    headings = re.findall("^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_begins_with_the_commands_of_a_first_sync() -> None:
    assert len(README.splitlines()) <= 130
    first = [line for line in README.splitlines()[:25] if line.startswith("$ ")]
    needed = ["pip install", "-login", "meltano run", "| target-jsonl", "docker build"]
    assert [part for part in needed if not any(part in line for line in first)] == []


def test_readme_counts_the_streams() -> None:
    assert re.findall(r"(\d+) streams", README) == [str(len(STREAMS))]


def test_readme_has_six_settings_that_exist_with_their_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) *\|", README, re.MULTILINE)
    assert len(rows) == 6
    properties = SETTINGS.to_dict()["properties"]
    defaults = {name: properties[name].get("default") for name, _ in rows}
    literal = {name: text.strip("`") for name, text in rows if text.startswith("`")}
    assert literal == {name: default for name, default in defaults.items() if default}


def test_readme_pictures_are_small_and_request_nothing() -> None:
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    used = {Path(link).name for link in links_of(README) if link.startswith("docs/images/")}
    assert {path.name for path in pictures} == used
    for path in pictures:
        assert path.stat().st_size < 200_000, path
        if path.suffix == ".svg":
            addresses = re.findall(r"https?:[^\"]*", path.read_text("utf-8"))
            assert addresses == ["http://www.w3.org/2000/svg"], path


# With what each part of the changelog begins.
TABLE = "**What tables and states see:**"
NOTHING = "**What tables and states see:** nothing."


def test_changelog_has_the_form_of_keep_a_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall("^## (.+)$", changelog, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    released = r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d"
    assert [heading for heading in versions[1:] if not re.fullmatch(released, heading)] == []
    for section in re.split("^## ", changelog, flags=re.MULTILINE)[1:]:
        assert section.split("\n\n")[1] in (TABLE, NOTHING), section.splitlines()[0]
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {*re.findall("^### (.+)$", changelog, re.MULTILINE)} <= kinds


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docs_links_have_targets(document: Path) -> None:
    for link in links_of(document.read_text("utf-8")):
        if not link.startswith("http"):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            assert target.exists(), link
            assert not anchor or anchor in anchors_of(target), link
            # The site has what is in docs/, and lists no folders.
            assert document.parent == ROOT or (
                target.is_file() and (ROOT / "docs") in target.resolve().parents
            ), link
