"""The copy of meltano.yml in which an emulated warehouse has a loader of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.support.meltano import CheckFailed, Project
from sandbox import Sandbox


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", Sandbox(contacts=1, campaigns=1))


def plugins(project: Project) -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((project.folder / "meltano.yml").read_text("utf-8"))
    return {each["name"]: each for kind in content["plugins"].values() for each in kind}


def test_command_replaces_the_program_of_one_loader(project: Project) -> None:
    before = plugins(project)
    project.run_instead("target-snowflake", ["/bin/echo", "a port", "8080"])
    changed = {**before["target-snowflake"], "executable": "./target-snowflake"}
    del changed["pip_url"]
    assert plugins(project) == {**before, "target-snowflake": changed}


@pytest.mark.e2e
def test_command_gets_the_arguments_of_the_loader(project: Project) -> None:
    project.run_instead("target-snowflake", ["/bin/echo", "a port", "8080"])
    program = project.folder / "target-snowflake"
    done = subprocess.run(
        [program, "--config", "my file"], check=True, capture_output=True, text=True
    )
    assert done.stdout == "a port 8080 --config my file\n"


def test_unknown_loader_fails(project: Project) -> None:
    with pytest.raises(CheckFailed, match=r"meltano\.yml has no loader target-none"):
        project.run_instead("target-none", ["/bin/echo"])
