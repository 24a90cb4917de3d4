"""Build the documentation site: `python -m tools.site VERSION`, or `make site`.

Each version has a folder of its own in build/site, and stays there when another one is built. The
list of versions beside them fills the selector at the top of each page.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "site"
SOURCE = ROOT / "build" / "site-source"

_START = """\
<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={version}/">
<title>tap-constantcontact</title>
<a href="{version}/">tap-constantcontact {version}</a>
"""


def main() -> int:
    """Build the version that the command line names, and return an exit status."""
    version = sys.argv[1]
    if not re.fullmatch(r"\w[\w.-]*", version):
        print(f"Invalid VERSION: {version} (must be the name of a folder, such as 0.1.0)")
        return 2
    # Zensical reads and writes only what is in the folder of its configuration.
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE / "docs")
    shutil.copy(ROOT / "tools" / "docs" / "mkdocs.yml", SOURCE)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=SOURCE, check=False
    )
    if built.returncode == 0:
        shutil.rmtree(SITE / version, ignore_errors=True)
        shutil.move(SOURCE / "site", SITE / version)
        list_versions(SITE)
        print(f"Built {(SITE / version).relative_to(ROOT)}")
    return built.returncode


def list_versions(site: Path) -> None:
    """Write the list of the versions in a folder, and a start page that leads to the newest."""
    folders = [page.parent for page in site.glob("*/index.html")]
    versions = [folder.name for folder in sorted(folders, key=_age, reverse=True)]
    listed = [{"version": name, "title": name, "aliases": []} for name in versions]
    (site / "versions.json").write_text(json.dumps(listed), encoding="utf-8")
    (site / "index.html").write_text(_START.format(version=versions[0]), encoding="utf-8")


def _age(folder: Path) -> tuple[list[int], str]:
    """Return a key that sorts releases by their numbers, and other names before them."""
    is_release = re.fullmatch(r"\d+(\.\d+)*", folder.name)
    return [*map(int, folder.name.split("."))] if is_release else [], folder.name


if __name__ == "__main__":
    sys.exit(main())
