"""A release has one version, and its notes are what the changelog says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tap_constantcontact.tap import TapConstantContact
from tools import release

CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Next, as [the docs](docs/next.md#it) and [the web](https://example.com) say.

## [1.2.3] - 2026-11-27

### Fixed

- This.

## [1.2.2] - 2026-11-01

- That.
"""


def test_notes_are_the_part_of_a_version() -> None:
    assert release.notes(CHANGELOG, "1.2.3") == "### Fixed\n\n- This.\n"
    assert release.notes(CHANGELOG, "1.2.2") == "- That.\n"


def test_notes_have_no_links_into_the_repository() -> None:
    unreleased = release.notes(CHANGELOG, "Unreleased")
    assert unreleased.endswith("Next, as the docs and [the web](https://example.com) say.\n")


@pytest.mark.parametrize("name", ["1.2", "1.2.4", "1.2.33"])
def test_release_without_notes_is_refused(name: str) -> None:
    with pytest.raises(release.NotReleasable, match=f"says nothing of \\[{name}\\]"):
        release.notes(CHANGELOG, name)


def test_release_with_empty_notes_is_refused() -> None:
    with pytest.raises(release.NotReleasable):
        release.notes("## [1.2.3] - 2026-11-27\n\n## [1.2.2] - 2026-11-01\n\n- That.\n", "1.2.3")


def test_tag_has_to_be_the_version() -> None:
    assert release.release_of(f"v{release.version()}") == release.version()
    assert release.release_of(None) == "Unreleased"
    with pytest.raises(release.NotReleasable, match=r"the tag is v9\.9, but .* has version"):
        release.release_of("v9.9")


def test_installed_version_is_that_of_pyproject() -> None:
    assert TapConstantContact.plugin_version == release.version()


@pytest.mark.e2e
def test_release_of_another_tag_ends_before_it_builds() -> None:
    command = [sys.executable, "-m", "tools.release", "v9.9.9"]
    root = Path(release.__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == (
        f"No release: the tag is v9.9.9, but pyproject.toml has version {release.version()}.\n"
    )
