"""What the tests share: a sandbox over real HTTP, and the tap as a command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox import Sandbox
from tap_constantcontact.tap import TapConstantContact

MakeSandbox = Callable[..., Sandbox]

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
        """The table at the end of the log: records, requests, and what was not read, by stream."""
        lines = self.log.partition("Run ended after")[2].splitlines()[2:]
        return {line.split()[0]: re.split(r"  +", line)[1:] for line in lines}

    def keys(self, stream: str, key: str) -> list[Any]:
        return [record[key] for record in self.records[stream]]


@dataclass
class TapCommand:
    """The tap's command line, with files of its own."""

    folder: Path

    @property
    def token_store(self) -> Path:
        return self.folder / "tokens.json"

    def settings(self, sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
        """Return the settings for a sandbox; the pace is no limit unless a test is about it."""
        own = {"token_store": str(self.token_store), "requests_per_second": 1000}
        return {**sandbox.settings, **own, **settings}

    def settings_of_all(self, sandbox: Sandbox) -> dict[str, Any]:
        """Return the settings with which every stream has rows."""
        return self.settings(sandbox, **sandbox.settings_of_all)

    def command(
        self,
        settings: dict[str, Any] | None = None,
        *arguments: str,
        state: Any = None,
        select: list[str] | None = None,
    ) -> list[str]:
        """Return the command of a run, whose files are written."""
        command = [sys.executable, "-m", "tap_constantcontact", *arguments]
        if settings is not None:
            command += ["--config", self._file("config", settings)]
        if state is not None:
            command += ["--state", self._file("state", state)]
        if select is not None:
            command += ["--catalog", self._file("catalog", self.catalog(select))]
        return command

    def run(self, *arguments: Any, **options: Any) -> Run:
        """Run the tap to its end; takes what `command` takes."""
        env = options.pop("env", {})
        done = subprocess.run(
            self.command(*arguments, **options),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, **env},
        )
        return Run(done.returncode, done.stderr, done.stdout.splitlines())

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


class NothingPrefetched:
    """The part of an activity source that sends requests ahead: of a fake one, which makes none."""

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        return []

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        pass

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        pass


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that another process or thread does; fail if it takes too long."""
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)


@cache
def discovered() -> str:
    """Return the catalog that the tap discovers."""
    command = [sys.executable, "-m", "tap_constantcontact", "--discover"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def pytest_configure() -> None:
    """Start processes with the same environment on every machine."""
    for name in list(os.environ):
        if name.startswith(("PYTHON", "TAP_CONSTANTCONTACT_")) or name == "LOGLEVEL":
            del os.environ[name]


@pytest.fixture
def tap(tmp_path: Path) -> TapCommand:
    return TapCommand(tmp_path)


class Answers(dict[str, Any]):
    """A server that answers GETs with what a test says: a body, a status and one, or a call."""

    def __init__(self) -> None:
        super().__init__()
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers.get(urlsplit(self.path).path, (404, {}))
                answer = answer() if callable(answer) else answer
                status, body = answer if isinstance(answer, tuple) else (200, answer)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, Any]:
        api_url = f"http://127.0.0.1:{self.server.server_port}/v3"
        return {"api_url": api_url, "access_token": "any", "requests_per_second": 1000}


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.server.shutdown()
    answers.server.server_close()


@pytest.fixture
def make_sandbox() -> Iterator[MakeSandbox]:
    """Start sandboxes of any kind, small ones without a limit of requests a second by default."""
    with ExitStack() as stack:

        def make(**options: Any) -> Sandbox:
            small: dict[str, Any] = {"contacts": 60, "campaigns": 6, "requests_per_second": 0}
            return stack.enter_context(Sandbox(**{**small, **options}))

        yield make


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()
