"""Tokens in Redis: the same guarantees as in a file. Tests with a real server are in fleet/."""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any, NoReturn

import pytest
from cryptography.fernet import Fernet
from redis import Redis
from redis.exceptions import ResponseError
from support.fake_redis import FakeRedis
from support.redis_tokens import SignIn, put, raw
from support.sandboxes import MakeSandbox
from support.tap import TapCommand
from support.waiting import wait_until

from sandbox import Sandbox
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.token_store import open_token_store
from tap_constantcontact.token_store import redis as redis_store
from tap_constantcontact.token_store.base import fingerprint

KEY, NEW_KEY = (base64.urlsafe_b64encode(byte * 32).decode() for byte in (b"1", b"\xff"))
TOKENS = {"access_token": "a", "refresh_token": "b", "expires_at": 1}


@pytest.fixture
def sign_in(tap: TapCommand, sandbox: Sandbox, redis: FakeRedis) -> SignIn:
    return SignIn(tap, sandbox, redis)


def test_tokens_are_kept_in_redis_alone(sign_in: SignIn, tap: TapCommand) -> None:
    for number in (1, 2, 3):
        for _ in range(2):
            run = sign_in.run()
            assert run.status == 0, run.log
            assert sign_in.token_requests == number
            assert sign_in.tokens["refresh_token"] == sign_in.sandbox.refresh_token
        sign_in.expire()
    assert {path.name for path in tap.folder.iterdir()} == {"config.json", "catalog.json"}


def test_limits_are_shared_where_the_tokens_are(sign_in: SignIn) -> None:
    for left in ("10,000", "9,999"):
        assert f"{left} of today's 10,000 requests" in sign_in.run().log


def test_accounts_share_a_server(
    tap: TapCommand, make_sandbox: MakeSandbox, redis: FakeRedis
) -> None:
    accounts = [SignIn(tap, make_sandbox(seed=seed), redis) for seed in (1, 2)]
    for _ in range(3):
        for account in accounts:
            run = account.run()
            assert run.status == 0, run.log
            account.sandbox.revoke_access_tokens()
    assert [account.token_requests for account in accounts] == [3, 3]
    assert raw(redis).keys() == {account.seed for account in accounts}


def test_partner_tokens_are_kept_too(tap: TapCommand, sandbox: Sandbox, redis: FakeRedis) -> None:
    settings = tap.settings(sandbox, **sandbox.partner_settings, token_store=redis.url)
    for _ in range(2):
        assert tap.run(settings, select=["partner_accounts", "account"]).status == 0
    assert len(raw(redis)) == 2


def test_obsolete_tokens_are_deleted(sign_in: SignIn, redis: FakeRedis) -> None:
    stored_at = time.time() - 361 * 86400
    traded = sign_in.settings["refresh_token"]
    put(redis, "unused", json.dumps({**TOKENS, "stored_at": stored_at}))
    put(redis, "used", json.dumps({**TOKENS, "stored_at": stored_at + 2 * 86400}))
    put(redis, "traded", json.dumps({**TOKENS, "refresh_token": traded}))
    put(redis, "damaged", "{ cut")
    assert sign_in.run().status == 0
    assert raw(redis).keys() == {"used", "damaged", sign_in.seed}


@pytest.mark.parametrize("content", ["{ cut", "[]", "5", "gAAAAcut"])
def test_damaged_tokens_end_the_run(sign_in: SignIn, redis: FakeRedis, content: str) -> None:
    """The refresh token in the settings may have been used already."""
    put(redis, sign_in.seed, content)
    key = KEY if content.startswith("g") else ""
    run = sign_in.run(token_store_key=key)
    assert run.status == 1
    last = run.log.splitlines()[-1]
    if key:
        assert "no key in token_store_key fits" in last
    else:
        assert f"HDEL tap-constantcontact:tokens {sign_in.seed}" in last
    assert f"the token store {redis.url}" in last
    assert sign_in.token_requests == 0


def test_tokens_are_encrypted(sign_in: SignIn, redis: FakeRedis) -> None:
    for _ in range(2):
        assert sign_in.run(token_store_key=KEY).status == 0
    (content,) = raw(redis).values()
    token = sign_in.sandbox.refresh_token
    assert token not in content
    assert json.loads(Fernet(KEY).decrypt(content))["refresh_token"] == token
    assert sign_in.token_requests == 1


def test_keys_are_rotated(sign_in: SignIn, redis: FakeRedis) -> None:
    """The first one encrypts, all decrypt; what was stored without one is read."""
    for keys in ("", KEY, f"{NEW_KEY}, {KEY}", NEW_KEY):
        for _ in range(2):
            run = sign_in.run(token_store_key=keys)
            assert run.status == 0, run.log
            sign_in.sandbox.revoke_access_tokens()
    (content,) = raw(redis).values()
    token = sign_in.sandbox.refresh_token
    assert json.loads(Fernet(NEW_KEY).decrypt(content))["refresh_token"] == token


@pytest.mark.parametrize(
    ("key", "said"), [(NEW_KEY, "no key in token_store_key fits"), ("", "set token_store_key to")]
)
def test_missing_key_is_explained(sign_in: SignIn, key: str, said: str) -> None:
    assert sign_in.run(token_store_key=KEY).status == 0
    run = sign_in.run(token_store_key=key)
    assert run.status == 1
    assert said in run.log.splitlines()[-1]
    assert "[docs: troubleshooting#token-store]" in run.log
    assert KEY not in run.log
    assert sign_in.token_requests == 1


def test_process_without_the_lock_overwrites_nothing(redis: FakeRedis) -> None:
    one, other = (open_token_store(redis.url, "key", "token") for _ in range(2))
    one.read()
    other.read()
    other.write({**TOKENS, "refresh_token": "newer"})
    with pytest.raises(LoginError, match="Its tokens are kept; run again to use them"):
        one.write({**TOKENS, "refresh_token": "older"})
    assert one.read()["refresh_token"] == "newer"
    other.write({**TOKENS, "refresh_token": "newest"})  # by the one that wrote last
    assert one.read()["refresh_token"] == "newest"


def test_store_that_another_process_holds_is_waited_for(
    redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (open_token_store(redis.url, "key", "token") for _ in range(2))
    unrelated = open_token_store(redis.url, "key", "another token")
    monkeypatch.setattr(redis_store, "LOCK_TIMEOUT_SECONDS", 0.2)
    with one.locked():
        with unrelated.locked():
            pass
        with pytest.raises(LoginError, match="Timed out waiting for another process"):
            other.locked().__enter__()
    with other.locked():
        pass


def test_lock_is_renewed_while_it_is_held(
    redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (open_token_store(redis.url, "key", "token") for _ in range(2))
    monkeypatch.setattr(redis_store, "_LEASE_SECONDS", 0.5)
    monkeypatch.setattr(redis_store, "LOCK_TIMEOUT_SECONDS", 1.5)
    with one.locked(), pytest.raises(LoginError, match="Timed out waiting"):
        other.locked().__enter__()


def test_lost_lock_is_acquired_again(redis: FakeRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that keeps nothing on its disk loses locks when it restarts."""
    monkeypatch.setattr(redis_store, "_LEASE_SECONDS", 0.5)
    store = open_token_store(redis.url, "key", "token")
    with store.locked(), redis.client() as client:
        (lock,) = client.keys("*:lock:*")
        client.delete(lock)
        wait_until(lambda: client.keys("*:lock:*") == [lock])
    with redis.client() as client:
        assert client.keys("*") == []


def test_unreachable_server_ends_the_run_without_its_password(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    url = "redis://user:pass@127.0.0.1:1/0?socket_timeout=1"
    run = tap.sync(sandbox, "account", token_store=url, limits_url="")
    assert run.status == 1
    assert "Can't use the Redis server of token_store (Error 111 connecting" in run.log
    assert "pass" not in run.log
    assert sandbox.requests == []


@pytest.mark.parametrize("module", ["redis", "cryptography.fernet"])
def test_missing_package_is_named(
    tap: TapCommand,
    sandbox: Sandbox,
    redis: FakeRedis,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
) -> None:
    for name in ("redis_client", "token_store.redis", "api.redis_limits"):
        monkeypatch.delitem(sys.modules, f"tap_constantcontact.{name}", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    run = tap.sync(sandbox, "account", token_store=redis.url, token_store_key=KEY)
    assert run.status == 1
    assert "requires the redis extra: pip install 'tap-constantcontact[redis]'" in run.log
    assert ("token_store requires" if module == "redis" else "token_store_key requires") in run.log
    assert "unset" not in run.log


@pytest.mark.parametrize("key", ["short", "é", KEY[:-2], f"{KEY},", f"{KEY};{NEW_KEY}"])
def test_invalid_key_is_named_without_its_value(
    tap: TapCommand, sandbox: Sandbox, redis: FakeRedis, key: str
) -> None:
    run = tap.sync(sandbox, "account", token_store=redis.url, token_store_key=key)
    assert run.status == 1
    assert "Invalid token_store_key: value hidden (must be 32 bytes in URL-safe Base64" in run.log


def test_key_of_a_file_is_refused(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "account", token_store_key=KEY)
    assert run.status == 1
    assert "token_store_key requires token_store to be the URL of a Redis server" in run.log
    assert sandbox.requests == []


@pytest.mark.parametrize("setting", ["token_store", "limits_url"])
def test_invalid_url_is_named_without_its_value(
    tap: TapCommand, sandbox: Sandbox, setting: str
) -> None:
    settings = tap.settings(sandbox, **{setting: "redis://user:pa/ss@localhost"})
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    last = run.log.splitlines()[-1]
    assert f"Invalid {setting}: value hidden (must be " in last
    assert "a URL such as redis://HOST:6379/0" in last


@pytest.mark.parametrize(
    "option", ["foo=bar", "ssl_ca_certs=x", "decode_responses=true", "encoding=utf-16", "retry=3"]
)
def test_unknown_option_is_named_before_the_store_is_used(redis: FakeRedis, option: str) -> None:
    name = option.partition("=")[0]
    with pytest.raises(LoginError, match=rf"\(unknown option in the URL: {name}\)"):
        open_token_store(f"{redis.url}?{option}", "key", "token")


def test_options_of_the_connection_are_accepted(redis: FakeRedis) -> None:
    url = f"{redis.url}?db=0&socket_timeout=5&health_check_interval=9&client_name=tap"
    store = open_token_store(url, "key", "token")
    store.write(TOKENS)
    assert store.read()["refresh_token"] == "b"


@pytest.mark.parametrize("stored_at", ["yesterday", None, [], {}])
def test_damaged_time_of_another_sign_in_is_no_obstacle(redis: FakeRedis, stored_at: Any) -> None:
    put(redis, "other", json.dumps({**TOKENS, "stored_at": stored_at}))
    store = open_token_store(redis.url, "key", "token")
    store.write(TOKENS)
    assert store.read()["refresh_token"] == "b"
    assert raw(redis).keys() == {"other", fingerprint("key", "token")}


def test_tokens_are_written_although_others_cannot_be_deleted(
    redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise ResponseError("no permissions")

    store = open_token_store(redis.url, "key", "token")
    store.read()
    monkeypatch.setattr(Redis, "hgetall", refuse)
    store.write(TOKENS)
    assert store.read()["refresh_token"] == "b"


@pytest.mark.parametrize("setting", ["token_store", "limits_url"])
def test_only_limits_url_is_to_be_unset(tap: TapCommand, sandbox: Sandbox, setting: str) -> None:
    """Without token_store, the run would try a refresh token that has been used."""
    settings = tap.settings(sandbox, **{setting: "redis://127.0.0.1:1/0"})
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    assert f"Can't use the Redis server of {setting} (" in run.log
    assert "unset token_store" not in run.log
    assert (", or unset limits_url" in run.log) is (setting == "limits_url")
