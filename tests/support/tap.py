"""The tap's command line, in this process or in one of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sandbox import Sandbox
from sandbox.server.served_account import ServedAccount
from support.in_process import run_main
from support.processes import Processes
from tap_constantcontact.__main__ import main
from tap_constantcontact.tap import TapConstantContact

PROJECT = Path(__file__).parents[2]
#: All streams by their names, as the tap discovers them.
STREAMS = TapConstantContact(config={"access_token": "none"}).streams


@dataclass
class Run:
    """How a run of the tap ended, and what it wrote."""

    status: int
    log: str
    lines: list[str] = field(repr=False)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        records = defaultdict(list)
        for message in self.messages:
            if message["type"] == "RECORD":
                records[message["stream"]].append(message["record"])
        return records

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    @property
    def table(self) -> dict[str, list[str]]:
        """The table at the end of the log: records, requests, and what was skipped, by stream."""
        lines = self.log.partition("Run ended after")[2].splitlines()[2:]
        rows = (re.split(r"  +", line) for line in lines if not line.startswith("The run ended"))
        return {name: row for name, *row in rows}

    def keys(self, stream: str, key: str) -> list[Any]:
        return [record[key] for record in self.records[stream]]


@dataclass
class TapCommand:
    """The tap's command line, with files of its own; runs it in this process."""

    folder: Path

    @property
    def token_store(self) -> Path:
        return self.folder / "tokens.json"

    def settings(self, sandbox: Sandbox | ServedAccount, **settings: Any) -> dict[str, Any]:
        """Return the settings for an account; requests are not paced unless a test is about it."""
        own = {"token_store": str(self.token_store), "requests_per_second": 1000}
        return {**sandbox.settings, **own, **settings}

    def settings_of_all(self, sandbox: Sandbox) -> dict[str, Any]:
        """Return the settings with which every stream has rows."""
        return self.settings(sandbox, **sandbox.settings_of_all)

    def arguments(
        self,
        settings: dict[str, Any] | None = None,
        *arguments: str,
        state: Any = None,
        select: list[str] | None = None,
    ) -> list[str]:
        """Write the files of a run, and return its arguments."""
        given = [*arguments]
        if settings is not None:
            given += ["--config", self._file("config", settings)]
        if state is not None:
            given += ["--state", self._file("state", state)]
        if select is not None:
            given += ["--catalog", self._file("catalog", self.catalog(select))]
        return given

    def command(self, *arguments: Any, **options: Any) -> list[str]:
        """Return the command of a process; takes what `arguments` takes."""
        return [sys.executable, "-m", "tap_constantcontact", *self.arguments(*arguments, **options)]

    def run(self, *arguments: Any, env: dict[str, str] | None = None, **options: Any) -> Run:
        """Run the tap to its end; takes what `arguments` takes."""
        given = ["tap-constantcontact", *self.arguments(*arguments, **options)]
        ended = run_main(main, given, folder=self.folder, env=env)
        return Run(ended.status, ended.stderr, ended.stdout.splitlines())

    def sync(
        self,
        sandbox: Sandbox,
        *select: str,
        state: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Run:
        """Sync the selected streams (those selected by default, if none is named)."""
        return self.run(
            self.settings(sandbox, **settings),
            state=state,
            select=list(select) if select else None,
        )

    def catalog(self, select: list[str]) -> dict[str, Any]:
        """Return the discovered catalog with only some streams selected."""
        catalog: dict[str, Any] = json.loads(discovered())
        for stream in catalog["streams"]:
            (root,) = [entry for entry in stream["metadata"] if entry["breadcrumb"] == []]
            root["metadata"]["selected"] = stream["tap_stream_id"] in select
        return catalog

    def _file(self, name: str, content: Any) -> str:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return str(path)


@dataclass
class TapProcess(TapCommand):
    """The tap's command line; starts a process for each run.

    Attributes:
        processes: starts processes that end with the test.
        checkout: the working directory, whose package is run.
    """

    processes: Processes
    checkout: Path = PROJECT

    def start(
        self, sandbox: Sandbox, *select: str, settings: dict[str, Any] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start to sync the selected streams; takes the options of `Popen`."""
        given = self.settings(sandbox, **(settings or {}))
        return self.processes.start(self.command(given, select=list(select)), **options)

    def run(self, *arguments: Any, env: dict[str, str] | None = None, **options: Any) -> Run:
        done = subprocess.run(
            self.command(*arguments, **options),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.checkout,
            env={**os.environ, **(env or {})},
        )
        return Run(done.returncode, done.stderr, done.stdout.splitlines())


@cache
def discovered() -> str:
    """Return the catalog that the tap discovers."""
    return TapConstantContact(config={}, validate_config=False).catalog_json_text
