"""Build what a release publishes, and inspect it: `make release-check`.

RELEASE is the tag of the release; without one this is a rehearsal, with the notes of what is not
released yet. The packages and the notes are in dist/ afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
_DIST = ROOT / "dist"
_UNRELEASED = "Unreleased"


class NotReleasable(Exception):
    """Raised if the version, the tag and the changelog don't fit together."""


def version() -> str:
    """Return the version, which pyproject.toml alone names."""
    found = re.search(
        '^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )
    if not found:
        raise NotReleasable("pyproject.toml has no version")
    return found[1]


def notes(changelog: str, name: str) -> str:
    """Return what the changelog says of a release, or of what is not released yet.

    Links to files of the repository become plain text: where notes are read, they lead nowhere.

    Args:
        changelog: The text of CHANGELOG.md.
        name: A version, or Unreleased.

    Raises:
        NotReleasable: If the changelog says nothing.
    """
    heading = rf"^## \[{re.escape(name)}\](?: - [^\n]*)?$"
    section = re.search(rf"{heading}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if not section or not section[1].strip():
        raise NotReleasable(f"CHANGELOG.md says nothing of [{name}]")
    return re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", section[1]).strip() + "\n"


def release_of(tag: str | None) -> str:
    """Return the heading of the changelog that a tag stands for.

    Raises:
        NotReleasable: If the tag is not that of the version.
    """
    if tag and tag != f"v{version()}":
        raise NotReleasable(f"the tag is {tag}, but pyproject.toml has version {version()}")
    return version() if tag else _UNRELEASED


def contents(package: Path) -> list[str]:
    """Return a line for each file of a wheel or of an sdist: its size in bytes, and its name."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            return [f"{info.file_size:>9,}  {info.filename}" for info in wheel.infolist()]
    with tarfile.open(package) as sdist:
        return [f"{info.size:>9,}  {info.name}" for info in sdist.getmembers() if info.isfile()]


def main(arguments: list[str]) -> int:
    """Build and inspect the packages, and return the exit status.

    Args:
        arguments: The tag of a release, or nothing.
    """
    try:
        text = notes(
            (ROOT / "CHANGELOG.md").read_text("utf-8"),
            release_of(arguments[0] if arguments else None),
        )
    except NotReleasable as error:
        print(f"No release: {error}.")
        return 1
    shutil.rmtree(_DIST, ignore_errors=True)
    constraints = {"PIP_CONSTRAINT": str(ROOT / "constraints" / "build.txt")}
    if status := _python("build", "--outdir", str(_DIST), str(ROOT), env=constraints):
        return status
    packages = sorted(_DIST.iterdir())
    for package in packages:
        print(f"\n{package.name}")
        print("\n".join(contents(package)))
    print(flush=True)
    wheel = str(packages[0])
    if status := _python("twine", "check", "--strict", *map(str, packages)):
        return status
    if status := _python("check_wheel_contents", wheel):
        return status
    (_DIST / "notes.md").write_text(text, encoding="utf-8")
    print(f"\nNotes of {version()}{'' if arguments else ', as they are now'}:\n\n{text}")
    return 0


def _python(module: str, *arguments: str, env: dict[str, str] | None = None) -> int:
    """Run a module, and print what it says only if it fails or has little to say."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode or module != "build":
        print(done.stdout, done.stderr, sep="", end="", flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
