"""Lanes: what a test may start, by which quick tests are told from those that take long."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

#: Each test is in exactly one.
LANES = ("unit", "sandbox", "e2e", "slow")

_SANDBOX = Path(__file__).parents[1] / "sandbox"
# With real servers; `make fleet` runs these tests.
_FLEET = Path(__file__).parents[1] / "fleet"
# A test that uses one of these fixtures needs no mark.
_STARTS_PROCESSES = {"processes"}
_STARTS_SERVERS = {"sandbox", "make_sandbox", "synced", "fake_server", "redis", "limits_url"}


def lane_of(item: pytest.Item) -> str:
    """Return the lane of a test: that of its mark, or else of the fixtures that it uses.

    Raises:
        pytest.UsageError: The test has marks of several lanes.
    """
    marked = {mark.name for mark in item.iter_markers() if mark.name in LANES}
    if len(marked) > 1:
        message = f"{item.nodeid} is in several lanes: {', '.join(sorted(marked))}"
        raise pytest.UsageError(message)
    return marked.pop() if marked else _lane_by_place(item)


def restrict(monkeypatch: pytest.MonkeyPatch, lane: str) -> None:
    """Let a test fail that starts what its lane does not allow."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail(f"a test of the lane {lane} may not start this: mark it, or use a fixture")

    if lane in ("unit", "sandbox"):
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    if lane == "unit":
        monkeypatch.setattr(socket.socket, "bind", refuse)


def _lane_by_place(item: pytest.Item) -> str:
    """Return the lane by the fixtures of a test, and by the folder of those of the sandbox."""
    names = {*getattr(item, "fixturenames", ())}
    if names & _STARTS_PROCESSES or item.path.is_relative_to(_FLEET):
        return "e2e"
    is_of_sandbox = item.path.is_relative_to(_SANDBOX)
    return "sandbox" if is_of_sandbox or names & _STARTS_SERVERS else "unit"
