"""Refresh tokens that rotate survive everything."""

from __future__ import annotations

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import TapCommand, TapProcess
from support.waiting import wait_until

from sandbox import TOKEN_PATH, Fault, Sandbox
from tap_constantcontact.auth import RefreshTokenAuthenticator
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.token_store import default_token_store


def login_of(sandbox: Sandbox, store: Path, **changed: Any) -> RefreshTokenAuthenticator:
    arguments: dict[str, Any] = {
        "auth_url": sandbox.settings["auth_url"],
        "client_id": sandbox.settings["client_id"],
        "client_secret": sandbox.settings.get("client_secret"),
        "refresh_token": sandbox.settings["refresh_token"],
        "store_path": store,
        "user_agent": "test",
    }
    return RefreshTokenAuthenticator(**{**arguments, **changed})


def token_requests(sandbox: Sandbox) -> int:
    return len([request for request in sandbox.requests if request.path == TOKEN_PATH])


def kept(store: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(store.read_text())
    return content


def expire(store: Path) -> None:
    """Let the stored access token end."""
    store.write_text(json.dumps({**kept(store), "expires_at": 0}))


def test_the_next_run_uses_the_stored_token(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = tap.settings(sandbox)
    for _ in range(3):
        assert tap.run(settings, select=["account"]).status == 0
    assert token_requests(sandbox) == 1


def test_the_rotated_token_is_used_when_the_access_token_has_ended(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    settings = tap.settings(sandbox)
    for _ in range(3):
        assert tap.run(settings, select=["account"]).status == 0
        expire(tap.token_store)
    assert token_requests(sandbox) == 3
    assert kept(tap.token_store)["refresh_token"] == sandbox.refresh_token


def test_before_wait_is_called_before_a_token_request(tap: TapCommand, sandbox: Sandbox) -> None:
    made_before: list[int] = []
    login = login_of(
        sandbox, tap.token_store, before_wait=lambda: made_before.append(token_requests(sandbox))
    )
    login.update_access_token()
    assert made_before == [0]
    assert token_requests(sandbox) == 1


def test_the_store_is_for_its_user_only_and_leaves_nothing_beside_it(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login_of(sandbox, tap.token_store).update_access_token()
    assert stat.S_IMODE(tap.token_store.stat().st_mode) == 0o600
    assert {path.name for path in tap.folder.iterdir()} <= {"tokens.json", "tokens.json.lock"}


def test_a_new_refresh_token_in_the_settings_replaces_the_stored_one(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login_of(sandbox, tap.token_store).update_access_token()
    old = kept(tap.token_store)
    sandbox.replace_refresh_token()
    login_of(sandbox, tap.token_store).update_access_token()
    new = kept(tap.token_store)
    assert new["seed"] != old["seed"]
    assert new["refresh_token"] == sandbox.refresh_token


def test_each_sign_in_has_a_default_store_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    one, other = default_token_store("key", "one"), default_token_store("key", "other")
    assert one.parent == other.parent == Path("/state/tap-constantcontact")
    assert one != other
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    default = Path("/home/ada/.local/state/tap-constantcontact")
    assert default_token_store("key", "one").parent == default


@pytest.mark.parametrize("expires_in", ["number", "string", "absent"])
def test_the_end_of_an_access_token_is_read_in_every_form(
    tap: TapCommand, make_sandbox: MakeSandbox, expires_in: str
) -> None:
    sandbox = make_sandbox(expires_in=expires_in, token_lifetime=3000)
    login_of(sandbox, tap.token_store).update_access_token()
    assert kept(tap.token_store)["expires_at"] - time.time() == pytest.approx(2700, abs=30)


@pytest.mark.parametrize("public_client", [True, False])
def test_keys_with_and_without_a_secret(
    tap: TapCommand, make_sandbox: MakeSandbox, public_client: bool
) -> None:
    sandbox = make_sandbox(public_client=public_client)
    run = tap.run(tap.settings(sandbox), select=["account"])
    assert run.status == 0, run.log


def test_a_long_lived_token_goes_on(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(long_lived_tokens=True)
    for _ in range(2):
        login_of(sandbox, tap.token_store).update_access_token()
        expire(tap.token_store)
    assert kept(tap.token_store)["refresh_token"] == sandbox.settings["refresh_token"]


def test_a_token_that_another_process_has_rotated_is_read_from_the_store(
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


def test_a_spent_token_ends_the_run_and_says_what_to_do(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = tap.settings(sandbox)
    sandbox.replace_refresh_token()
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    assert "Constant Contact rejected the refresh token (invalid_grant" in run.log
    assert "Sign in again (tap-constantcontact-login) and set refresh_token to the" in run.log
    assert "Traceback" not in run.log


def test_a_wrong_secret_is_explained(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "account", client_secret="wrong")
    assert run.status == 1
    assert "Check client_id and client_secret" in run.log


def test_a_store_that_cannot_be_written_to_is_noticed_before_the_token_is_spent(
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
def test_a_failing_token_endpoint_is_asked_again(
    tap: TapCommand, sandbox: Sandbox, fault: Fault
) -> None:
    sandbox.fail(TOKEN_PATH, fault, times=1)
    login_of(sandbox, tap.token_store).update_access_token()
    assert kept(tap.token_store)["refresh_token"] == sandbox.refresh_token


def test_processes_that_start_together_refresh_once(
    tap_process: TapProcess, sandbox: Sandbox
) -> None:
    command = tap_process.command(tap_process.settings(sandbox), select=["account"])
    runs = [tap_process.processes.start(command) for _ in range(4)]
    logs = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, logs
    assert token_requests(sandbox) == 1


def test_threads_that_start_together_refresh_once(tap: TapCommand, sandbox: Sandbox) -> None:
    login = login_of(sandbox, tap.token_store)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: login.update_access_token(), range(8)))
    assert token_requests(sandbox) == 1


def test_a_401_in_the_middle_of_a_run_gets_a_new_token_once(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    sandbox.fail("/contacts", Fault.UNAUTHORIZED)
    run = tap.sync(sandbox, "contacts", "email_campaigns")
    assert run.status == 0, run.log
    assert len(run.records["contacts"]) == 60
    assert token_requests(sandbox) == 2


def test_an_access_token_revoked_between_runs_is_replaced(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    settings = tap.settings(sandbox)
    assert tap.run(settings, select=["account"]).status == 0
    sandbox.revoke_access_tokens()
    assert tap.run(settings, select=["account"]).status == 0
    assert token_requests(sandbox) == 2


def test_an_api_that_refuses_every_token_ends_the_run(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/account/summary", Fault.UNAUTHORIZED, times=9)
    run = tap.sync(sandbox, "account")
    assert run.status == 1
    assert "The API rejects a new access token" in run.log
    assert token_requests(sandbox) == 2


def test_an_access_token_of_the_settings_is_used_as_it_is(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login = login_of(sandbox, tap.token_store)
    login.update_access_token()
    settings = {"access_token": login.access_token, "api_url": sandbox.settings["api_url"]}
    assert tap.run(settings, select=["account"]).status == 0
    sandbox.revoke_access_tokens()
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    assert "The API rejects the access token" in run.log


@pytest.mark.parametrize("end", ["terminate", "kill_pipe"])
def test_a_token_request_under_way_is_finished_and_stored(
    tap_process: TapProcess, sandbox: Sandbox, end: str
) -> None:
    """The token is rotated at once, but its answer takes longer than the tap may live."""
    sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=2)
    run = tap_process.start(sandbox, "account")
    wait_until(lambda: token_requests(sandbox) > 0)
    if end == "kill_pipe" and run.stdout:
        run.stdout.close()
    run.terminate()
    assert run.wait(timeout=10) == 143
    assert kept(tap_process.token_store)["refresh_token"] == sandbox.refresh_token
    assert tap_process.sync(sandbox, "account").status == 0


def test_a_store_that_cannot_be_replaced_is_noticed_before_the_token_is_spent(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    login = login_of(sandbox, tap.token_store)
    login.store.read = dict  # type: ignore[method-assign]  # there is nothing to read yet
    tap.token_store.mkdir()
    with pytest.raises(LoginError, match="Can't write the token store"):
        login.update_access_token()
    assert token_requests(sandbox) == 0


def test_a_link_to_a_store_is_followed(tap: TapCommand, sandbox: Sandbox) -> None:
    (tap.folder / "kept").mkdir()
    tap.token_store.symlink_to(tap.folder / "kept" / "tokens.json")
    assert tap.sync(sandbox, "account").status == 0
    assert tap.token_store.is_symlink()
    assert kept(tap.folder / "kept" / "tokens.json")["refresh_token"] == sandbox.refresh_token


def test_a_broken_store_is_not_passed_over(tap: TapCommand, sandbox: Sandbox) -> None:
    """The refresh token of the settings may be spent by now."""
    tap.token_store.write_text("{ cut")
    run = tap.sync(sandbox, "account")
    assert run.status == 1
    assert "Can't read the token store" in run.log
    assert token_requests(sandbox) == 0


def test_a_wrong_token_in_the_settings_does_not_cost_the_stored_ones(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    settings = tap.settings(sandbox)
    assert tap.run(settings, select=["account"]).status == 0
    assert tap.run({**settings, "refresh_token": "mistyped"}, select=["account"]).status == 1
    expire(tap.token_store)
    assert tap.run(settings, select=["account"]).status == 0
