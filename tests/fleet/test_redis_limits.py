"""The limits of an API key in a real Redis, which restarts, hangs, refuses and forgets."""

from __future__ import annotations

import logging
import re
import signal
import time

import pytest
from singer_sdk.exceptions import ConfigurationError
from support.tap import TapCommand, TapProcess

from checks.support.redis_server import RedisServer, redis_server
from fleet.permissions import add_documented_user
from fleet.proxy import proxy
from sandbox import Sandbox
from tap_constantcontact.api import shared_limits
from tap_constantcontact.api.counter_factory import open_counter
from tap_constantcontact.api.shared_limits import Counter

LOST = "Rate limits are no longer shared with other runs"
BACK = "Rate limits are shared with other runs again"


def take(counter: Counter, requests: int = 1) -> int:
    """Make requests, and return today's number after them."""
    return [counter.reserve(1, 0.0, 0.0).counter.requests for _ in range(requests)][-1]


def counter_of(url: str) -> Counter:
    return open_counter(url, None, "key")


def with_login(server: RedisServer, login: str) -> str:
    return server.url.replace("//127", f"//{login}@127")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Try a lost counter again at once."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(shared_limits, "_RETRY_SECONDS", 1e-9)
    monkeypatch.setattr(shared_limits, "_MAX_RETRY_SECONDS", 1e-9)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("persistent", [True, False], ids=["persistent", "in memory"])
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_restart_loses_no_count(
    caplog: pytest.LogCaptureFixture, end: str, *, persistent: bool
) -> None:
    with redis_server(persistent=persistent) as server:
        one, other = counter_of(server.url), counter_of(server.url)
        assert (take(one, 10), take(other, 5)) == (10, 15)
        getattr(server, end)()
        assert (take(one, 3), take(other, 2)) == (13, 17)
        assert [message[: len(LOST)] for message in caplog.messages] == [LOST, LOST]
        server.start()
        # The first one back knows only of ten, if Redis does not.
        assert take(one) == (19 if persistent else 14)
        assert take(other) == (22 if persistent else 18)
        assert take(one) == (23 if persistent else 19)
        assert [message for message in caplog.messages if message == BACK] == [BACK, BACK]


def test_restart_between_two_requests_is_not_noticed(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    counter = counter_of(redis.url)
    take(counter, 3)
    redis.kill()
    redis.start()
    assert take(counter) == 4
    assert caplog.messages == []


@pytest.mark.usefixtures("impatient")
def test_evicted_counter_is_restored() -> None:
    with redis_server(settings={"maxmemory": "3mb", "maxmemory-policy": "allkeys-lru"}) as server:
        counter = counter_of(server.url)
        assert take(counter, 10) == 10
        with server.client() as client:
            for number in range(5000):
                client.set(f"other:{number}", "x" * 1000)
            assert client.keys("tap-constantcontact:*") == []
        assert take(counter) == 11


@pytest.mark.usefixtures("impatient")
def test_full_memory_is_explained_and_does_not_end_the_run(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    counter = counter_of(redis.url)
    take(counter, 3)
    with redis.client() as client:
        client.config_set("maxmemory", "1")
        assert take(counter) == 4
        (warning,) = caplog.messages
        assert f"{LOST} (its memory is full (maxmemory))" in warning
        client.config_set("maxmemory", "0")
    assert take(counter) == 5
    assert caplog.messages[-1] == BACK


@pytest.mark.usefixtures("impatient")
def test_replica_after_a_failover_is_explained(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that led to the primary leads to a replica for a while."""
    counter = counter_of(redis.url)
    take(counter, 3)
    with redis.client() as client:
        client.replicaof("127.0.0.1", "1")
        assert take(counter) == 4
        assert "read-only replica" in caplog.messages[0]
        client.replicaof("NO", "ONE")
    assert take(counter) == 5


@pytest.mark.parametrize("how", ["network", "server"])
def test_hanging_redis_delays_a_run_once(
    redis: RedisServer, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    with proxy(redis.port) as network:
        what = network if how == "network" else redis
        counter = counter_of(redis.url.replace(str(redis.port), str(network.port)))
        assert take(counter, 3) == 3
        what.hang()
        began = time.monotonic()
        assert take(counter, 5) == 8
        assert 3 < time.monotonic() - began < 15
        assert f"{LOST} (no response" in caplog.messages[0]
        what.resume()
        assert len(caplog.messages) == 1


def test_connection_that_was_cut_is_made_again(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Networks drop connections that are idle."""
    with proxy(redis.port) as network:
        counter = counter_of(redis.url.replace(str(redis.port), str(network.port)))
        take(counter, 3)
        network.cut()
        assert take(counter) == 4
        assert caplog.messages == []


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("", "it requires a password"),
        (":the-wrong-one", "it rejects the user name or the password"),
        ("nobody:the-wrong-one", "it rejects the user name or the password"),
        ("mute:the-right-one", "no permissions to run the 'evalsha' command"),
        ("stranger:the-right-one", "it needs the keys tap-constantcontact:*"),
    ],
)
def test_rejected_login_is_explained_without_the_password(
    tap: TapCommand, sandbox: Sandbox, login: str, reason: str
) -> None:
    with redis_server(password="s3cret") as server, server.client() as client:
        user = ["on", ">the-right-one", "+@all"]
        client.execute_command("ACL", "SETUSER", "mute", *user, "~*", "-@scripting")
        client.execute_command("ACL", "SETUSER", "stranger", *user, "~other:*")
        server.password = None
        url = with_login(server, login) if login else server.url
        run = tap.sync(sandbox, "account", limits_url=url)
    assert run.status == 1
    last = run.log.splitlines()[-1]
    assert "Can't use the Redis server of limits_url (" in last
    assert reason in last
    assert not re.search(r"the-wrong-one|the-right-one|s3cret", run.log)
    assert sandbox.requests == []


def test_user_of_the_docs_has_the_permissions(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    assert take(counter_of(add_documented_user(redis)), 3) == 3
    assert caplog.messages == []


def test_password_with_special_characters_is_percent_encoded() -> None:
    with redis_server(password="a/b@c:d#e?f%g") as server:
        assert take(counter_of(server.url), 2) == 2


def test_tls_uses_its_own_authority(tap: TapCommand, sandbox: Sandbox) -> None:
    with redis_server(tls=True, password="s3cret") as server:
        for left in (10_000, 9_999):
            run = tap.sync(sandbox, "account", limits_url=server.url)
            assert run.status == 0
            assert f"{left:,} of today's 10,000 requests" in run.log


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("?ssl_ca_certs", "?ssl_ca_path=/&unused"), "unknown option in the URL: unused"),
        (("authority.pem", "nowhere.pem"), "a file that the URL names doesn't exist"),
        (("rediss://", "redis://"), "unknown option in the URL: ssl_ca_certs"),
    ],
)
def test_wrong_url_of_tls_is_explained(change: tuple[str, str], reason: str) -> None:
    with (
        redis_server(tls=True) as server,
        pytest.raises(ConfigurationError, match=re.escape(reason)),
    ):
        counter_of(server.url.replace(*change))


def test_wrong_protocol_is_explained(redis: RedisServer) -> None:
    with (
        redis_server(tls=True) as server,
        pytest.raises(ConfigurationError, match="with TLS, its URL starts with rediss://"),
    ):
        counter_of(server.url.replace("rediss", "redis").partition("?")[0])
    with pytest.raises(ConfigurationError, match="redis:// is without TLS"):
        counter_of(redis.url.replace("redis", "rediss"))


def test_certificate_that_is_not_trusted_is_explained() -> None:
    with redis_server(tls=True) as server, redis_server(tls=True) as other:
        assert server.authority
        for url in (
            server.url.partition("?")[0],
            server.url.replace(str(server.authority), str(other.authority)),
        ):
            with pytest.raises(ConfigurationError, match="its certificate isn't trusted"):
                counter_of(url)


def test_certificate_of_another_host_is_explained() -> None:
    with (
        redis_server(tls=True, settings={"bind": "127.0.0.1 127.0.0.2"}) as server,
        pytest.raises(ConfigurationError, match="certificate isn't trusted: IP address"),
    ):
        counter_of(server.url.replace("127.0.0.1", "127.0.0.2"))


def test_replica_is_refused_at_the_start(redis: RedisServer) -> None:
    primary = {"replicaof": f"127.0.0.1 {redis.port}"}
    with (
        redis_server(settings=primary) as replica,
        pytest.raises(ConfigurationError, match="read-only replica, and the URL has to name"),
    ):
        counter_of(replica.url)


def test_clock_of_the_server_counts(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = counter_of(redis.url)
    counter.reserve(1, 0.0, 50.0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    other = counter_of(redis.url)
    assert 40 < other.reserve(1, 0.0, 0.0).wait <= 50


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_run_whose_redis_hangs(
    tap_process: TapProcess, sandbox: Sandbox, redis: RedisServer, signum: int
) -> None:
    settings = {"limits_url": redis.url, "requests_per_second": 4}
    run = tap_process.start(sandbox, "contacts", "email_campaign_activities", settings=settings)
    assert run.stderr
    assert any("of today's 10,000 requests" in line for line in run.stderr)
    redis.hang()
    time.sleep(1)
    began = time.monotonic()
    run.send_signal(signum)
    assert run.wait(timeout=30) == 128 + signum
    assert time.monotonic() - began < 8
