"""Fixtures of the tests with real servers, which `make test` does not run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.support.redis_server import RedisServer, redis_server


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A server that keeps its data."""
    with redis_server(persistent=True) as server:
        yield server
