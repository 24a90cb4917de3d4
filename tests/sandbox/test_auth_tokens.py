"""The token endpoint: grants, rotation, and faults in the middle of a rotation."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from sandbox_client import (
    Client,
    claims_of,
)

from sandbox import PARTNER_TOKEN_PATH, TOKEN_PATH, Fault

pytest_plugins = ["sandbox_fixtures"]


def test_rotating_refresh_token_is_valid_once(fresh_client: Client) -> None:
    first = fresh_client.sandbox.refresh_token
    response = fresh_client.refresh(first).json()
    assert set(response) == {"token_type", "expires_in", "access_token", "scope", "refresh_token"}
    assert response["refresh_token"] == fresh_client.sandbox.refresh_token != first
    assert len(response["refresh_token"]) == 43
    again = fresh_client.refresh(first)
    assert again.status_code == 400
    assert again.json() == {
        "error": "invalid_grant",
        "error_description": "The refresh token is invalid or expired.",
    }
    assert fresh_client.refresh(response["refresh_token"]).ok


def test_long_lived_refresh_token_stays_valid() -> None:
    with Client(long_lived_tokens=True) as client:
        token = client.sandbox.refresh_token
        assert [client.refresh(token).json()["refresh_token"] for _ in range(2)] == [token, token]


def test_replace_refresh_token_invalidates_the_old_one(fresh_client: Client) -> None:
    old = fresh_client.sandbox.refresh_token
    new = fresh_client.sandbox.replace_refresh_token()
    assert fresh_client.refresh(old).json()["error"] == "invalid_grant"
    assert fresh_client.refresh(new).ok


def test_confidential_client_must_use_basic_authentication(fresh_client: Client) -> None:
    token, client_id = (
        fresh_client.sandbox.refresh_token,
        fresh_client.sandbox.settings["client_id"],
    )
    both = fresh_client.refresh(token, form={"client_id": client_id})
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    wrong = fresh_client.refresh(token, auth=(client_id, "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    body = fresh_client.refresh(token, auth=None, form={"client_id": client_id})
    assert (body.status_code, body.json()["error"]) == (401, "invalid_client")
    assert fresh_client.refresh(token).ok


def test_public_client_must_use_the_body() -> None:
    with Client(public_client=True) as client:
        assert "client_secret" not in client.sandbox.settings
        token, client_id = client.sandbox.refresh_token, client.sandbox.settings["client_id"]
        assert client.refresh(token, auth=(client_id, "")).status_code == 401
        assert client.refresh(token, auth=None, form={"client_id": client_id}).ok


def test_unsupported_grant_type_returns_400(fresh_client: Client) -> None:
    response = fresh_client.refresh(
        fresh_client.sandbox.refresh_token, form={"grant_type": "password"}
    )
    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("form", "expires_in"), [("number", 28_800), ("string", "28800"), ("absent", None)]
)
def test_expires_in_option_sets_its_form(form: Any, expires_in: object) -> None:
    with Client(expires_in=form, token_lifetime=28_800) as client:
        assert client.log_in().json().get("expires_in") == expires_in


def test_access_token_holds_its_claims(fresh_client: Client) -> None:
    claims = claims_of(fresh_client.log_in())
    assert claims["scp"] == ["account_read", "contact_data", "campaign_data", "offline_access"]
    assert claims["cid"] == fresh_client.sandbox.settings["client_id"]
    assert claims["exp"] - claims["iat"] == pytest.approx(86_400, abs=1)
    assert claims["platform_user_id"]


def test_delayed_token_response_follows_the_rotation(fresh_client: Client) -> None:
    fresh_client.sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=0.4)
    token = fresh_client.sandbox.refresh_token
    with pytest.raises(requests.Timeout):
        requests.post(
            fresh_client.sandbox.settings["auth_url"],
            data={"grant_type": "refresh_token", "refresh_token": token},
            auth=(
                fresh_client.sandbox.settings["client_id"],
                fresh_client.sandbox.settings["client_secret"],
            ),
            timeout=0.1,
        )
    assert fresh_client.refresh(token).json()["error"] == "invalid_grant"


def test_failed_token_request_keeps_the_refresh_token(fresh_client: Client) -> None:
    for fault, status in (
        (Fault.THROTTLED, 429),
        (Fault.SERVER_ERROR, 500),
        (Fault.UNAVAILABLE, 503),
        (Fault.GATEWAY_TIMEOUT, 504),
        (Fault.NOT_JSON, 200),
    ):
        fresh_client.sandbox.fail(TOKEN_PATH, fault)
        token = fresh_client.sandbox.refresh_token
        response = fresh_client.refresh(token)
        assert response.status_code == status
        is_json = response.headers["Content-Type"] == "application/json"
        assert is_json == (status == 500)
        assert fresh_client.refresh(token).ok


def test_dropped_token_request_keeps_the_refresh_token(fresh_client: Client) -> None:
    fresh_client.sandbox.fail(TOKEN_PATH, Fault.DROPPED)
    token = fresh_client.sandbox.refresh_token
    with pytest.raises(requests.ConnectionError):
        fresh_client.refresh(token)
    assert fresh_client.refresh(token).ok


def test_truncated_token_response_uses_the_refresh_token(fresh_client: Client) -> None:
    for fault in (Fault.CUT, Fault.CUT_JSON):
        fresh_client.sandbox.fail(TOKEN_PATH, fault)
        token = fresh_client.sandbox.refresh_token
        with pytest.raises(requests.RequestException):  # a body that ends early, or invalid JSON
            fresh_client.refresh(token).json()
        assert fresh_client.refresh(token).json()["error"] == "invalid_grant"


def test_refresh_token_requires_offline_access() -> None:
    with Client(scopes=("contact_data",)) as client:
        token = client.sandbox.refresh_token
        assert "refresh_token" not in client.refresh(token).json()


def test_token_endpoint_limits_requests_per_minute() -> None:
    with Client(token_requests_per_minute=2) as client:
        token = client.sandbox.refresh_token
        assert client.refresh(token).ok
        refused = client.refresh(client.sandbox.refresh_token)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert refused.content == b""
    with Client(token_requests_per_minute=0, long_lived_tokens=True) as client:
        token = client.sandbox.refresh_token
        assert all(client.refresh(token).ok for _ in range(65))


def partner_token(client: Client, grant_type: str = "client_credentials", secret: str = "") -> Any:
    settings = client.sandbox.partner_settings
    return requests.post(
        settings["partner_auth_url"],
        data={"grant_type": grant_type},
        auth=(settings["partner_client_id"], secret or settings["partner_client_secret"]),
        timeout=5,
    )


def test_partner_token_endpoint_checks_client_and_grant(fresh_client: Client) -> None:
    response = partner_token(fresh_client).json()
    assert set(response) == {"token_type", "expires_in", "access_token"}
    assert partner_token(fresh_client, secret="wrong").json()["error"] == "invalid_client"
    assert partner_token(fresh_client, "refresh_token").json()["error"] == "unsupported_grant_type"
    assert fresh_client.sandbox.requests[-1].path == PARTNER_TOKEN_PATH


def test_partner_token_without_a_partner_returns_401() -> None:
    with Client(partner_api_key="") as client:
        assert partner_token(client).status_code == 401
