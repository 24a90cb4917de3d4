"""Rotating tokens in a real Redis survive what can happen to processes, locks and the server."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from urllib.parse import urlsplit

import pytest
from redis import Redis
from support.redis_tokens import TOKENS, SignIn, put, raw
from support.sandboxes import small_sandbox
from support.tap import TapCommand, TapProcess
from support.waiting import wait_until

from checks.support.redis_server import RedisServer, redis_server
from fleet.permissions import add_documented_user
from fleet.proxy import proxy
from sandbox import TOKEN_PATH, Fault, Sandbox
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.token_store import open_token_store
from tap_constantcontact.token_store import redis as redis_store
from tap_constantcontact.token_store.redis import RedisTokenStore

NEW = {"access_token": "new", "refresh_token": "newer", "expires_at": 1}
OLD = {"access_token": "old", "refresh_token": "older", "expires_at": 1}
LOCK = "tap-constantcontact:tokens:lock:*"


@pytest.fixture
def sign_in(tap: TapCommand, sandbox: Sandbox, redis: RedisServer) -> SignIn:
    return SignIn(tap, sandbox, redis)


class Start:
    """Starts processes with the same settings, of a sign-in whose token may rotate meanwhile."""

    def __init__(self, tap: TapProcess, sandbox: Sandbox, settings: dict[str, object]) -> None:
        self._tap = tap
        self.sandbox = sandbox
        self.command = tap.command(settings, select=["account"])

    def __call__(self) -> subprocess.Popen[str]:
        return self._tap.processes.start(self.command)

    def end(self) -> tuple[int, str]:
        """Run to the end, and return the exit status and the log."""
        run = self()
        log = run.communicate(timeout=120)[1]
        return run.returncode, log

    @property
    def token_requests(self) -> int:
        return len([each for each in self.sandbox.requests if each.path == TOKEN_PATH])


@pytest.fixture(params=["file", "redis"])
def start(request: pytest.FixtureRequest, tap_process: TapProcess, sandbox: Sandbox) -> Start:
    """Start runs of one sign-in, whose tokens are in a file or in Redis."""
    settings = tap_process.settings(sandbox)
    if request.param == "redis":
        settings["token_store"] = request.getfixturevalue("redis").url
    return Start(tap_process, sandbox, settings)


def wait_for_requests(sandbox: Sandbox, number: int) -> None:
    wait_until(lambda: len(sandbox.requests) >= number)


def test_processes_request_tokens_once(start: Start) -> None:
    runs = [start() for _ in range(4)]
    logs = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, logs
    assert start.token_requests == 1


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_token_request_in_flight_is_finished_and_stored(start: Start, signum: int) -> None:
    """The token is rotated at once, but the response takes longer than the tap may live."""
    start.sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=2)
    run = start()
    wait_until(lambda: start.token_requests > 0)
    run.send_signal(signum)
    assert run.wait(timeout=20) == 128 + signum
    assert start.end()[0] == 0
    assert start.token_requests == 1


def test_kill_after_the_write_loses_nothing(start: Start) -> None:
    start.sandbox.fail("/account/summary", Fault.DELAY, seconds=30)
    run = start()
    wait_until(lambda: len(start.sandbox.requests) > start.token_requests > 0)  # it is in use
    run.kill()
    run.wait()
    assert start.end()[0] == 0
    assert start.token_requests == 1


def test_kill_between_request_and_write_is_explained(start: Start) -> None:
    """Nothing on this machine can know the new token: the response was under way."""
    start.sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=3)
    run = start()
    wait_until(lambda: start.token_requests > 0)
    run.kill()
    run.wait()
    began = time.monotonic()
    status, log = start.end()
    assert status == 1
    assert "Sign in again (tap-constantcontact-login)" in log
    assert time.monotonic() - began < 40  # the lock of the killed process has ended


def test_kill_between_request_and_write_keeps_a_long_lived_token(
    tap_process: TapProcess, redis: RedisServer
) -> None:
    with small_sandbox(long_lived_tokens=True) as sandbox:
        settings = tap_process.settings(sandbox, token_store=redis.url)
        start = Start(tap_process, sandbox, settings)
        sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=3)
        run = start()
        wait_until(lambda: start.token_requests > 0)
        run.kill()
        run.wait()
        status, log = start.end()
        assert status == 0, log


def test_kill_before_the_request_keeps_the_token(
    tap_process: TapProcess, sandbox: Sandbox, redis: RedisServer
) -> None:
    """The process holds the lock, and waits for the token endpoint."""
    settings = tap_process.settings(sandbox, token_store=redis.url)
    port = urlsplit(settings["auth_url"]).port
    assert port
    with proxy(port) as network:
        auth_url = settings["auth_url"].replace(str(port), str(network.port))
        network.hang()
        run = Start(tap_process, sandbox, {**settings, "auth_url": auth_url})()
        with redis.client() as client:
            wait_until(lambda: bool(client.keys(LOCK)))
            run.kill()
            run.wait()
            assert client.keys(LOCK)
        network.cut()
    began = time.monotonic()
    status, log = Start(tap_process, sandbox, settings).end()
    assert status == 0, log
    assert time.monotonic() - began < 40


def test_repeated_kills_lose_no_token_that_was_written(
    tap_process: TapProcess, sandbox: Sandbox, redis: RedisServer
) -> None:
    start = Start(tap_process, sandbox, tap_process.settings(sandbox, token_store=redis.url))
    for number in range(1, 5):
        sandbox.fail("/account/summary", Fault.DELAY, seconds=30)
        before = len(sandbox.requests) + 1
        run = start()
        wait_for_requests(sandbox, before + 1)
        run.kill()
        run.wait()
        assert start.token_requests == number
        (seed,) = raw(redis)
        put(redis, seed, json.dumps({**json.loads(raw(redis)[seed]), "expires_at": 0}))
    status, log = start.end()
    assert status == 0, log


@pytest.mark.parametrize("persistent", [True, False], ids=["persistent", "in memory"])
def test_restart_during_a_token_request_loses_no_token(
    tap_process: TapProcess, sandbox: Sandbox, *, persistent: bool
) -> None:
    """Neither the new token, nor, without persistence, the lock are in Redis then."""
    with redis_server(persistent=persistent) as redis:
        start = Start(tap_process, sandbox, tap_process.settings(sandbox, token_store=redis.url))
        sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=2)
        run = start()
        wait_until(lambda: start.token_requests > 0)
        redis.kill()
        time.sleep(3)  # the response has come, and can't be stored
        redis.start()
        log = run.communicate(timeout=60)[1]
        assert run.returncode == 0, log
        assert start.end()[0] == 0
        assert start.token_requests == 1


def test_hanging_server_during_a_token_request_loses_no_token(
    tap_process: TapProcess, sandbox: Sandbox, redis: RedisServer
) -> None:
    start = Start(tap_process, sandbox, tap_process.settings(sandbox, token_store=redis.url))
    sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=1)
    run = start()
    wait_until(lambda: start.token_requests > 0)
    redis.hang()
    time.sleep(5)
    redis.resume()
    log = run.communicate(timeout=60)[1]
    assert run.returncode == 0, log
    assert start.end()[0] == 0
    assert start.token_requests == 1


def test_expired_lock_does_not_overwrite_a_newer_token(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = open_token_store(redis.url, "key", "token")
    monkeypatch.setattr(redis_store, "_LEASE_SECONDS", 0.3)
    with proxy(redis.port) as network:
        url = redis.url.replace(str(redis.port), str(network.port))
        slow = open_token_store(f"{url}?socket_timeout=0.2", "key", "token")
        with slow.locked():
            slow.read()
            network.hang()  # it can't renew its lock
            with quick.locked():
                quick.read()
                quick.write(NEW)
            network.resume()
            with pytest.raises(LoginError, match="Its tokens are kept; run again"):
                slow.write(OLD)
    assert quick.read()["refresh_token"] == "newer"


def test_token_is_written_although_the_lock_has_expired(redis: RedisServer) -> None:
    """It would be lost otherwise, and nobody else has got a newer one."""
    store = open_token_store(redis.url, "key", "token")
    with store.locked():
        store.read()
        with redis.client() as client:
            (lock,) = client.keys(LOCK)
            client.delete(lock)
        store.write(NEW)
    assert store.read()["refresh_token"] == "newer"


def test_write_whose_response_was_lost_is_not_taken_for_a_conflict(redis: RedisServer) -> None:
    store = RedisTokenStore(redis.url, "key", "token")
    store.read()
    store.write(NEW)
    store._kept = b""  # what it had read before
    (content,) = raw(redis).values()
    assert store._write(content.encode())  # as redis-py would
    assert store.read()["refresh_token"] == "newer"


def test_lock_is_released(sign_in: SignIn, redis: RedisServer) -> None:
    assert sign_in.run().status == 0
    with redis.client() as client:
        assert client.keys(LOCK) == []
        assert client.ttl(TOKENS) == -1  # it does not expire, so that volatile policies keep it


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_server_that_may_evict_tokens_is_refused(
    sign_in: SignIn, redis: RedisServer, policy: str
) -> None:
    with redis.client() as client:
        client.config_set("maxmemory-policy", policy)
        client.config_set("maxmemory", "100mb")
    run = sign_in.run()
    assert run.status == 1
    assert f"may evict tokens (maxmemory-policy {policy})" in run.log
    assert sign_in.token_requests == 0


@pytest.mark.parametrize("settings", [("allkeys-lru", "0"), ("volatile-lru", "100mb")])
def test_server_that_evicts_no_token_is_used(
    sign_in: SignIn, redis: RedisServer, settings: tuple[str, str]
) -> None:
    with redis.client() as client:
        for name, value in zip(("maxmemory-policy", "maxmemory"), settings, strict=True):
            client.config_set(name, value)
    run = sign_in.run()
    assert run.status == 0, run.log
    assert "WARNING" not in run.log


def test_server_without_persistence_is_used_with_a_warning(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    with redis_server() as server:
        sign_in = SignIn(tap, sandbox, server)
        run = sign_in.run()
        assert run.status == 0
        (warning,) = [line for line in run.log.splitlines() if "WARNING" in line]
        assert f"the token store redis://127.0.0.1:{server.port}/0 does not write each" in warning
        assert "WARNING" not in sign_in.run().log  # it wrote nothing


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [("maxmemory", "its memory is full (maxmemory)"), ("replica", "it is a read-only replica")],
)
def test_unwritable_server_ends_the_run_before_the_token_is_used(
    sign_in: SignIn, redis: RedisServer, trouble: str, reason: str
) -> None:
    assert sign_in.run().status == 0
    sign_in.expire()
    limits = {"limits_url": ""}
    with redis.client() as client:
        if trouble == "replica":
            client.replicaof("127.0.0.1", "1")
        else:
            client.config_set("maxmemory", "1")
        run = sign_in.run(**limits)
    assert run.status == 1
    assert reason in run.log
    assert sign_in.token_requests == 1


def test_user_of_the_docs_has_the_permissions(sign_in: SignIn, redis: RedisServer) -> None:
    url = add_documented_user(redis)
    with Redis.from_url(redis.url.replace("/0", "/1")) as client:
        for _ in range(2):
            run = sign_in.run(token_store=url)
            assert run.status == 0, run.log
            assert "WARNING" not in run.log
            assert "pass" not in run.log
            assert client.keys("*:tokens*") == [TOKENS.encode()]  # the lock is deleted
            sign_in.sandbox.revoke_access_tokens()


@pytest.mark.parametrize(
    "command", ["hset", "hdel", "pexpire", "del", "evalsha", "hget", "set", "select"]
)
def test_missing_permission_ends_the_run_before_the_token_is_used(
    sign_in: SignIn, redis: RedisServer, command: str
) -> None:
    url = add_documented_user(redis)
    with redis.client() as client:
        client.execute_command("ACL", "SETUSER", "tap", f"-{command}")
    run = sign_in.run(token_store=url, limits_url=redis.url)
    assert run.status == 1
    last = run.log.splitlines()[-1]
    assert "it needs the keys tap-constantcontact:*" in last
    assert sign_in.token_requests == 0


def test_wrong_password_is_explained_without_it(sign_in: SignIn, redis: RedisServer) -> None:
    url = redis.url.replace("//", "//nobody:the-wrong-one@")
    run = sign_in.run(token_store=url, limits_url=redis.url)
    assert run.status == 1
    last = run.log.splitlines()[-1]
    assert f"Can't use the token store {redis.url} (it rejects the user name or the pass" in last
    assert "the-wrong-one" not in run.log
    assert sign_in.token_requests == 0


def test_tls_and_password(tap: TapCommand, sandbox: Sandbox) -> None:
    with redis_server(tls=True, password="p/w@d", persistent=True) as server:
        sign_in = SignIn(tap, sandbox, server)
        for _ in range(2):
            run = sign_in.run()
            assert run.status == 0, run.log
            assert "WARNING" not in run.log
        assert sign_in.token_requests == 1


def test_value_that_is_no_hash_is_explained(sign_in: SignIn, redis: RedisServer) -> None:
    with redis.client() as client:
        client.set(TOKENS, "text")
    run = sign_in.run()
    assert run.status == 1
    assert "Operation against a key holding the wrong kind of value" in run.log
    assert sign_in.token_requests == 0


def test_obsolete_tokens_that_changed_meanwhile_are_kept(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(redis, "other", '{"refresh_token": "r", "stored_at": 0}')
    store = RedisTokenStore(redis.url, "key", "token")
    store.read()
    obsolete = list(store._obsolete(store.stamped(NEW)))
    put(redis, "other", '{"refresh_token": "changed"}')
    monkeypatch.setattr(store, "_obsolete", lambda _: iter(obsolete))
    store.write(NEW)
    assert raw(redis)["other"] == '{"refresh_token": "changed"}'
