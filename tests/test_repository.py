"""The repository: few entries at its root, one version, one page of what waits for its address."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tools.release import version

PROJECT = Path(__file__).parent.parent
MAX_ENTRIES = 23

# What is written where something is missing.
WAITING = re.compile(
    r"\b(TODO|FIXME|XXX)\b|\b[Tt]o publish (it|this)\b|\b[Yy]our[-_](org|organization|repo)\b"
    r"|<(owner|org|url|repo|repository)>|github\.com/(owner|org|user|you|OWNER|ORG)\b"
)
#: The page that says what has to be filled in, and this pattern.
PAGES = ("publish/README.md", "tests/test_repository.py")

FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=PROJECT,
    check=True,
    capture_output=True,
    text=True,
).stdout.splitlines()


def texts() -> dict[str, str]:
    """Return the files and their texts."""
    paths = {name: PROJECT / name for name in FILES if not name.endswith(".png")}
    return {name: path.read_text("utf-8") for name, path in paths.items() if path.is_file()}


def test_root_has_few_entries() -> None:
    entries = {name.split("/")[0] for name in FILES if (PROJECT / name).exists()}
    assert len(entries) <= MAX_ENTRIES, sorted(entries)


@pytest.mark.parametrize(
    "text", ["# TODO", "To publish it, add the URL", "see your-org/tap", "<url>"]
)
def test_pattern_of_what_waits_finds_it(text: str) -> None:
    assert WAITING.search(text)


def test_only_one_page_waits_for_the_address_of_the_repository() -> None:
    waiting = [
        f"{name}: {found[0]}"
        for name, text in texts().items()
        if name not in PAGES and (found := WAITING.search(text))
    ]
    assert waiting == []
    assert "URL" in texts()[PAGES[0]]


def test_version_is_in_pyproject_and_in_what_make_plugin_writes_alone() -> None:
    ours = re.compile(
        rf"constantcontact[^\n]*\b{re.escape(version())}\b|^__version__ =", re.MULTILINE
    )
    named = [name for name, text in texts().items() if ours.search(text)]
    assert named == []
