"""Fixtures: a sandbox over real HTTP, a fake server, and the tap's command line."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support.fake_redis import FakeRedis
from support.fake_server import FakeServer
from support.lanes import lane_of, restrict
from support.processes import Processes
from support.sandboxes import MakeSandbox, small_sandbox
from support.tap import TapCommand, TapProcess

from sandbox import Sandbox

# Also what `make test` tells its children, which would change what a test's own make prints.
_OF_THE_MACHINE = ("PYTHON", "TAP_CONSTANTCONTACT_", "LOGLEVEL", "MAKE", "MFLAGS")


def pytest_configure() -> None:
    """Start processes with the same environment on every machine."""
    for name in list(os.environ):
        if name.startswith(_OF_THE_MACHINE):
            del os.environ[name]


# The same cases in each run, on a machine of any speed.
settings.register_profile("deterministic", derandomize=True, deadline=None, database=None)
settings.load_profile("deterministic")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put each test into its lane."""
    for item in items:
        item.add_marker(lane_of(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Hold a test, and the fixtures that it is the first to use, to what its lane allows."""
    with pytest.MonkeyPatch.context() as patch:
        restrict(patch, lane_of(item))
        return (yield)


@pytest.fixture
def tap(tmp_path: Path) -> TapCommand:
    """Return the tap's command line, which runs in this process."""
    return TapCommand(tmp_path)


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Start processes that end with the test."""
    with Processes() as processes:
        yield processes


@pytest.fixture
def tap_process(tmp_path: Path, processes: Processes) -> TapProcess:
    """Return the tap's command line, which starts a process for each run."""
    return TapProcess(tmp_path, processes)


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.close()


@pytest.fixture
def redis() -> Iterator[FakeRedis]:
    server = FakeRedis()
    yield server
    server.end()


@pytest.fixture
def make_sandbox() -> Iterator[MakeSandbox]:
    """Start sandboxes of any kind."""
    with ExitStack() as stack:

        def make(**options: Any) -> Sandbox:
            return stack.enter_context(small_sandbox(**options))

        yield make


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()
