"""Which requests are admitted: tokens, rate limits, scopes, privileges, the keys of partners."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import pytest
import requests
from sandbox_client import (
    Client,
    error_of,
)

from sandbox import Options
from sandbox.server.admission import Admission
from sandbox.server.errors import ApiError, TokenError
from sandbox.server.options import SCOPES
from sandbox.server.routing import ENDPOINTS

pytest_plugins = ["sandbox_fixtures"]


def test_invalid_access_token_returns_401(fresh_client: Client) -> None:
    fresh_client.session.headers["Authorization"] = "Bearer unknown"
    response = fresh_client.get("/contacts")
    assert response.status_code == 401
    assert response.json() == {"error_key": "unauthorized", "error_message": "Unauthorized"}
    del fresh_client.session.headers["Authorization"]
    assert fresh_client.get("/contacts").status_code == 401


def test_revoked_access_token_returns_401(fresh_client: Client) -> None:
    fresh_client.sandbox.revoke_access_tokens()
    assert fresh_client.get("/contacts").status_code == 401
    fresh_client.log_in()
    assert fresh_client.get("/contacts").status_code == 200


def test_expired_access_token_returns_401() -> None:
    with Client(token_lifetime=0.2) as client:
        assert client.get("/contacts").status_code == 200
        time.sleep(0.25)
        assert client.get("/contacts").status_code == 401


def test_missing_scope_returns_403() -> None:
    with Client(scopes=("contact_data", "offline_access")) as client:
        assert client.get("/contacts").status_code == 200
        assert error_of(client.get("/emails")) == (403, "campaigns.api.forbidden")
        assert error_of(client.get("/account/summary")) == (403, "accounts.api.forbidden")
        assert client.get("/account/user/privileges").status_code == 200


def test_missing_privilege_returns_403() -> None:
    with Client(privileges=("campaign:read", "campaign:send")) as client:
        assert client.get("/emails").status_code == 200
        path = "/reports/summary_reports/email_campaign_summaries"
        assert error_of(client.get(path)) == (403, "reportingsvc.forbidden")
        held = [row["privilege_name"] for row in client.json("/account/user/privileges")]
        assert held == ["campaign:read", "campaign:send"]


class Passage:
    """A gate with a clock that stands still."""

    def __init__(self, **options: Any) -> None:
        self.now = datetime(2026, 3, 1, 23, 59, tzinfo=timezone.utc).timestamp()
        self.admission = Admission(Options(**options), lambda: self.now)

    def outcome(self) -> str:
        try:
            self.admission.admit(ENDPOINTS["/contacts"], SCOPES)
        except ApiError as error:
            return str(error.body["error_key"])
        return "ok"


def test_requests_per_second_limits_every_second() -> None:
    passage = Passage(requests_per_second=4)
    assert [passage.outcome() for _ in range(5)] == [*["ok"] * 4, "throttled"]
    passage.now += 0.99
    assert passage.outcome() == "throttled"
    passage.now += 0.02
    assert [passage.outcome() for _ in range(5)] == [*["ok"] * 4, "throttled"]


def test_limit_of_requests_can_change() -> None:
    passage = Passage(requests_per_second=8)
    assert [passage.outcome() for _ in range(9)] == [*["ok"] * 8, "throttled"]
    passage.admission.limit_requests(4)
    assert [passage.outcome() for _ in range(5)] == [*["ok"] * 4, "throttled"]
    passage.admission.limit_requests(0)
    assert {passage.outcome() for _ in range(99)} == {"ok"}


def test_token_requests_per_minute_limits_every_minute() -> None:
    passage = Passage(token_requests_per_minute=1)
    passage.admission.admit_token_request()
    passage.now += 59.9
    with pytest.raises(TokenError):
        passage.admission.admit_token_request()
    passage.now += 0.1
    passage.admission.admit_token_request()


def test_daily_quota_resets_at_midnight_utc() -> None:
    passage = Passage(requests_per_second=0, daily_quota=2)
    assert [passage.outcome() for _ in range(3)] == ["ok", "ok", "quota_exceeded"]
    passage.now += 61
    assert passage.outcome() == "ok"


def test_daily_quota_holds_with_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    passage = Passage(daily_quota=20)
    # Between the look at the quota and its count others would have the time to look as well.
    monkeypatch.setattr(passage.admission._last_second, "add", lambda _: time.sleep(0.002))
    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(lambda _: passage.outcome(), range(40)))
    assert outcomes == {"ok": 20, "quota_exceeded": 20}


def test_account_lock_blocks_requests_and_changes(fresh_client: Client) -> None:
    sandbox = fresh_client.sandbox
    with ThreadPoolExecutor() as pool:
        with sandbox.account.lock:
            response = pool.submit(fresh_client.get, "/contacts")
            change = pool.submit(sandbox.change)
            rows = pool.submit(sandbox.expected, {"events"})
            jobs: list[Any] = [response, change, rows]
            time.sleep(0.3)
            assert not any(job.done() for job in jobs)
        assert response.result().status_code == 200


def test_rate_limit_errors_are_as_documented() -> None:
    with Client(requests_per_second=1, daily_quota=2) as client:
        client.get("/contact_tags")
        throttled = client.get("/contact_tags")
        assert throttled.status_code == 429
        assert throttled.json() == {"error_key": "throttled", "error_message": "Too Many Requests"}
        assert "Retry-After" not in throttled.headers
    with Client(daily_quota=1, retry_after=True) as client:
        client.get("/contact_tags")
        exceeded = client.get("/contact_tags")
        assert exceeded.json() == {"error_key": "quota_exceeded", "error_message": "Limit Exceeded"}
        assert exceeded.headers["Retry-After"] == "1"


def test_partner_endpoints_require_partner_token_and_key(fresh_client: Client) -> None:
    url = fresh_client.sandbox.url + "/v3/partner/accounts"
    headers = fresh_client.partner_login()
    assert requests.get(url, headers=headers, timeout=5).status_code == 200
    for wrong in ({"x-api-key": "wrong"}, {"Authorization": "Bearer unknown"}):
        assert requests.get(url, headers={**headers, **wrong}, timeout=5).status_code == 401
    assert fresh_client.session.get(url, timeout=5).status_code == 401
    contacts = fresh_client.sandbox.url + "/v3/contacts"
    assert requests.get(contacts, headers=headers, timeout=5).status_code == 401
