"""The Redis server of the other tests: what it keeps, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError, OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from checks.support.redis_server import ServerFailed, redis_server

PROJECT = Path(__file__).parents[2]
# Runs a server, says where it is, and does not end by itself.
HOLDER = """
from checks.support.redis_server import redis_server
with redis_server() as server:
    print(server.port, server.folder, flush=True)
    input()
"""


def test_server_is_gone_afterwards() -> None:
    with redis_server() as server, server.client() as client:
        client.set("key", "value")
        assert client.get("key") == "value"
        assert server.folder.exists()
    assert not server.folder.exists()
    with server.client() as client, pytest.raises(RedisError):
        client.ping()


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_restart_keeps_what_is_persistent(end: str, *, persistent: bool) -> None:
    with redis_server(persistent=persistent) as server, server.client() as client:
        client.set("key", "value")
        getattr(server, end)()
        with pytest.raises(RedisError):
            client.ping()
        server.start()
        assert client.get("key") == ("value" if persistent else None)


def test_password_is_required() -> None:
    with redis_server(password="p#ss/w@rd") as server, server.client() as client:
        assert client.ping()
        server.password = None
        with server.client() as other, pytest.raises(AuthenticationError):
            other.ping()


def test_tls_is_required() -> None:
    with redis_server(tls=True) as server, server.client() as client:
        assert client.ping()
        server.authority = None
        with server.client() as other, pytest.raises(RedisError):
            other.ping()


def test_settings_hold() -> None:
    with (
        redis_server(settings={"maxmemory": "1"}) as server,
        server.client() as client,
        pytest.raises(OutOfMemoryError),
    ):
        client.set("key", "value")


def test_hanging_server_answers_later() -> None:
    with redis_server() as server:
        client = server.client()
        client.connection_pool.connection_kwargs["socket_timeout"] = 0.2
        server.hang()
        with pytest.raises(RedisTimeoutError):
            client.ping()
        server.resume()
        assert client.ping()
        client.close()
        server.hang()  # one that hangs ends as well


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_killed_process_leaves_nothing_behind(signum: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    ) as holder:
        assert holder.stdout
        port, folder = holder.stdout.readline().split()
        holder.send_signal(signum)
        # What clears up has inherited the output, which ends when it has.
        holder.stdout.read()
    assert not Path(folder).exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)))


def test_missing_program_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerFailed, match="apt-get install redis-server"), redis_server():
        pass
