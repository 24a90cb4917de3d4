"""Clients of the sandbox, for the tests that name this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox_client import Client


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client that the tests of a file share: they only read."""
    with Client() as client:
        yield client


@pytest.fixture
def fresh_client() -> Iterator[Client]:
    """A client for one test, which may change the account, plan faults or use its tokens."""
    with Client() as client:
        yield client
