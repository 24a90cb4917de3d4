"""Several accounts on one or several API keys."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from sandbox_client import next_href
from support.person import answer

from sandbox import Sandbox
from sandbox.__main__ import parser
from sandbox.auth.tokens import DEVICE_GRANT
from sandbox.server.served_account import ServedAccount

PROJECT = Path(__file__).parents[2]
TINY = {"contacts": 6, "campaigns": 2, "requests_per_second": 0}


def refresh(served: ServedAccount, refresh_token: str = "") -> requests.Response:
    settings = served.settings
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token or served.refresh_token}
    auth = (settings["client_id"], settings["client_secret"])
    return requests.post(settings["auth_url"], data=form, auth=auth, timeout=5)


class Reader:
    """A client that is signed in to one of the accounts."""

    def __init__(self, served: ServedAccount) -> None:
        self.served = served
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {refresh(served).json()['access_token']}"

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.served.settings["api_url"] + path, timeout=5)

    def contact_ids(self) -> set[str]:
        body = self.get("/contacts?limit=500&status=all").json()
        assert next_href(body) is None
        return {contact["contact_id"] for contact in body["contacts"]}


def test_each_account_has_its_own_data_and_token() -> None:
    with Sandbox(accounts=3, api_keys=2, **TINY) as sandbox:
        readers = [Reader(served) for served in sandbox.accounts]
        summaries = [reader.get("/account/summary").json() for reader in readers]
        for name in ("encoded_account_id", "organization_name", "contact_email"):
            assert len({summary[name] for summary in summaries}) == 3
        ids = [reader.contact_ids() for reader in readers]
        assert [len(of_one) for of_one in ids] == [6, 6, 6]
        assert len(set.union(*ids)) == 18
        for reader, of_one in zip(readers, ids, strict=True):
            rows = reader.served.expected({"contacts"})["contacts"]
            assert {row["contact_id"] for row in rows.values()} == of_one


def test_first_of_several_accounts_is_the_only_one_by_default() -> None:
    alone, several = Sandbox(**TINY), Sandbox(accounts=2, **TINY)
    assert len(alone.accounts) == 1
    first, second = (served.account for served in several.accounts)
    assert alone.account.summary == first.summary == several.account.summary
    assert set(alone.account.contacts) == set(first.contacts)
    assert set(second.contacts) == set(Sandbox(**{**TINY, "seed": 2}).account.contacts)


def test_accounts_share_the_api_keys_in_turn() -> None:
    with Sandbox(accounts=5, api_keys=3, **TINY) as sandbox:
        keys = [served.settings["client_id"] for served in sandbox.accounts]
        assert keys == [keys[0], keys[1], keys[2], keys[0], keys[1]]
        assert len(set(keys)) == 3
        first, second = sandbox.accounts[:2]
        used = first.refresh_token
        assert refresh(second, used).json()["error"] == "invalid_grant"  # of another key
        assert refresh(first).ok
        assert first.refresh_token != used


def test_change_changes_one_account() -> None:
    with Sandbox(accounts=2, **TINY) as sandbox:
        first, second = sandbox.accounts
        url = f"{sandbox.url}/_sandbox/changes"
        of_first, of_second = first.expected(), second.expected()
        second.change()
        assert second.expected() != of_second
        assert first.expected() == of_first
        known = set(second.account.contacts)
        assert requests.post(f"{url}?account=2", timeout=5).ok
        assert set(second.account.contacts) > known
        assert first.expected() == of_first
        assert requests.post(url, timeout=5).ok
        assert first.expected() != of_first
        assert requests.post(f"{url}?account=3", timeout=5).status_code == 404


def test_daily_quota_is_that_of_the_api_key() -> None:
    with Sandbox(accounts=3, api_keys=2, daily_quota=4, **TINY) as sandbox:
        first, second, third = readers = [Reader(served) for served in sandbox.accounts]
        statuses = [reader.get("/contact_tags").status_code for reader in (first, third) * 3]
        assert statuses == [200] * 4 + [429] * 2
        assert second.get("/contact_tags").status_code == 200  # another key
        assert list(sandbox.requests_today.values()) == [4, 1]
        sandbox.reset_quotas()
        assert [reader.get("/contact_tags").status_code for reader in readers] == [200] * 3
        assert list(sandbox.requests_today.values()) == [2, 1]


def test_requests_per_second_are_those_of_the_api_key() -> None:
    with Sandbox(accounts=3, api_keys=2, **{**TINY, "requests_per_second": 2}) as sandbox:
        first, second, third = (Reader(served) for served in sandbox.accounts)
        statuses = [reader.get("/contact_tags").status_code for reader in (first, third, first)]
        assert statuses == [200, 200, 429]
        assert second.get("/contact_tags").status_code == 200
        sandbox.limit_requests(0)
        assert {reader.get("/contact_tags").status_code for reader in (first, third) * 5} == {200}


def test_token_requests_are_limited_per_api_key() -> None:
    with Sandbox(accounts=3, api_keys=2, token_requests_per_minute=1, **TINY) as sandbox:
        first, second, third = sandbox.accounts
        assert refresh(first).status_code == 200
        assert refresh(third).status_code == 429
        assert refresh(second).status_code == 200


def test_requests_are_recorded_per_account_and_key() -> None:
    with Sandbox(accounts=3, api_keys=2, **TINY) as sandbox:
        for served, times in zip(sandbox.accounts, (1, 2, 3), strict=True):
            reader = Reader(served)
            for _ in range(times):
                reader.get("/contact_tags")
        requests.get(sandbox.settings["api_url"] + "/contacts", timeout=5)  # without a token
        assert [len(served.requests) for served in sandbox.accounts] == [2, 3, 4]
        first, second, _ = sandbox.accounts
        assert Counter(request.client_id for request in sandbox.requests) == {
            first.client_id: 6,
            second.client_id: 3,
            "": 1,
        }


def address_of(served: ServedAccount) -> str:
    """Return the address of the page on which users sign in with the API key of an account."""
    query = {
        "response_type": "code",
        "client_id": served.client_id,
        "redirect_uri": "http://localhost/",
        "scope": "account_read offline_access",
        "state": "any",
    }
    return served.settings["auth_url"].replace("/token", "/authorize?") + urlencode(query)


def exchange(served: ServedAccount, **form: str) -> str:
    """Exchange a code with the API key of an account, and return whose tokens come."""
    auth = (served.settings["client_id"], served.settings["client_secret"])
    tokens = requests.post(served.settings["auth_url"], data=form, auth=auth, timeout=5).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    url = served.settings["api_url"] + "/account/summary"
    id_: str = requests.get(url, headers=headers, timeout=5).json()["encoded_account_id"]
    return id_


def test_user_who_signs_in_decides_on_the_account() -> None:
    with Sandbox(accounts=3, api_keys=2, **TINY) as sandbox:
        first, _, third = sandbox.accounts
        refresh_token = first.refresh_token
        page = requests.get(address_of(first), timeout=5).text
        assert "sign in as owner@example.com or owner3@example.com with" in page
        sent_back = answer(address_of(first), user="owner3@example.com")
        code = dict(parse_qsl(urlsplit(sent_back).query))["code"]
        form = {"grant_type": "authorization_code", "redirect_uri": "http://localhost/"}
        assert exchange(first, code=code, **form) == third.id
        assert first.refresh_token == refresh_token
        # The user of an account on another key is unknown.
        assert answer(address_of(first), user="owner2@example.com") == ""


def test_user_who_allows_a_device_decides_on_the_account() -> None:
    with Sandbox(accounts=3, api_keys=2, **TINY) as sandbox:
        second = sandbox.accounts[1]
        url = second.settings["auth_url"].replace("/token", "/device/authorize")
        form = {"client_id": second.client_id, "scope": "account_read offline_access"}
        device = requests.post(url, data=form, timeout=5).json()
        answer(device["verification_uri_complete"], user="owner2@example.com")
        grant = {"grant_type": DEVICE_GRANT, "device_code": device["device_code"]}
        assert exchange(second, **grant) == second.id


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox", "--contacts", "5", "--campaigns", "1"]
    return subprocess.Popen(
        [*command, "--accounts", "3", "--api-keys", "2", *arguments],
        cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.e2e
def test_command_prints_a_line_of_settings_per_account() -> None:
    process = start()
    assert process.stdout
    settings = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=5) == ("", "")
    assert len({of_one["refresh_token"] for of_one in settings}) == 3
    keys = [of_one["client_id"] for of_one in settings]
    assert (keys[0] == keys[2], keys[0] == keys[1]) == (True, False)


@pytest.mark.e2e
def test_config_option_writes_a_file_per_account(tmp_path: Path) -> None:
    process = start("--config", str(tmp_path / "config.json"))
    assert process.stdout
    said = ""
    while "Ctrl-C" not in said:
        said += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    files = sorted(tmp_path.glob("*.json"))
    assert [file.name for file in files] == ["config-1.json", "config-2.json", "config-3.json"]
    assert len({json.loads(file.read_text())["refresh_token"] for file in files}) == 3
    assert said.startswith("Serving 3 accounts, each of 5 contacts and 1 campaigns, at http://")
    assert f"Their settings are in {files[0]} to config-3.json." in said


@pytest.mark.parametrize("flag", ["--accounts", "--api-keys"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_numbers_below_one_are_rejected(
    capsys: pytest.CaptureFixture[str], flag: str, value: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([flag, value])
    assert ended.value.code == 2
    assert f"argument {flag}: " in capsys.readouterr().err
