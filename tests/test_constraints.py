"""What is installed is pinned by `make lock`, in every rule of the Makefile."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from itertools import chain
from pathlib import PurePath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.lock import FILES, FOLDER

PROJECT = FOLDER.parent
PYPROJECT = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli").loads(
    (PROJECT / "pyproject.toml").read_text("utf-8")
)
GROUPS = PYPROJECT["dependency-groups"]
PACKAGE = [
    *PYPROJECT["project"]["dependencies"],
    *chain.from_iterable(PYPROJECT["project"]["optional-dependencies"].values()),
]
PYTHONS = re.findall(r"Python :: (3\.\d+)", " ".join(PYPROJECT["project"]["classifiers"]))
PINS = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.iterdir())}
#: Where it is not all versions, those of the classifiers that an environment can be made with.
FEWER = {
    "airbyte": PYTHONS[:3],
    "docs": PYTHONS[1:],
    "target-snowflake": PYTHONS[1:],
    "target-bigquery-server": PYTHONS[1:],
}


def groups_of(name: str) -> list[str]:
    """Return the dependency groups that a file is made of."""
    flags = FILES[name]
    return [flags[place + 1] for place, flag in enumerate(flags) if flag == "--group"]


def pinned(text: str, python: str) -> dict[str, Version]:
    """Return the versions that hold for a version of Python on Linux."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.4",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "x86_64",
        "os_name": "posix",
    }
    pins = [Requirement(line) for line in text.splitlines() if not line.startswith("#")]
    return {
        pin.name: Version(str(pin.specifier).removeprefix("=="))
        for pin in pins
        if not pin.marker or pin.marker.evaluate(environment)
    }


def test_every_group_is_in_a_file_of_constraints() -> None:
    assert PINS.keys() == FILES.keys()
    assert {group for name in FILES for group in groups_of(name)} == GROUPS.keys()


@pytest.mark.parametrize("name", PINS)
def test_constraints_are_exact_and_name_no_index(name: str) -> None:
    for line in PINS[name].splitlines():
        assert re.fullmatch(r"#.*|[a-z0-9-]+==[\w.!+]+( ; .+)?", line)
        assert "://" not in line


@pytest.mark.parametrize("name", PINS)
def test_constraints_meet_the_requirements_of_pyproject(name: str) -> None:
    lines = PACKAGE * ("--all-extras" in FILES[name])
    lines = [*lines, *chain.from_iterable(GROUPS[group] for group in groups_of(name))]
    for python in FEWER.get(name, PYTHONS):
        versions = pinned(PINS[name], python)
        for required in map(Requirement, lines):
            if (name, required.name) == ("next", "singer-sdk"):
                assert required.name not in versions
            else:
                version = versions[canonicalize_name(required.name)]
                assert version in required.specifier, f"{required} on Python {python}: make lock"


@pytest.mark.e2e
def test_every_environment_of_the_makefile_is_installed_with_constraints() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    assert "pip install" not in re.sub("^#.*$", "", makefile, flags=re.MULTILINE)
    rules = re.findall(r"^(\.venv[\w.%-]*/made): (?!\w+ =)", makefile, re.MULTILINE)
    named = {"python3.%": "python3.12", "target-%": "target-snowflake", "bench-%": "bench-dlt"}
    made = [re.sub(r"[\w.]+-%|python3\.%", lambda part: named[part[0]], rule) for rule in rules]
    command = ["make", "--dry-run", "--always-make", *made]
    said = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    installed = [line.split() for line in said.splitlines() if " -m tools.install " in line]
    folders = {words[words.index("tools.install") + 1] for words in installed}
    assert folders >= {str(PurePath(rule).parent) for rule in made}
    assert len(made) > 10
    for words in installed:
        constraints = words[words.index("--constraint") + 1]
        assert (PROJECT / constraints).is_file()
