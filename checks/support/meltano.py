"""Meltano runs that load a sandbox into a target, as in a user's project.

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.support.processes import kill_group, process_of
from sandbox import Fault, Sandbox

PROJECT = Path(__file__).parents[2]
TAP = "tap-constantcontact"
# Plugins are installed once, in the repository.
_HOME = PROJECT / ".meltano"

_SUMMARY = "Run ended after "
#: A line of the table after it: stream, records, requests.
_STREAM = re.compile(r"\b(\w+) +([\d,]+)  +([\d,]+)\b")
_SELECTED = re.compile(r"^ +- (\w+)\.\*$", re.MULTILINE)

# Signals that end the script, and with it its children.
_END_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)

# Prefixes of a user's own variables, which a check must not see.
_USER_PREFIXES = ("TAP_CONSTANTCONTACT_", "TARGET_", "MELTANO_")

_TIMEOUT = 60  # how long a request hangs in a run that is to be killed
_INTERVAL = 0.05  # seconds between two looks at such a run
_SECONDS_BETWEEN_LINES = 8.0
_BEGUN = re.compile(r"Beginning sync of '(\w+)'")
_SECONDS_OF_STATE = 1  # in which the target reads what the tap has written


class CheckFailed(Exception):
    """Raised when a check fails."""


@dataclass
class Run:
    """The rows and requests of one run, by stream."""

    rows: dict[str, int]
    requests: dict[str, int]
    began: float
    seconds: float


@dataclass
class _Meltano:
    """A running process, and where its lines begin in the log."""

    process: subprocess.Popen[bytes]
    log: Path
    log_offset: int

    @property
    def output(self) -> str:
        return self.log.read_bytes()[self.log_offset :].decode(errors="replace")

    @property
    def doing(self) -> str:
        """What it is doing, in words for people."""
        begun = _BEGUN.findall(self.output)
        return f"reading {begun[-1]}" if begun else "installing or starting the tap and its target"


def wait(process: subprocess.Popen[Any], doing: Callable[[], str]) -> int:
    """Wait for a process, print a line every few seconds, and return its exit status.

    Args:
        process: The process.
        doing: Returns what it is doing.
    """
    began = time.monotonic()
    while (status := _status(process)) is None:
        print(f"  … {time.monotonic() - began:.0f} s, {doing()}", flush=True)
    return status


def _status(process: subprocess.Popen[Any]) -> int | None:
    """Return the exit status of a process, or None if it does not end in time for a line."""
    try:
        return process.wait(_SECONDS_BETWEEN_LINES)
    except subprocess.TimeoutExpired:
        return None


class Project:
    """A copy of meltano.yml in its own folder, so that a user's `.env` does not apply.

    Attributes:
        folder: The folder of the project; earlier contents are deleted.
        log: The file with the output of Meltano.
    """

    def __init__(self, folder: Path, sandbox: Sandbox, *more: str) -> None:
        """Create the folder.

        Args:
            folder: The folder of the project.
            sandbox: The server of the account.
            more: Streams to select besides those that are selected by default.
        """
        self.folder = folder
        self.log = folder / "meltano.log"
        self._sandbox = sandbox
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        here = f"pip_url: -e {shlex.quote(str(PROJECT))}"
        project = (PROJECT / "meltano.yml").read_text(encoding="utf-8")
        selected = "".join(f"    - {stream}.*\n" for stream in more)
        project = project.replace("    select:\n", f"    select:\n{selected}", 1)
        (folder / "meltano.yml").write_text(project.replace("pip_url: -e .", here), "utf-8")

    def run_instead(self, loader: str, command: Sequence[str]) -> None:
        """Run a command in place of the loader that Meltano would install.

        Args:
            loader: The name of the loader.
            command: The command, which gets the arguments of the loader.
        """
        program = self.folder / loader
        program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', "utf-8")
        program.chmod(0o755)
        file = self.folder / "meltano.yml"
        project, found = re.subn(
            rf"pip_url: .*\n +executable: {loader}$",
            f"executable: ./{loader}",
            file.read_text("utf-8"),
            flags=re.MULTILINE,
        )
        if found != 1:
            raise CheckFailed(f"meltano.yml has no loader {loader}")
        file.write_text(project, "utf-8")

    @property
    def login(self) -> dict[str, Any]:
        """The settings with which the tap signs in."""
        return {**self._sandbox.settings, "token_store": str(self.folder / "tokens.json")}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run: without a user's variables, and without a proxy."""
        host = self._sandbox.options.host
        variables = {k: v for k, v in os.environ.items() if not k.startswith(_USER_PREFIXES)}
        return {**variables, "NO_COLOR": "1", "NO_PROXY": host, "no_proxy": host}

    @property
    def selected(self) -> list[str]:
        """The streams that are selected."""
        return _SELECTED.findall((self.folder / "meltano.yml").read_text(encoding="utf-8"))

    def sync(
        self,
        target: str,
        target_settings: Mapping[str, Any],
        tap_settings: Mapping[str, Any] | None = None,
        *flags: str,
    ) -> Run:
        """Run the tap into a target.

        Args:
            target: The name of the loader.
            target_settings: Its settings, in addition to those in meltano.yml.
            tap_settings: The settings of the tap, in addition to the login.
            flags: Flags of `meltano run`.

        Raises:
            CheckFailed: If the run fails.
        """
        began = time.time()
        with self._running(target, target_settings, tap_settings or {}, *flags) as meltano:
            return _ended(meltano, began)

    def sync_both(
        self,
        target: str,
        target_settings: Mapping[str, Any],
        tap_settings: Mapping[str, Mapping[str, Any]],
        *flags: str,
    ) -> None:
        """Run the tap twice at the same time.

        Args:
            target: As for `sync`.
            target_settings: As for `sync`.
            tap_settings: As for `sync`, for each of the two, by a name of the run.
            flags: As for `sync`.

        Raises:
            CheckFailed: If a run fails.
        """
        began = time.time()
        with ExitStack() as stack:
            runs = [
                stack.enter_context(
                    self._running(target, target_settings, settings, *flags, home=self._home(name))
                )
                for name, settings in tap_settings.items()
            ]
            for meltano in runs:
                _ended(meltano, began)

    def kill_tap(
        self,
        target: str,
        target_settings: Mapping[str, Any],
        tap_settings: Mapping[str, Any],
        at_request: int,
        *flags: str,
    ) -> None:
        """Kill the tap while it waits for a response; the target stores what it got until then.

        Args:
            target: As for `sync`.
            target_settings: As for `sync`.
            tap_settings: As for `sync`.
            at_request: The number of the request at which to kill the tap.
            flags: As for `sync`.

        Raises:
            CheckFailed: If the run ends earlier.
        """
        before = len(self._sandbox.requests)
        self._sandbox.fail("*", Fault.DELAY, skip=at_request - 1, seconds=_TIMEOUT)
        with self._running(target, target_settings, tap_settings, *flags) as meltano:
            while len(self._sandbox.requests) < before + at_request:
                if meltano.process.poll() is not None:
                    raise CheckFailed(
                        f"the run ended before request {at_request}, at which the tap was to be "
                        "killed"
                    )
                time.sleep(_INTERVAL)
            time.sleep(_SECONDS_OF_STATE)
            os.kill(process_of(TAP, meltano.process.pid), signal.SIGKILL)
            meltano.process.wait()
        self._sandbox.clear_faults()

    def kill_sync(
        self,
        target: str,
        target_settings: Mapping[str, Any],
        tap_settings: Mapping[str, Any],
        at_request: int,
        stored: str,
        *flags: str,
    ) -> float:
        """Kill a run with all its processes while the tap waits for a response.

        Args:
            target: As for `sync`.
            target_settings: As for `sync`.
            tap_settings: As for `sync`.
            at_request: The number of the request at which to kill the run.
            stored: A text that the target logs when it has stored rows; the kill waits for it.
            flags: As for `sync`.

        Returns:
            When the run began, in seconds since 1970.

        Raises:
            CheckFailed: If the run ends earlier.
        """
        began, before = time.time(), len(self._sandbox.requests)
        self._sandbox.fail("*", Fault.DELAY, skip=at_request - 1, seconds=_TIMEOUT)
        with self._running(target, target_settings, tap_settings, *flags) as meltano:
            while len(self._sandbox.requests) < before + at_request or stored not in meltano.output:
                if meltano.process.poll() is not None:
                    raise CheckFailed(
                        f"the run ended before request {at_request}, at which it was to be killed"
                    )
                time.sleep(_INTERVAL)
        self._sandbox.clear_faults()
        return began

    def _home(self, name: str) -> Path:
        """Return a folder like `.meltano`: two runs must not share the files of a run."""
        home = self.folder / f".meltano-{name}"
        home.mkdir(exist_ok=True)
        for plugins in ("extractors", "loaders"):
            with suppress(FileExistsError):
                (home / plugins).symlink_to(_HOME / plugins)
        return home

    @contextmanager
    def _running(
        self,
        target: str,
        target_settings: Mapping[str, Any],
        tap_settings: Mapping[str, Any],
        *flags: str,
        home: Path | None = None,
    ) -> Iterator[_Meltano]:
        """Start a run, and kill all its processes in the end."""
        command = [str(Path(sys.executable).with_name("meltano")), "run", *flags, TAP, target]
        with self.log.open("ab") as log:
            log_offset = log.tell()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={
                    **self._environment(target, target_settings, tap_settings),
                    "MELTANO_SYS_DIR_ROOT": str(home or _HOME),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield _Meltano(process, self.log, log_offset)
            finally:
                kill_group(process)

    def _environment(
        self, target: str, target_settings: Mapping[str, Any], tap_settings: Mapping[str, Any]
    ) -> dict[str, str]:
        """Return the environment of Meltano, with the sandbox's login."""
        plugins = {TAP: {**self.login, **tap_settings}, target: target_settings}
        return {
            **self.environment,
            **{
                f"{plugin}_{name}".upper().replace("-", "_"): _text(value)
                for plugin, settings in plugins.items()
                for name, value in settings.items()
            },
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder / 'meltano.db'}",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
        }


def _ended(meltano: _Meltano, began: float) -> Run:
    """Wait for the end of a run.

    Raises:
        CheckFailed: If it fails.
    """
    if status := wait(meltano.process, lambda: meltano.doing):
        last = "\n".join(meltano.output.splitlines()[-15:])
        raise CheckFailed(f"meltano run ended with {status}:\n{last}")
    return run_of(meltano.output, began)


def run_of(output: str, began: float) -> Run:
    """Return what the summary of the tap tells of a run that has just ended.

    Args:
        output: The log of the run.
        began: When it began, in seconds since 1970.

    Raises:
        CheckFailed: If there is no summary.
    """
    _, found, summary = output.partition(_SUMMARY)
    if not found:
        raise CheckFailed("the log of the tap has no summary")
    streams = _STREAM.findall(summary)
    return Run(
        rows={name: _number(rows) for name, rows, _ in streams},
        requests={name: _number(requests) for name, _, requests in streams},
        began=began,
        seconds=time.time() - began,
    )


def end_on_signals() -> None:
    """Exit cleanly on the first signal, and ignore later ones."""

    def end(signum: int, _frame: object) -> None:
        for other in _END_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        sys.exit(128 + signum)

    for signum in _END_SIGNALS:
        signal.signal(signum, end)


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
