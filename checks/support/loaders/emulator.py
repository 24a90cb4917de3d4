"""A warehouse that an emulator serves, in an environment that it shares with its loader.

The environment, `.venv-target-NAME`, is made by `make targets`. A process in it runs a module of
`checks/emulators/`, which serves the warehouse and answers questions about what it holds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from checks.support.loaders.target import Skipped
from checks.support.meltano import PROJECT, CheckFailed

_EMULATORS = PROJECT / "checks" / "emulators"
_TIMEOUT = 30  # seconds until it has ended


class Emulator:
    """A process that serves a warehouse.

    Attributes:
        started: What the process has said of itself, such as the port of its server.
    """

    def __init__(self, questions: IO[str], answers: IO[str], log: Path) -> None:
        """Wait until the warehouse is served.

        Args:
            questions: The input of the process.
            answers: Its output.
            log: The file with its messages.
        """
        self._questions = questions
        self._answers = answers
        self._log = log
        self.started = self._answer()

    def ask(self, **question: Any) -> Any:
        """Return the answer to a question.

        Args:
            question: What the module in `checks/emulators/` understands.

        Raises:
            CheckFailed: If there is no answer, or an error.
        """
        try:
            self._questions.write(json.dumps(question) + "\n")
            self._questions.flush()
        except BrokenPipeError:
            self._fail()
        return self._answer()

    def _answer(self) -> Any:
        line = self._answers.readline()
        if not line:
            self._fail()
        answer = json.loads(line)
        if "error" in answer:
            raise CheckFailed(f"the emulator reports: {answer['error']}")
        return answer["answer"]

    def _fail(self) -> NoReturn:
        raise CheckFailed(f"the emulator has ended; its log is {self._log}")


def environment(name: str) -> Path:
    """Return the programs of the environment of an emulator and its loader.

    Raises:
        Skipped: If the environment is not there.
    """
    folder = PROJECT / f".venv-target-{name}"
    if not (folder / "made").exists():
        raise Skipped(f"{folder.name} could not be installed on this machine")
    return folder / "bin"


def program(name: str, module: str) -> list[str]:
    """Return the command that runs a module of `checks/emulators/` in an environment."""
    return [str(environment(name) / "python"), str(_EMULATORS / f"{module}.py")]


@contextmanager
def emulator(name: str, module: str, folder: Path) -> Iterator[Emulator]:
    """Run a module of `checks/emulators/` while the target is used.

    Args:
        name: The name of the environment.
        module: The name of the module.
        folder: A folder, made here, for the data of the emulator and its log; the first argument
            of the module.

    Yields:
        The process, once it serves.

    Raises:
        Skipped: If the environment is not there.
        CheckFailed: If the process ends.
    """
    command = program(name, module)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "emulator.log"
    with log.open("w") as lines:
        # In a group of its own: Ctrl+C would end it before its client.
        process = subprocess.Popen(
            [*command, str(folder)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=lines,
            encoding="utf-8",
            start_new_session=True,
        )
    with process:
        try:
            yield Emulator(cast("IO[str]", process.stdin), cast("IO[str]", process.stdout), log)
        finally:
            # It ends with its input, also when this process is killed.
            with suppress(BrokenPipeError, subprocess.TimeoutExpired):
                process.communicate(timeout=_TIMEOUT)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
