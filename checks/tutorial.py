"""`make tutorial`: follow the tutorial word by word, in a fresh copy and with an empty home.

The commands come from the page. A second sandbox, which allows any number of requests per second,
takes the place of your own account: it has its own address and API key, and a program plays the
person who signs in.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from checks.support.meltano import PROJECT, CheckFailed, end_on_signals
from checks.support.table import print_lines_at_once

PAGE = PROJECT / "docs" / "get-started" / "tutorial.md"
BASH = shutil.which("bash") or "/bin/bash"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SERVES = "make sandbox"
_SERVES_OWN = f'{_SERVES} SANDBOX="--requests-per-second 0"'
_OWN_PACE = 100
_GAP = "…"


class Step(NamedTuple):
    """A command of the page, and the output that the page shows."""

    command: str
    output: list[str]


def main() -> int:
    """Follow the page and return an exit status."""
    print_lines_at_once()
    end_on_signals()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="tutorial-"))
    try:
        follow(steps(PAGE.read_text("utf-8")), folder)
    except CheckFailed as failure:
        print(f"\nThe tutorial fails: {failure}")
        return 1
    finally:
        shutil.rmtree(folder)
    print(f"The tutorial works: {time.monotonic() - began:.0f} s.")
    return 0


def steps(page: str) -> list[Step]:
    """Return the commands of a page in their order.

    Args:
        page: The text of the page.
    """
    found: list[Step] = []
    for block in _BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], []))
            else:
                found[-1].output.append(line)
    return found


def agrees(shown: list[str], output: str) -> bool:
    """Return whether output is as shown: a gap is any text, and any lines if it stands alone.

    Args:
        shown: The lines on the page; without any, everything agrees.
        output: What the command printed.
    """
    if not shown:
        return True
    gap = re.escape(_GAP)
    lines = (
        r"(?:.*\n)*" if line == _GAP else re.escape(line).replace(gap, ".*") + r"\n"
        for line in shown
    )
    return re.fullmatch("".join(lines), output.rstrip() + "\n") is not None


def follow(todo: list[Step], folder: Path) -> None:
    """Run the commands in one shell each, as a person would in two terminals.

    Args:
        todo: The commands.
        folder: An empty folder, for a copy of the project and for the home.

    Raises:
        CheckFailed: A command fails, or prints something else than the page says.
    """
    clone, home = folder / "clone", folder / "home"
    home.mkdir()
    copy_project(clone)
    env = {**os.environ, "HOME": str(home), "PWD": str(clone)}
    servers = []
    try:
        for step in todo:
            print(f"$ {step.command}")
            if step.command == _SERVES:
                servers.append(serve(step, clone, env))
            elif name := re.fullmatch(r'export (\w+)="(.*)"', step.command):
                env[name[1]] = name[2].replace("$PWD", str(clone)).replace("$PATH", env["PATH"])
            else:
                if "KEY" in step.command:
                    servers.append(serve(Step(_SERVES_OWN, []), clone, env))
                run(with_account(step, clone, env), clone, env)
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def run(step: Step, clone: Path, env: dict[str, str]) -> None:
    """Run a command to its end.

    Raises:
        CheckFailed: It fails, or prints something else than the page says.
    """
    done = subprocess.run(
        [BASH, "-o", "pipefail", "-c", step.command],
        cwd=clone,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not agrees(step.output, done.stdout):
        raise CheckFailed(f"exit status {done.returncode}\n{done.stdout}{done.stderr[-3000:]}")


def serve(step: Step, clone: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    """Start a server, and wait until it has printed what the page says.

    Raises:
        CheckFailed: It ends before.
    """
    server = subprocess.Popen(
        [BASH, "-c", f"exec {step.command}"],
        cwd=clone,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    output = ""
    for line in server.stdout or ():
        output += line
        if line.startswith("Ctrl-C"):
            break
    if not agrees(step.output, output):
        server.terminate()
        raise CheckFailed(f"it printed\n{output}")
    return server


def with_account(step: Step, clone: Path, env: dict[str, str]) -> Step:
    """Put the sandbox in the place of an account, and its API key in the place of KEY."""
    if "KEY" not in step.command:
        return step
    settings = json.loads((clone / "config.json").read_text("utf-8"))
    for name in ("api_url", "auth_url", "client_secret"):
        env[f"TAP_CONSTANTCONTACT_{name.upper()}"] = settings[name]
    env["TAP_CONSTANTCONTACT_REQUESTS_PER_SECOND"] = str(_OWN_PACE)
    env["BROWSER"] = f"{sys.executable} -m checks.support.person %s"
    return step._replace(command=step.command.replace("KEY", settings["client_id"]))


def copy_project(clone: Path) -> None:
    """Copy the files that a clone has, with changes that aren't committed yet."""
    listed = subprocess.run(
        [BASH, "-c", "git ls-files -z --cached --others --exclude-standard"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, clone / name)


if __name__ == "__main__":
    sys.exit(main())
