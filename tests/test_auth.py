"""Rotating refresh tokens survive everything."""

from __future__ import annotations

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import backoff._sync
import pytest
from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import TapCommand, TapProcess
from support.waiting import wait_until

from sandbox import TOKEN_PATH, Fault, Sandbox
from tap_constantcontact.auth import RefreshTokenAuthenticator
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.token_store import open_token_store
from tap_constantcontact.token_store.file import default_path

#: What earlier versions store: one sign-in.
EARLIER = ("access_token", "refresh_token", "expires_at", "seed")


def login_of(
    sandbox: Sandbox, store: Path, *, refresh_token: str | None = None, **changed: Any
) -> RefreshTokenAuthenticator:
    settings = sandbox.settings
    token = refresh_token or settings["refresh_token"]
    arguments: dict[str, Any] = {
        "auth_url": settings["auth_url"],
        "client_secret": settings.get("client_secret"),
        "store": open_token_store(str(store), settings["client_id"], token),
        "user_agent": "test",
    }
    return RefreshTokenAuthenticator(**{**arguments, **changed})


def token_requests(sandbox: Sandbox) -> int:
    return len([request for request in sandbox.requests if request.path == TOKEN_PATH])


def kept(store: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(store.read_text())
    return content


def expire(store: Path) -> None:
    """Let the stored access token expire."""
    store.write_text(json.dumps({**kept(store), "expires_at": 0}))


def test_stored_access_token_is_used_by_the_next_run(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = tap.settings(sandbox)
    for _ in range(3):
        assert tap.run(settings, select=["account"]).status == 0
    assert token_requests(sandbox) == 1


def test_rotated_refresh_token_is_used_after_expiry(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = tap.settings(sandbox)
    for _ in range(3):
        assert tap.run(settings, select=["account"]).status == 0
        expire(tap.token_store)
    assert token_requests(sandbox) == 3
    assert kept(tap.token_store)["refresh_token"] == sandbox.refresh_token


def test_run_without_the_secret_of_earlier_runs_says_so_at_once(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    settings = tap.settings(sandbox)
    assert tap.run(settings, select=["account"]).status == 0
    del settings["client_secret"]
    before = len(sandbox.requests)
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    assert "Missing client_secret" in run.log.splitlines()[-1]
    assert len(sandbox.requests) == before  # the stored access token would have worked for a day


def test_before_wait_is_called_before_a_token_request(tap: TapCommand, sandbox: Sandbox) -> None:
    made_before: list[int] = []
    login = login_of(
        sandbox, tap.token_store, before_wait=lambda: made_before.append(token_requests(sandbox))
    )
    login.update_access_token()
    assert made_before == [0]
    assert token_requests(sandbox) == 1


def test_token_store_is_private_and_leaves_no_other_files(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login_of(sandbox, tap.token_store).update_access_token()
    assert stat.S_IMODE(tap.token_store.stat().st_mode) == 0o600
    assert {path.name for path in tap.folder.iterdir()} <= {"tokens.json", "tokens.json.lock"}


def test_new_refresh_token_setting_replaces_the_stored_one(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login_of(sandbox, tap.token_store).update_access_token()
    old = kept(tap.token_store)
    sandbox.replace_refresh_token()
    login_of(sandbox, tap.token_store).update_access_token()
    new = kept(tap.token_store)
    assert new["seed"] != old["seed"]
    assert new["refresh_token"] == sandbox.refresh_token


def test_token_store_keeps_the_tokens_of_several_accounts(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    accounts = [make_sandbox(seed=1), make_sandbox(seed=2)]
    settings = [tap.settings(each) for each in accounts]
    for _ in range(4):
        for account, own in zip(accounts, settings, strict=True):
            run = tap.run(own, select=["account"])
            assert run.status == 0, run.log
            account.revoke_access_tokens()
    assert [token_requests(account) for account in accounts] == [4, 4]


def test_token_store_serves_several_accounts_at_the_same_time(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    accounts = [make_sandbox(seed=1), make_sandbox(seed=2)]
    commands = []
    for number, account in enumerate(accounts):
        (folder := tap_process.folder / str(number)).mkdir()
        files = TapCommand(folder)
        settings = files.settings(account, token_store=str(tap_process.token_store))
        commands.append(files.command(settings, select=["account"]))
    for _ in range(3):
        runs = [tap_process.processes.start(command) for command in commands]
        logs = [run.communicate(timeout=60)[1] for run in runs]
        assert [run.returncode for run in runs] == [0, 0], logs
        for account in accounts:
            account.revoke_access_tokens()
    assert [token_requests(account) for account in accounts] == [3, 3]


def test_token_store_of_an_earlier_version_keeps_its_tokens(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    one, other = make_sandbox(seed=1), make_sandbox(seed=2)
    settings = tap.settings(one)
    assert tap.run(settings, select=["account"]).status == 0
    earlier = {name: kept(tap.token_store)[name] for name in EARLIER}
    tap.token_store.write_text(json.dumps(earlier))
    one.revoke_access_tokens()
    for _ in range(2):
        assert tap.sync(other, "account").status == 0
        other.revoke_access_tokens()
    run = tap.run(settings, select=["account"])
    assert run.status == 0, run.log
    assert earlier.keys() <= kept(tap.token_store).keys()  # what an earlier version reads
    assert kept(tap.token_store)["seed"] == earlier["seed"]


def test_token_store_drops_tokens_that_were_traded(tap: TapCommand, sandbox: Sandbox) -> None:
    """A client that puts the new token into its settings has a new sign-in each time."""
    for _ in range(4):
        login_of(
            sandbox, tap.token_store, refresh_token=sandbox.refresh_token
        ).update_access_token()
    assert kept(tap.token_store)["refresh_token"] == sandbox.refresh_token
    assert kept(tap.token_store)["others"] == {}


@pytest.mark.parametrize(("days", "left"), [(359, 1), (361, 0)])
def test_token_store_drops_tokens_that_expired_without_use(
    tap: TapCommand, make_sandbox: MakeSandbox, days: int, left: int
) -> None:
    login_of(make_sandbox(), tap.token_store).update_access_token()
    stored_at = time.time() - days * 86_400
    tap.token_store.write_text(json.dumps({**kept(tap.token_store), "stored_at": stored_at}))
    for _ in range(2):
        login_of(make_sandbox(), tap.token_store).update_access_token()
    assert len(kept(tap.token_store)["others"]) == 1 + left


def test_long_lived_token_is_not_dropped(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    """The application was switched from rotating tokens: two settings have the same token."""
    sandbox = make_sandbox(long_lived_tokens=True)
    login_of(sandbox, tap.token_store).update_access_token()
    earlier = {**kept(tap.token_store), "seed": "of the rotating token"}
    tap.token_store.write_text(json.dumps(earlier))
    login_of(sandbox, tap.token_store).update_access_token()
    assert [*kept(tap.token_store)["others"]] == ["of the rotating token"]


def test_default_token_store_is_separate_for_each_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    one, other = default_path("key", "one"), default_path("key", "other")
    assert one.parent == other.parent == Path("/state/tap-constantcontact")
    assert one != other
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    default = Path("/home/ada/.local/state/tap-constantcontact")
    assert default_path("key", "one").parent == default


@pytest.mark.parametrize("expires_in", ["number", "string", "absent"])
def test_access_token_expiry_is_parsed_in_every_form(
    tap: TapCommand, make_sandbox: MakeSandbox, expires_in: str
) -> None:
    sandbox = make_sandbox(expires_in=expires_in, token_lifetime=3000)
    login_of(sandbox, tap.token_store).update_access_token()
    assert kept(tap.token_store)["expires_at"] - time.time() == pytest.approx(2700, abs=30)


@pytest.mark.parametrize("public_client", [True, False])
def test_token_refresh_works_for_keys_with_and_without_secret(
    tap: TapCommand, make_sandbox: MakeSandbox, public_client: bool
) -> None:
    sandbox = make_sandbox(public_client=public_client)
    run = tap.run(tap.settings(sandbox), select=["account"])
    assert run.status == 0, run.log


def test_long_lived_refresh_token_is_kept(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(long_lived_tokens=True)
    for _ in range(2):
        login_of(sandbox, tap.token_store).update_access_token()
        expire(tap.token_store)
    assert kept(tap.token_store)["refresh_token"] == sandbox.settings["refresh_token"]


def test_token_rotated_by_another_process_is_read_from_the_store(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    signed_in_with = sandbox.refresh_token
    login_of(sandbox, tap.token_store).update_access_token()
    expire(tap.token_store)
    login = login_of(sandbox, tap.token_store, refresh_token=signed_in_with)
    stale = login.store.read
    sandbox.replace_refresh_token()

    def read_late() -> dict[str, Any]:
        """Return the old tokens once; the other process stores its own right after."""
        old = stale()
        new = {**kept(tap.token_store), "refresh_token": sandbox.refresh_token}
        tap.token_store.write_text(json.dumps(new))
        login.store.read = stale  # type: ignore[method-assign]
        return old

    login.store.read = read_late  # type: ignore[method-assign]
    login.update_access_token()
    assert kept(tap.token_store)["refresh_token"] == sandbox.refresh_token


def test_used_refresh_token_ends_the_run_with_a_remedy(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = tap.settings(sandbox)
    sandbox.replace_refresh_token()
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    assert "Constant Contact rejected the refresh token (invalid_grant" in run.log
    assert "Sign in again (tap-constantcontact-login) and set refresh_token to the" in run.log
    assert "Traceback" not in run.log


def test_wrong_client_secret_is_explained(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "account", client_secret="wrong")
    assert run.status == 1
    assert "Check client_id and client_secret" in run.log


def test_unwritable_token_store_fails_before_the_token_is_used(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    blocked = tap.folder / "a file"
    blocked.write_text("not a folder")
    before = sandbox.refresh_token
    run = tap.sync(sandbox, "account", token_store=str(blocked / "tokens.json"))
    assert run.status == 1
    assert "Can't write the token store" in run.log
    assert sandbox.refresh_token == before
    assert token_requests(sandbox) == 0


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.THROTTLED, Fault.DROPPED])
def test_failing_token_endpoint_is_retried(tap: TapCommand, sandbox: Sandbox, fault: Fault) -> None:
    sandbox.fail(TOKEN_PATH, fault, times=1)
    login_of(sandbox, tap.token_store).update_access_token()
    assert kept(tap.token_store)["refresh_token"] == sandbox.refresh_token


def test_token_refresh_happens_once_for_concurrent_processes(
    tap_process: TapProcess, sandbox: Sandbox
) -> None:
    command = tap_process.command(tap_process.settings(sandbox), select=["account"])
    runs = [tap_process.processes.start(command) for _ in range(4)]
    logs = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, logs
    assert token_requests(sandbox) == 1


def test_token_refresh_happens_once_for_concurrent_threads(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login = login_of(sandbox, tap.token_store)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: login.update_access_token(), range(8)))
    assert token_requests(sandbox) == 1


def test_401_response_refreshes_the_token_once(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contacts", Fault.UNAUTHORIZED)
    run = tap.sync(sandbox, "contacts", "email_campaigns")
    assert run.status == 0, run.log
    assert len(run.records["contacts"]) == 60
    assert token_requests(sandbox) == 2


def test_revoked_access_token_is_refreshed(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = tap.settings(sandbox)
    assert tap.run(settings, select=["account"]).status == 0
    sandbox.revoke_access_tokens()
    assert tap.run(settings, select=["account"]).status == 0
    assert token_requests(sandbox) == 2


def test_401_response_with_a_new_token_ends_the_run(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/account/summary", Fault.UNAUTHORIZED, times=9)
    run = tap.sync(sandbox, "account")
    assert run.status == 1
    assert "The API rejects a new access token" in run.log
    assert token_requests(sandbox) == 2


def test_access_token_setting_is_used_without_refresh(tap: TapCommand, sandbox: Sandbox) -> None:
    login = login_of(sandbox, tap.token_store)
    login.update_access_token()
    settings = {"access_token": login.access_token, "api_url": sandbox.settings["api_url"]}
    assert tap.run(settings, select=["account"]).status == 0
    sandbox.revoke_access_tokens()
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    assert "The API rejects the access token" in run.log


@pytest.mark.parametrize("end", ["terminate", "kill_pipe"])
def test_token_request_in_flight_is_finished_and_stored_after_a_signal(
    tap_process: TapProcess, sandbox: Sandbox, end: str
) -> None:
    """The token is rotated at once, but the response takes longer than the tap may live."""
    sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=2)
    run = tap_process.start(sandbox, "account")
    wait_until(lambda: token_requests(sandbox) > 0)
    if end == "kill_pipe" and run.stdout:
        run.stdout.close()
    run.terminate()
    assert run.wait(timeout=10) == 143
    assert kept(tap_process.token_store)["refresh_token"] == sandbox.refresh_token
    assert tap_process.sync(sandbox, "account").status == 0


def test_irreplaceable_token_store_fails_before_the_token_is_used(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login = login_of(sandbox, tap.token_store)
    login.store.read = dict  # type: ignore[method-assign]  # there is nothing to read yet
    tap.token_store.mkdir()
    with pytest.raises(LoginError, match="Can't write the token store"):
        login.update_access_token()
    assert token_requests(sandbox) == 0


def test_token_store_can_be_a_symbolic_link(tap: TapCommand, sandbox: Sandbox) -> None:
    (tap.folder / "kept").mkdir()
    tap.token_store.symlink_to(tap.folder / "kept" / "tokens.json")
    assert tap.sync(sandbox, "account").status == 0
    assert tap.token_store.is_symlink()
    assert kept(tap.folder / "kept" / "tokens.json")["refresh_token"] == sandbox.refresh_token


def test_damaged_token_store_ends_the_run(tap: TapCommand, sandbox: Sandbox) -> None:
    """The refresh token in the settings may have been used already."""
    tap.token_store.write_text("{ cut")
    run = tap.sync(sandbox, "account")
    assert run.status == 1
    assert "Can't read the token store" in run.log
    assert token_requests(sandbox) == 0


def test_wrong_refresh_token_setting_keeps_the_stored_tokens(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    settings = tap.settings(sandbox)
    assert tap.run(settings, select=["account"]).status == 0
    assert tap.run({**settings, "refresh_token": "mistyped"}, select=["account"]).status == 1
    expire(tap.token_store)
    assert tap.run(settings, select=["account"]).status == 0


def test_retry_after_of_the_token_endpoint_is_honored(
    tap: TapCommand, fake_server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was seen with an empty body."""
    responses = [(429, b"", {"Retry-After": "7"}), (503, b"", {"Retry-After": "86400"}), (500, b"")]
    token = {"access_token": "a", "expires_in": 60}
    fake_server["/token"] = lambda: responses.pop(0) if responses else token
    waits: list[float] = []
    monkeypatch.setattr(backoff._sync, "time", SimpleNamespace(sleep=waits.append))
    url = f"http://127.0.0.1:{fake_server.port}/token"
    login = RefreshTokenAuthenticator(
        auth_url=url,
        client_secret=None,
        store=open_token_store(str(tap.token_store), "key", "token"),
        user_agent="test",
    )
    login.update_access_token()
    assert login.access_token == "a"
    assert [int(wait - 1e-9) for wait in waits] == [7, 60, 4]
