"""Runs of Meltano: the tap reads a sandbox into a target, as in a project of a user.

Meltano has an environment of its own; the tap and the targets get theirs from Meltano.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import Fault, Sandbox

PROJECT = Path(__file__).parents[2]
TAP = "tap-constantcontact"

_SUMMARY = "Run ended after "
#: A line of the table that follows: stream, records, requests.
_STREAM = re.compile(r"\b(\w+) +([\d,]+)  +([\d,]+)\b")
_SELECTED = re.compile(r"^ +- (\w+)\.\*$", re.MULTILINE)

# Whoever ends a script ends its children too.
_ENDED_BY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)

# What a user may have set, and what a script shall not see.
_USERS = ("TAP_CONSTANTCONTACT_", "TARGET_", "MELTANO_")

_TIMEOUT = 60  # that a request is held back for a run that is to be killed
_GLANCE = 0.05  # seconds between two looks at such a run


class CheckFailed(Exception):
    """Something is not as it is promised."""


@dataclass
class Run:
    """What one run sent: rows and requests, by stream."""

    rows: dict[str, int]
    requests: dict[str, int]
    began: float
    seconds: float


@dataclass
class _Meltano:
    """A run, and where in the log its lines begin."""

    process: subprocess.Popen[bytes]
    log: Path
    began_at: int

    @property
    def output(self) -> str:
        return self.log.read_bytes()[self.began_at :].decode(errors="replace")


class Project:
    """A copy of meltano.yml in a folder of its own: an `.env` of the user is not for it.

    Attributes:
        folder: where it lies; what was in it is gone.
        log: what Meltano has printed so far.
    """

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        """Make the folder again.

        Args:
            folder: where the project is to lie.
            sandbox: what serves the account.
        """
        self.folder = folder
        self.log = folder / "meltano.log"
        self._sandbox = sandbox
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        here = f"pip_url: -e {shlex.quote(str(PROJECT))}"
        project = (PROJECT / "meltano.yml").read_text(encoding="utf-8")
        (folder / "meltano.yml").write_text(project.replace("pip_url: -e .", here), "utf-8")

    @property
    def selected(self) -> list[str]:
        """The streams that are selected by default."""
        return _SELECTED.findall((self.folder / "meltano.yml").read_text(encoding="utf-8"))

    def sync(
        self,
        target: str,
        of_target: Mapping[str, Any],
        of_tap: Mapping[str, Any] | None = None,
        *flags: str,
    ) -> Run:
        """Run the tap into a target.

        Args:
            target: the name of the target.
            of_target: its settings, beside those in meltano.yml.
            of_tap: the tap's, beside the login.
            flags: of `meltano run`.

        Raises:
            CheckFailed: the run failed.
        """
        began = time.time()
        with self._running(target, of_target, of_tap or {}, *flags) as meltano:
            status = meltano.process.wait()
        if status:
            last = "\n".join(meltano.output.splitlines()[-15:])
            raise CheckFailed(f"meltano run {TAP} {target} ended with {status}:\n{last}")
        _, said, summary = meltano.output.partition(_SUMMARY)
        if not said:
            raise CheckFailed("the tap did not say what it sent")
        streams = _STREAM.findall(summary)
        return Run(
            rows={name: _number(rows) for name, rows, _ in streams},
            requests={name: _number(requests) for name, _, requests in streams},
            began=began,
            seconds=time.time() - began,
        )

    def kill_sync(
        self,
        target: str,
        of_target: Mapping[str, Any],
        of_tap: Mapping[str, Any],
        at_request: int,
        stored: str,
        *flags: str,
    ) -> float:
        """Kill a run with all its processes while the tap waits for an answer.

        Args:
            target: as for `sync`.
            of_target: as for `sync`.
            of_tap: as for `sync`.
            at_request: the number of the request, of this run.
            stored: what the target logs when it has stored rows, which is waited for.
            flags: as for `sync`.

        Returns:
            When the run began, in seconds since 1970.

        Raises:
            CheckFailed: the run ended before.
        """
        began, before = time.time(), len(self._sandbox.requests)
        self._sandbox.fail("*", Fault.DELAY, skip=at_request - 1, seconds=_TIMEOUT)
        with self._running(target, of_target, of_tap, *flags) as meltano:
            while len(self._sandbox.requests) < before + at_request or stored not in meltano.output:
                if meltano.process.poll() is not None:
                    raise CheckFailed(
                        f"a run was to be killed at request {at_request}, and ended before"
                    )
                time.sleep(_GLANCE)
        self._sandbox.heal()
        return began

    @contextmanager
    def _running(
        self,
        target: str,
        of_target: Mapping[str, Any],
        of_tap: Mapping[str, Any],
        *flags: str,
    ) -> Iterator[_Meltano]:
        """Start a run, and leave no process of it behind."""
        command = [str(Path(sys.executable).with_name("meltano")), "run", *flags, TAP, target]
        with self.log.open("ab") as log:
            began_at = log.tell()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(target, of_target, of_tap),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield _Meltano(process, self.log, began_at)
            finally:
                _kill_group(process)

    def _environment(
        self, target: str, of_target: Mapping[str, Any], of_tap: Mapping[str, Any]
    ) -> dict[str, str]:
        """Return the environment of Meltano: the sandbox's login, and nothing of the user's."""
        login = {**self._sandbox.settings, "token_store": str(self.folder / "tokens.json")}
        plugins = {TAP: {**login, **of_tap}, target: of_target}
        host = self._sandbox.options.host
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(_USERS)},
            **{
                f"{plugin}_{name}".upper().replace("-", "_"): _text(value)
                for plugin, settings in plugins.items()
                for name, value in settings.items()
            },
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder / 'meltano.db'}",
            # Plugins are installed once, in the project's own folder.
            "MELTANO_SYS_DIR_ROOT": str(PROJECT / ".meltano"),
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "NO_COLOR": "1",
            "NO_PROXY": host,
            "no_proxy": host,
        }


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it has started, and wait until they are gone.

    A loader that is about to die may still hold the lock of its database.
    """
    deadline = time.monotonic() + _TIMEOUT
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, signal.SIGKILL)
            process.poll()
            time.sleep(_GLANCE)
    process.wait()


def end_on_signals() -> None:
    """End in good order on the first signal, and let no other disturb that."""

    def end(signum: int, _frame: object) -> None:
        for other in _ENDED_BY:
            signal.signal(other, signal.SIG_IGN)
        sys.exit(128 + signum)

    for signum in _ENDED_BY:
        signal.signal(signum, end)


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
