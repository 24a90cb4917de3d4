"""The workflows run targets of the Makefile, with actions that nobody can replace."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parent.parent
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((PROJECT / ".github" / "workflows").iterdir())
}
MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.* ## ", MAKEFILE, re.MULTILINE))
CI = (PROJECT / ".ci" / "run").read_text("utf-8")


def steps_of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_workflows_are_those_that_contributing_describes() -> None:
    page = (PROJECT / "docs" / "contributing.md").read_text("utf-8")
    assert {*re.findall(r"^\| `(\w+)\.yml` \|", page, re.MULTILINE)} == WORKFLOWS.keys()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_actions_are_pinned_to_commits(name: str) -> None:
    text = (PROJECT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    used = re.findall(r"uses: (.*)$", text, re.MULTILINE)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_each_version_of_an_action_is_one_commit() -> None:
    folder = PROJECT / ".github" / "workflows"
    text = "\n".join(path.read_text("utf-8") for path in folder.iterdir())
    pins: dict[str, set[str]] = {}
    for action, pin in re.findall(r"uses: ([\w/-]+)@(.*)$", text, re.MULTILINE):
        pins.setdefault(action, set()).add(pin)
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_workflows_run_targets_of_the_makefile() -> None:
    run = "\n".join(step.get("run", "") for name in WORKFLOWS for step in steps_of(WORKFLOWS[name]))
    named = {*re.findall(r"\bmake ([a-z-]+)(?=[ \n]|$)", run)}
    checks = {*WORKFLOWS["checks"]["jobs"]["check"]["strategy"]["matrix"]["target"]}
    assert named >= {"check", "test", "test-next", "contract", "lock"}
    assert named | checks <= TARGETS
    commands = re.findall(r"^make (.+)$", CI.replace("\\\n", ""), re.MULTILINE)
    ours = {word for command in commands for word in command.split() if word[0] != "-"}
    assert ours <= TARGETS
    assert checks <= ours


def test_workflow_test_has_the_versions_of_the_classifiers() -> None:
    versions = re.findall(r"Python :: (3\.\d+)", (PROJECT / "pyproject.toml").read_text("utf-8"))
    assert WORKFLOWS["test"]["jobs"]["suite"]["strategy"]["matrix"]["python"] == versions


def test_only_the_release_gets_a_token_of_the_package_index() -> None:
    holders = [
        (name, job)
        for name, workflow in WORKFLOWS.items()
        for job, content in workflow["jobs"].items()
        if "id-token" in content["permissions"]
    ]
    assert holders == [("release", "index")]


# `make test` has them; environments for other versions of Python and of the SDK don't.
@pytest.mark.skipif(
    not (Path(sys.executable).parent / "ruff").exists(), reason="the group lint is not installed"
)
@pytest.mark.e2e
def test_hooks_of_pre_commit_find_a_fault_of_each_kind(tmp_path: Path) -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]
    faults = {
        "ruff-check": ("fault.py", "import os\n"),
        "ruff-format": ("fault.py", "a  =  1\n"),
        "codespell": ("fault.md", "eveiceR"[::-1] + " it.\n"),  # codespell reads this file too
        "phrases": ("fault.md", "It was left " + "out.\n"),
        "check-meltano": ("meltano.yml", "plugins: 1\n"),
        "actionlint": (".github/workflows/fault.yml", "on: push\njobs: {}\n"),
        "zizmor": (
            ".github/workflows/fault.yml",
            "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{uses: actions/cache@main}]}}\n",
        ),
    }
    assert [hook["id"] for hook in hooks["hooks"]] == [*faults]
    for hook in hooks["hooks"]:
        name, text = faults[hook["id"]]
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        assert not hook.get("files") or re.search(hook["files"], name)
        program, *arguments = hook["entry"].replace("ruff format", "ruff format --check").split()
        command = [str(Path(sys.executable).parent / Path(program).name), *arguments, str(path)]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode != 0, hook["id"]
        assert path.name in done.stdout + done.stderr
        path.unlink()
