"""Fixtures of the tests with real servers, which `make test` does not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.processes import Processes
from support.sandboxes import small_sandbox
from support.tap import TapCommand, TapProcess

from checks.support.redis_server import RedisServer, redis_server
from sandbox import Sandbox


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server that keeps its data."""
    with redis_server(persistent=True) as server:
        yield server


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def tap(tmp_path: Path) -> TapCommand:
    """The tap's command line, which runs in this process."""
    return TapCommand(tmp_path)


@pytest.fixture
def tap_process(tmp_path: Path) -> Iterator[TapProcess]:
    """The tap's command line, which starts a process for each run."""
    with Processes() as processes:
        yield TapProcess(tmp_path, processes)
