"""The site has every page in its navigation, and a list of the versions that were built."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tools.site import list_versions

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_navigation_has_every_page_once() -> None:
    config = (ROOT / "tools" / "docs" / "mkdocs.yml").read_text("utf-8")
    navigation = config.split("\nnav:\n")[1].split("\n\n")[0]
    listed = re.findall(r"[\w/-]+\.md$", navigation, re.MULTILINE)
    assert sorted(listed) == sorted(
        page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")
    )


def test_versions_are_listed_newest_first(tmp_path: Path) -> None:
    for name in ("0.9.0", "dev", "0.10.0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").touch()
    list_versions(tmp_path)
    listed = json.loads((tmp_path / "versions.json").read_text("utf-8"))
    assert [each["version"] for each in listed] == ["0.10.0", "0.9.0", "dev"]
    assert 'href="0.10.0/"' in (tmp_path / "index.html").read_text("utf-8")
