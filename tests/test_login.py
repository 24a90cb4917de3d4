"""The sign-in: its tokens, its output, and how it fails."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from support import person
from support.fake_redis import FakeRedis
from support.in_process import Ended, run_main
from support.processes import Processes
from support.sandboxes import MakeSandbox
from support.tap import PROJECT, TapCommand
from support.waiting import wait_until

from sandbox import TOKEN_PATH, Fault, Sandbox
from tap_constantcontact import login
from tap_constantcontact.login import flows
from tap_constantcontact.login.__main__ import main
from tap_constantcontact.login.scopes import OFFLINE_ACCESS, GrantedPermissions, required_scopes
from tap_constantcontact.streams import STREAMS
from tap_constantcontact.streams.account import AccountUserPrivileges
from tap_constantcontact.streams.campaigns import EmailCampaigns
from tap_constantcontact.streams.sms import SmsCampaignSummaries

ALL_SCOPES = "account_read campaign_data contact_data offline_access"


@dataclass
class SigningIn:
    """A sign-in in progress, and what it has printed."""

    process: subprocess.Popen[str]
    said: str = ""
    shown: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        while piece := self.process.stderr.read(1):
            self.said += piece

    def wait_for(self, text: str) -> str:
        """Wait until it says something, and return all that it has said."""
        wait_until(lambda: text in self.said or self.process.poll() is not None)
        assert text in self.said, self.said
        return self.said

    def end(self) -> int:
        """Wait for its end, and return its exit status."""
        assert self.process.stdout
        self.shown = self.process.stdout.read().splitlines()
        self.reader.join(timeout=30)
        return self.process.wait(timeout=30)

    @property
    def settings(self) -> dict[str, str]:
        """The settings that it shows for .env."""
        prefix = "TAP_CONSTANTCONTACT_"
        pairs = (line.partition("=") for line in self.shown)
        return {name.removeprefix(prefix).lower(): value for name, _, value in pairs}


StartLogin = Callable[..., SigningIn]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tap_constantcontact.login", *arguments]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def key_of(sandbox: Sandbox) -> dict[str, str]:
    """Return what a person has before the first sign-in: the key, and where to go."""
    return {name: value for name, value in sandbox.settings.items() if name != "refresh_token"}


@pytest.fixture
def start_login(tmp_path: Path, processes: Processes) -> StartLogin:
    """Start sign-ins to a sandbox; those that are still under way are ended."""

    def begin(sandbox: Sandbox, *arguments: str, **settings: Any) -> SigningIn:
        file = tmp_path / "login.json"
        file.write_text(json.dumps({**key_of(sandbox), **settings}))
        env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
        given = command("--config", str(file), *arguments)
        return SigningIn(processes.start(given, stdin=subprocess.PIPE, env=env))

    return begin


@pytest.fixture
def browse_login(start_login: StartLogin) -> StartLogin:
    """Start sign-ins that wait for a browser; wait until they do."""

    def begin(sandbox: Sandbox, *arguments: str, **settings: Any) -> SigningIn:
        uri = f"http://localhost:{free_port()}"
        login = start_login(sandbox, "--no-browser", "--redirect-uri", uri, *arguments, **settings)
        login.wait_for("Waiting for the browser")
        return login

    return begin


def run(*arguments: str, **settings: Any) -> Ended:
    """Run the command to its end, with settings of the environment."""
    env = {f"TAP_CONSTANTCONTACT_{name.upper()}": str(value) for name, value in settings.items()}
    return run_main(main, ["tap-constantcontact-login", *arguments], folder=PROJECT, env=env)


@pytest.mark.parametrize("public_client", [True, False], ids=["PKCE key", "key with a secret"])
def test_browser_sign_in_gives_tokens_that_the_tap_uses(
    make_sandbox: MakeSandbox, browse_login: StartLogin, tap: TapCommand, public_client: bool
) -> None:
    sandbox = make_sandbox(public_client=public_client)
    login = browse_login(sandbox, token_store=str(tap.token_store))
    page = person.sign_in(person.address_in(login.said))
    assert "Access granted" in page.text
    assert login.end() == 0, login.said
    assert login.said.splitlines()[-1] == "Signed in: Café Olé (p07e1l8cdif9dl)"
    assert f"Requesting the scopes {ALL_SCOPES}." in login.said
    assert login.settings == {
        "client_id": sandbox.settings["client_id"],
        "refresh_token": sandbox.refresh_token,
        "token_store": str(tap.token_store),
    }
    before = len(sandbox.requests)
    tapped = tap.run(tap.settings(sandbox, **login.settings), select=["account", "contacts"])
    assert tapped.status == 0, tapped.log
    asked = [request.path for request in sandbox.requests[before:]]
    assert TOKEN_PATH not in asked  # it uses the access token of the sign-in
    assert len(tapped.records["contacts"]) == 60


def test_second_sign_in_keeps_the_tokens_of_the_first(
    make_sandbox: MakeSandbox, browse_login: StartLogin, tap: TapCommand
) -> None:
    one, other = make_sandbox(), make_sandbox()
    settings = tap.settings(one)
    assert tap.run(settings, select=["account"]).status == 0
    login = browse_login(other, token_store=str(tap.token_store))
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    one.revoke_access_tokens()
    run = tap.run(settings, select=["account"])
    assert run.status == 0, run.log


def test_sign_in_stores_tokens_in_redis(
    sandbox: Sandbox, browse_login: StartLogin, tap: TapCommand, redis: FakeRedis
) -> None:
    store = {"token_store": redis.url, "token_store_key": base64.b64encode(bytes(32)).decode()}
    login = browse_login(sandbox, **store)
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    assert f"Tokens stored in {redis.url}." in login.said
    assert login.settings["token_store"] == redis.url  # no secret
    before = len(sandbox.requests)
    run = tap.run({**sandbox.settings, **store, **login.settings}, select=["account"])
    assert run.status == 0, run.log
    assert TOKEN_PATH not in [request.path for request in sandbox.requests[before:]]


@pytest.mark.parametrize("with_secret", [False, True])
def test_secrets_of_the_token_store_are_printed_on_request_only(
    sandbox: Sandbox, browse_login: StartLogin, redis: FakeRedis, with_secret: bool
) -> None:
    with redis.client() as client:
        client.config_set("requirepass", "the-password")
    store = {
        "token_store": redis.url.replace("//", "//:the-password@"),
        "token_store_key": base64.urlsafe_b64encode(bytes(32)).decode(),
    }
    login = browse_login(sandbox, *(["--with-secret"] if with_secret else []), **store)
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    printed = {name: login.settings.get(name) for name in store}
    assert printed == (store if with_secret else dict.fromkeys(store))
    assert not [each for each in ("the-password", *store.values()) if each in login.said]
    missing = "TAP_CONSTANTCONTACT_TOKEN_STORE=…\nTAP_CONSTANTCONTACT_TOKEN_STORE_KEY=…\n"
    assert (missing in login.said.partition("Signed in: ")[2]) is not with_secret


def test_unusable_redis_ends_the_sign_in_before_the_browser(sandbox: Sandbox) -> None:
    url = "redis://user:the-password@127.0.0.1:1/0"
    ended = run("--no-secret", "--no-browser", **key_of(sandbox), token_store=url)
    assert ended.status == 1
    assert "Can't use the token store redis://127.0.0.1:1/0 (Error 111 connecting" in ended.stderr
    assert "the-password" not in ended.stderr + ended.stdout
    assert "Open this page" not in ended.stderr


def test_sign_in_stores_tokens_in_the_default_token_store(
    sandbox: Sandbox, browse_login: StartLogin, tap: TapCommand
) -> None:
    login = browse_login(sandbox)
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    (store,) = (tap.folder / "state" / "tap-constantcontact").glob("[!l]*.json")
    assert str(store) in login.said
    before = len(sandbox.requests)
    env = {"XDG_STATE_HOME": str(tap.folder / "state")}
    assert tap.run({**sandbox.settings, **login.settings}, select=["account"], env=env).status == 0
    assert TOKEN_PATH not in [request.path for request in sandbox.requests[before:]]


def test_sign_in_opens_the_browser(
    sandbox: Sandbox, start_login: StartLogin, tap: TapCommand
) -> None:
    """The browser of this test is a command that writes down what it was given."""
    given, browser = tap.folder / "given", tap.folder / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {given}\n')
    browser.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER", f"{browser} %s")
        login = start_login(sandbox, "--redirect-uri", f"http://127.0.0.1:{free_port()}/back")
    login.wait_for("Waiting for the browser")
    assert given.read_text() == person.address_in(login.said)
    person.sign_in(given.read_text())
    assert login.end() == 0, login.said


def test_browser_output_goes_to_stderr(
    sandbox: Sandbox, start_login: StartLogin, tap: TapCommand
) -> None:
    browser = tap.folder / "browser"
    browser.write_text("#!/bin/sh\necho Opening in existing browser session.\n")
    browser.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER", f"{browser} %s")
        login = start_login(sandbox, "--redirect-uri", f"http://127.0.0.1:{free_port()}/back")
    login.wait_for("Waiting for the browser")
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    assert "Opening in existing browser session." in login.said
    assert login.settings.keys() == {"client_id", "refresh_token"}


def test_sign_in_stores_tokens_although_stdout_is_closed(
    sandbox: Sandbox, browse_login: StartLogin, tap: TapCommand
) -> None:
    login = browse_login(sandbox, token_store=str(tap.token_store))
    assert login.process.stdout
    login.process.stdout.close()  # nobody reads what it shows
    person.sign_in(person.address_in(login.said))
    assert login.process.wait(timeout=30) != 0
    assert json.loads(tap.token_store.read_text())["refresh_token"] == sandbox.refresh_token


def test_sign_in_shows_no_secret_except_the_refresh_token(
    sandbox: Sandbox, browse_login: StartLogin
) -> None:
    login = browse_login(sandbox)
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    shown = login.said + "\n".join(login.shown)
    assert sandbox.settings["client_secret"] not in shown
    assert sandbox.refresh_token not in login.said
    assert not re.search(r"eyJ[\w-]+\.", shown)
    assert "code_verifier" not in shown


def test_refused_sign_in_fails(sandbox: Sandbox, browse_login: StartLogin) -> None:
    login = browse_login(sandbox)
    page = person.sign_in(person.address_in(login.said), allow=False)
    assert "Access denied" in page.text
    assert "Sign in again and allow access" in page.text
    assert login.end() == 1
    last = login.said.splitlines()[-1]
    assert last.startswith("Access was denied. Sign in again and allow access")
    assert login.shown == []
    assert "Traceback" not in login.said


def test_refusal_text_is_escaped_for_terminal_and_page(
    sandbox: Sandbox, browse_login: StartLogin
) -> None:
    login = browse_login(sandbox)
    back = person.answer(person.address_in(login.said), allow=False)
    said = "\x1b[2J<script>x</script>\r\nof a@example.com"
    page = requests.get(person.changed(back, error_description=said), timeout=10)
    assert "<script" not in page.text
    assert login.end() == 1
    shown = "(access_denied: [2J<script>x</script> of <email address>)"
    assert login.said.splitlines()[-1].endswith(f"{shown} [docs: troubleshooting#sign-in-failed]")


def test_callback_with_another_state_is_ignored(sandbox: Sandbox, browse_login: StartLogin) -> None:
    login = browse_login(sandbox)
    url = person.address_in(login.said)
    back = person.answer(url)
    for forged in (
        person.changed(back, state="guessed"),
        person.changed(back, state=""),
        person.changed(back, code=""),
        person.changed(back, code="", state="guessed", error="access_denied"),
    ):
        page = requests.get(forged, timeout=10)
        assert page.status_code == 400
        assert "Unexpected response" in page.text
    assert requests.get(f"{back.partition('?')[0]}/favicon.ico", timeout=10).status_code == 404
    assert login.process.poll() is None
    assert requests.get(back, timeout=10).status_code == 200
    assert login.end() == 0, login.said


def test_sign_in_times_out(sandbox: Sandbox, start_login: StartLogin) -> None:
    uri = f"http://localhost:{free_port()}"
    login = start_login(sandbox, "--no-browser", "--redirect-uri", uri, "--timeout", "0.3")
    assert login.end() == 1
    assert "Timed out after 0 s waiting for the sign-in. Try again" in login.said
    with pytest.raises(requests.ConnectionError):
        requests.get(uri, timeout=10)


def test_used_code_is_explained(sandbox: Sandbox, browse_login: StartLogin) -> None:
    login = browse_login(sandbox)
    back = person.answer(person.address_in(login.said))
    sandbox.expire_codes()
    requests.get(back, timeout=10)
    assert login.end() == 1
    assert "Constant Contact rejected the code (invalid_grant" in login.said
    assert login.said.splitlines()[-1].endswith(
        "Sign in again [docs: troubleshooting#sign-in-failed]"
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.NOT_JSON, "the response is not a JSON object or array"),
        (Fault.CUT, "No response to the token request (ChunkedEncodingError)"),
    ],
)
def test_failing_token_endpoint_asks_to_sign_in_again(
    sandbox: Sandbox, browse_login: StartLogin, fault: Fault, said: str
) -> None:
    login = browse_login(sandbox)
    back = person.answer(person.address_in(login.said))
    sandbox.fail(TOKEN_PATH, fault)
    page = requests.get(back, timeout=10)
    assert "No tokens in time" in page.text
    assert login.end() == 1
    assert said in login.said
    assert ". Sign in again [docs: troubleshooting#" in login.said.splitlines()[-1]


def test_page_says_that_the_secret_is_wrong(sandbox: Sandbox, browse_login: StartLogin) -> None:
    login = browse_login(sandbox, client_secret="wrong")
    page = person.sign_in(person.address_in(login.said))
    assert "Sign-in failed" in page.text
    assert "Access granted" not in page.text
    assert "Check client_id and client_secret" in page.text
    assert login.end() == 1


def test_page_says_that_the_tokens_cannot_be_stored(
    sandbox: Sandbox, browse_login: StartLogin, tap: TapCommand
) -> None:
    login = browse_login(sandbox, token_store=str(tap.token_store))
    tap.token_store.unlink()
    tap.token_store.mkdir()  # meanwhile
    page = person.sign_in(person.address_in(login.said))
    assert "Sign-in failed" in page.text
    assert f"Can&#x27;t write the token store {tap.token_store}" in page.text
    assert login.end() == 1


def test_code_without_pkce_verifier_is_refused(sandbox: Sandbox, browse_login: StartLogin) -> None:
    login = browse_login(sandbox)
    back = person.answer(person.address_in(login.said))
    stolen = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "redirect_uri": back.partition("?")[0],
        "code_verifier": "a" * 43,
    }
    key = (sandbox.settings["client_id"], sandbox.settings["client_secret"])
    refused = requests.post(sandbox.settings["auth_url"], data=stolen, auth=key, timeout=10)
    assert refused.json()["error_description"] == "PKCE verification failed."


def test_authorization_url_has_the_documented_parameters(
    sandbox: Sandbox, browse_login: StartLogin
) -> None:
    login = browse_login(sandbox)
    asked = parse_qs(urlsplit(person.address_in(login.said)).query)
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == [sandbox.settings["client_id"]]
    assert asked["scope"] == [ALL_SCOPES]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) >= 30


def test_sign_in_requests_scopes_of_selected_streams(
    sandbox: Sandbox, browse_login: StartLogin, tap: TapCommand
) -> None:
    catalog = tap.folder / "catalog.json"
    catalog.write_text(json.dumps(tap.catalog(["contacts"])))
    login = browse_login(sandbox, "--catalog", str(catalog))
    assert "Requesting the scopes contact_data offline_access." in login.said
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    assert login.said.splitlines()[-1].startswith("Signed in: token accepted (account name not")


def test_sign_in_requests_the_scope_of_the_account_that_is_added(
    sandbox: Sandbox, browse_login: StartLogin, tap: TapCommand
) -> None:
    discovered = json.loads("\n".join(tap.run({"add_account_id": True}, "--discover").lines))
    (contacts,) = [each for each in discovered["streams"] if each["stream"] == "contacts"]
    catalog = tap.folder / "catalog.json"
    catalog.write_text(json.dumps({"streams": [contacts]}))
    login = browse_login(sandbox, "--catalog", str(catalog), add_account_id=True)
    assert "Requesting the scopes account_read contact_data offline_access." in login.said


def test_sign_in_requests_scopes_of_custom_streams(
    sandbox: Sandbox, browse_login: StartLogin
) -> None:
    loyalty = {"name": "loyalty", "path": "/loyalty", "primary_keys": ["id"]}
    scopes = ["contact_data", "loyalty:read"]
    login = browse_login(sandbox, custom_streams=[{**loyalty, "scopes": scopes}])
    assert f"Requesting the scopes {ALL_SCOPES.replace(' off', ' loyalty:read off')}." in login.said


def test_scopes_option_names_streams_without_scope(
    sandbox: Sandbox, browse_login: StartLogin
) -> None:
    login = browse_login(sandbox, "--scopes", "account_read,contact_data")
    assert "Requesting the scopes account_read contact_data offline_access." in login.said
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    assert "email_campaigns can't be read: requires the scope campaign_data." in login.said
    assert "contacts can't be read" not in login.said


def test_scopes_that_are_not_granted_are_named(
    make_sandbox: MakeSandbox, browse_login: StartLogin
) -> None:
    sandbox = make_sandbox(scopes=("account_read", "contact_data", "offline_access"))
    login = browse_login(sandbox)
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    assert "Constant Contact didn't grant campaign_data." in login.said


def test_sign_in_without_refresh_token_fails(
    make_sandbox: MakeSandbox, browse_login: StartLogin
) -> None:
    sandbox = make_sandbox(scopes=("account_read", "contact_data", "campaign_data"))
    login = browse_login(sandbox)
    person.sign_in(person.address_in(login.said))
    assert login.end() == 1
    assert "Constant Contact returned no refresh token" in login.said


def test_scopes_of_all_streams_are_known() -> None:
    assert required_scopes(STREAMS) == {*ALL_SCOPES.split()} - {OFFLINE_ACCESS}
    without = [
        stream for stream in STREAMS if not stream.for_partners and not required_scopes([stream])
    ]
    assert without == [AccountUserPrivileges]


def test_rights_name_missing_scope_or_privilege() -> None:
    assert GrantedPermissions(None, None).missing_for(SmsCampaignSummaries) == ""
    assert (
        GrantedPermissions(frozenset(), None).missing_for(SmsCampaignSummaries)
        == "the scope campaign_data"
    )
    granted = GrantedPermissions(frozenset(["campaign_data"]), frozenset(["campaign:read"]))
    assert granted.missing_for(SmsCampaignSummaries) == "the privilege ui:campaign:metrics"
    assert granted.missing_for(EmailCampaigns) == ""


# A device.


@pytest.mark.parametrize("device_needs_secret", [False, True])
@pytest.mark.parametrize("public_client", [True, False], ids=["PKCE key", "key with a secret"])
def test_device_sign_in_gives_tokens_that_the_tap_uses(
    make_sandbox: MakeSandbox,
    start_login: StartLogin,
    tap: TapCommand,
    public_client: bool,
    device_needs_secret: bool,
) -> None:
    sandbox = make_sandbox(
        public_client=public_client,
        device_needs_secret=device_needs_secret and not public_client,
        device_interval=0.1,
        token_requests_per_minute=0,
    )
    login = start_login(sandbox, "--device", token_store=str(tap.token_store))
    said = login.wait_for("Waiting for the code")
    code = re.findall(r"^  ([A-Z]{4}-[A-Z]{4})$", said, re.MULTILINE)[0]
    assert person.answer(f"{person.address_in(said)}?user_code={code}") == ""
    assert login.end() == 0, login.said
    assert login.said.splitlines()[-1] == "Signed in: Café Olé (p07e1l8cdif9dl)"
    assert login.settings["refresh_token"] == sandbox.refresh_token
    assert tap.run(tap.settings(sandbox, **login.settings), select=["account"]).status == 0


@pytest.fixture
def device(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox(device_interval=0.1, token_requests_per_minute=0)


def test_refused_device_sign_in_fails(device: Sandbox, start_login: StartLogin) -> None:
    login = start_login(device, "--device")
    said = login.wait_for("Waiting for the code")
    complete = re.findall(r"This address includes the code: (\S+)", said)[0]
    person.answer(complete, allow=False)
    assert login.end() == 1
    assert "Access was denied. Sign in again" in login.said


def test_device_code_expires(device: Sandbox, start_login: StartLogin) -> None:
    login = start_login(device, "--device")
    login.wait_for("Waiting for the code")
    device.expire_codes()
    assert login.end() == 1
    assert "The code was not entered in time. Try again" in login.said


def test_application_without_device_flow_is_explained(
    device: Sandbox, start_login: StartLogin
) -> None:
    login = start_login(device, "--device", client_id="another")
    assert login.end() == 1
    assert "Can't get a device code (401 invalid_client" in login.said
    assert "that the device flow is enabled" in login.said


# An address that is pasted.


def test_pasted_address_signs_in(sandbox: Sandbox, start_login: StartLogin) -> None:
    login = start_login(sandbox, "--paste")
    login.wait_for("Address: ")
    back = person.answer(person.address_in(login.said))
    assert login.process.stdin
    for other in ("http://[", person.changed(back, state="another")):
        print(other, file=login.process.stdin, flush=True)
    wait_until(lambda: login.said.count("That address isn't from this sign-in") == 2)
    print(back, file=login.process.stdin, flush=True)
    assert login.end() == 0, login.said
    assert login.settings["refresh_token"] == sandbox.refresh_token


def test_pasted_refusal_fails(sandbox: Sandbox, start_login: StartLogin) -> None:
    login = start_login(sandbox, "--paste")
    login.wait_for("Address: ")
    assert login.process.stdin
    back = person.answer(person.address_in(login.said), allow=False)
    print(back, file=login.process.stdin, flush=True)
    assert login.end() == 1
    assert "Access was denied" in login.said


def test_empty_paste_fails(sandbox: Sandbox, start_login: StartLogin) -> None:
    login = start_login(sandbox, "--paste")
    assert login.process.stdin
    login.process.stdin.close()
    assert login.end() == 1
    assert "No address was pasted" in login.said


# What goes wrong before.


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        ((), {}, "Missing client ID: pass --client-id"),
        (("--client-id=x", "--scopes=billing"), {}, "Invalid --scopes: 'billing'"),
        (("--client-id=x",), {"auth_url": "ftp://x"}, "Invalid auth_url: 'ftp://x'"),
        (("--client-id=x",), {"auth_url": "https://x/y"}, "(must end with /token"),
        (("--client-id=x", "--redirect-uri=https://x"), {}, "with --paste, any redirect URI"),
        (("--client-id=x", "--redirect-uri=http://localhost:1x"), {}, "Invalid --redirect-uri: "),
        (("--client-id=x", "--token-store=/dev/null/x"), {}, "/dev/null"),
        (("--client-id=x", "--config=/nowhere.json"), {}, "/nowhere.json"),
    ],
)
def test_invalid_sign_in_options_are_explained(
    arguments: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    ended = run(*arguments, **settings)
    assert ended.status == 1
    assert said in ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon"])
def test_invalid_timeout_is_refused(seconds: str) -> None:
    ended = run("--client-id=x", "--timeout", seconds)
    assert ended.status == 2
    assert f"argument --timeout: invalid seconds value: '{seconds}'" in ended.stderr


def test_binary_token_store_is_replaced(
    sandbox: Sandbox, browse_login: StartLogin, tap: TapCommand
) -> None:
    tap.token_store.write_bytes(b"\xff\xfe")
    login = browse_login(sandbox, token_store=str(tap.token_store))
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said


@pytest.mark.sandbox
def test_port_in_use_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"http://localhost:{listener.getsockname()[1]}"
        ended = run("--client-id=x", "--redirect-uri", uri)
    assert ended.status == 1
    assert f"Can't listen on {uri}" in ended.stderr


def test_unreachable_authorization_server_is_explained() -> None:
    ended = run("--client-id=x", "--device", auth_url="http://127.0.0.1:9/token")
    assert ended.status == 1
    assert "Can't reach the API" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_missing_login_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, flows.__name__)
    monkeypatch.delattr(login, "flows")
    for name in ("oauthlib", "oauthlib.oauth2"):
        monkeypatch.setitem(sys.modules, name, None)
    ended = run("--client-id=x", "--no-browser", "--timeout=1")
    assert ended.status == 1
    assert "pip install 'tap-constantcontact[login]'" in ended.stderr


@pytest.mark.parametrize("with_secret", [False, True])
def test_prompted_secret_is_not_shown_and_reported_missing_unless_printed(
    sandbox: Sandbox, tap: TapCommand, tmp_path: Path, processes: Processes, with_secret: bool
) -> None:
    ours, theirs = pty.openpty()
    file = tmp_path / "login.json"
    settings = key_of(sandbox)
    secret = settings.pop("client_secret")
    file.write_text(json.dumps({**settings, "token_store": str(tmp_path / "tokens.json")}))
    uri = f"http://localhost:{free_port()}"
    given = command("--config", str(file), "--no-browser", "--redirect-uri", uri)
    given += ["--with-secret"] if with_secret else []
    login = SigningIn(processes.start(given, stdin=theirs, start_new_session=True))
    login.wait_for("Application secret")
    os.write(ours, secret.encode() + b"\n")
    login.wait_for("Waiting for the browser")
    person.sign_in(person.address_in(login.said))
    assert login.end() == 0, login.said
    assert secret not in login.said
    assert login.settings.get("client_secret") == (secret if with_secret else None)
    missing = "Add to .env yourself:\nTAP_CONSTANTCONTACT_CLIENT_SECRET=…\n"
    assert (missing in login.said.partition("Signed in: ")[2]) is not with_secret
    # What stdout had goes to .env: with the secret it works, without it the first run says so.
    run = tap.run({**settings, **login.settings}, select=["account"])
    assert run.status == (0 if with_secret else 1)
    assert ("Missing client_secret" in run.log.splitlines()[-1]) is not with_secret


# What a sign-in is good for.


def test_status_has_account_scopes_and_unreadable_streams(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(
        scopes=("account_read", "contact_data", "offline_access"),
        privileges=("account:read", "contacts:read"),
    )
    ended = run("--status", **{**sandbox.settings, "token_store": str(tap.token_store)})
    assert ended.status == 0, ended.stderr
    said = dict(re.findall(r"^(\w[\w ]+?)  +(.+)$", ended.stdout, re.MULTILINE))
    assert said["Account"] == "Café Olé (p07e1l8cdif9dl)"
    assert said["Scopes"] == "account_read contact_data offline_access"
    assert re.fullmatch(r"valid until \d{4}-\d\d-\d\d \d\d:\d\d UTC", said["Access token"])
    assert re.search(r"after 180 days without use, on \d{4}-", said["Refresh token"])
    assert re.search(r"requires the scope campaign_data: .*email_campaigns", ended.stdout)
    assert "requires the privilege contacts:lists:read: contact_lists" in ended.stdout
    assert "requires the privilege contacts:write: bulk_activities" in ended.stdout
    for secret in (sandbox.refresh_token, sandbox.settings["client_secret"]):
        assert secret not in ended.stdout + ended.stderr


def test_status_uses_the_stored_token(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = {**sandbox.settings, "token_store": str(tap.token_store)}
    assert run("--status", **settings).status == 0
    assert run("--status", **settings).status == 0
    assert [request.path for request in sandbox.requests].count(TOKEN_PATH) == 1


def test_status_without_sign_in_explains_how_to_sign_in() -> None:
    ended = run("--status")
    assert ended.status == 1
    assert "run tap-constantcontact-login" in ended.stderr


def test_status_without_the_token_of_a_sign_in_says_where_it_belongs(sandbox: Sandbox) -> None:
    ended = run("--status", **key_of(sandbox))
    assert ended.status == 1
    assert ended.stderr.splitlines()[-1].startswith("Missing refresh_token: the sign-in printed it")


def test_status_of_a_used_token_explains_what_to_do(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = {**sandbox.settings, "token_store": str(tap.token_store)}
    sandbox.replace_refresh_token()
    ended = run("--status", **settings)
    assert ended.status == 1
    assert "Sign in again (tap-constantcontact-login)" in ended.stderr


def test_status_does_not_wait_for_the_quota_to_reset(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/account/*", Fault.QUOTA_EXCEEDED, times=9)
    settings = {**sandbox.settings, "token_store": str(tap.token_store)}
    ended = run("--status", on_quota_exceeded="wait", **settings)
    assert ended.status == 75
    assert "The API's daily quota is exhausted" in ended.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "Invalid JSON in {file}: "),
        ("[]", "Invalid catalog: not one of this tap"),
        ("null", "Invalid catalog: not one of this tap"),
        (None, "{file}: No such file or directory. Check its path"),
    ],
)
def test_unreadable_catalog_is_explained(tmp_path: Path, content: str | None, said: str) -> None:
    file, config = tmp_path / "mine.json", tmp_path / "config.json"
    config.write_text(json.dumps({"client_id": "key", "auth_url": "http://127.0.0.1:9/token"}))
    if content is not None:
        file.write_text(content)
    given = ["--config", str(config), "--catalog", str(file), "--no-browser", "--timeout", "0"]
    ended = run_main(main, ["tap-constantcontact-login", *given], folder=tmp_path)
    assert ended.status == 1
    assert said.format(file=file) in ended.stderr.splitlines()[-1]
