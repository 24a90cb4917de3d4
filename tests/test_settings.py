"""A wrong setting is refused at start, with a sentence for people."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from tap_constantcontact.settings import validation
from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.tap import TapConstantContact

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
LOGIN = {"client_id": "key", "refresh_token": "token"}


def problems(**given: Any) -> list[str]:
    return list(validation.problems({**LOGIN, **given}, SETTINGS.to_dict(), NOW, ()))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"client_secret": "secret", "start_date": "-30d", "contact_status": "active,deleted"},
        {"api_url": "http://127.0.0.1:8080/v3", "contacts_include": ["notes"], "max_requests": 1},
    ],
)
def test_valid_settings_are_accepted(given: dict[str, Any]) -> None:
    assert problems(**given) == []


@pytest.mark.parametrize(
    ("name", "given", "accepted"),
    [
        ("max_requests", 0, "an integer of at least 1"),
        ("max_requests", "many", "an integer of at least 1"),
        ("contacts_sweep_days", -1, "an integer of at least 0"),
        ("on_quota_exceeded", "panic", "one of fail, stop, wait"),
        ("start_date", "31/12/2026", "a date (2026-01-31)"),
        ("contact_status", "active,gone", "one or more of all, active"),
        ("api_url", "http://api.cc.email/v3", "starts with https://"),
        ("api_url", "https://[", "starts with https://"),
        ("auth_url", "token", "starts with https://"),
        ("start_date", "0001-01-01", "after 1970"),
        ("token_store", "/", "the path of a file"),
        ("user_agent", "a\nb", "printable ASCII"),
        ("contact_ids", "{", 'a list, such as ["a", "b"] or a,b'),
        ("engagement_rereads_days", True, "a list, such as [7, 30] or 7,30"),
        ("contact_status", [1], "one or more of all, active"),
        ("start_date", 20260131, "a date (2026-01-31)"),
        ("keep_unknown_fields", "maybe", "true or false"),
    ],
)
def test_invalid_setting_is_named_with_value_and_accepted_values(
    name: str, given: Any, accepted: str
) -> None:
    (problem,) = problems(**{name: given})
    assert f"Invalid {name}: {given!r} (must be " in problem
    assert accepted in problem


def test_invalid_item_of_a_list_setting_is_named() -> None:
    (problem,) = problems(contacts_include=["notes", "shoe_size"])
    assert "Invalid contacts_include.1: 'shoe_size' (must be one of custom_fields" in problem


def test_invalid_stream_map_is_named_with_accepted_types() -> None:
    schema = TapConstantContact.config_jsonschema
    TapConstantContact.append_builtin_config(schema)
    given = {**LOGIN, "stream_maps": {"contacts": 5}}
    (problem,) = validation.problems(given, schema, NOW, ())
    assert problem == "Invalid stream_maps.contacts: 5 (must be an object of rules, or __NULL__)"


@pytest.mark.parametrize("secret", [271828, "271828\n271828"])
def test_invalid_secret_setting_is_named_without_its_value(secret: Any) -> None:
    (problem,) = problems(client_secret=secret)
    assert "Invalid client_secret: value hidden (must be " in problem
    assert "271828" not in problem


@pytest.mark.parametrize(
    "url",
    [
        *("http://localhost", "redis://", "redis://:a/b@localhost:x"),
        *("redis://user:12?34@localhost", "redis://user:12#34@localhost"),
        *("redis://localhost/first", "redis://localhost:0", "redis://localhost:99999"),
    ],
)
def test_invalid_limits_url_is_named_without_its_value(url: str) -> None:
    (problem,) = problems(limits_url=url)
    assert problem == (
        "Invalid limits_url: value hidden (must be a URL such as redis://HOST:6379/0, or rediss:// "
        "for TLS; in a password, special characters are percent-encoded)"
    )


@pytest.mark.parametrize(
    "url",
    [
        *("redis://localhost", "rediss://user:a%2Fb%40@localhost:6380/1?ssl_ca_certs=/a.pem"),
        *("redis://:p@[::1]:6379/", "rediss://name.example.com?ssl_check_hostname=false"),
    ],
)
def test_valid_limits_url_is_accepted(url: str) -> None:
    assert problems(limits_url=url) == []


@pytest.mark.parametrize(
    "store",
    [
        *("valkey://u:secretpw@h:6379/0", "redis:/u:secretpw@h/0", "REDISS:u:secretpw@h"),
        *("redis://u:secret/pw@h", "file:///tokens.json"),
    ],
)
def test_url_that_redis_does_not_take_is_no_path_of_tokens(store: str) -> None:
    (problem,) = problems(token_store=store)
    assert problem == (
        "Invalid token_store: value hidden (must be the path of a file, or a URL such as "
        "redis://HOST:6379/0)"
    )


@pytest.mark.parametrize("store", ["redis/tokens.json", "tokens:1.json", "redis.json"])
def test_path_of_tokens_may_look_like_a_url(store: str) -> None:
    assert problems(token_store=store) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"partner_api_key": "k"}, "partner_api_key requires partner_client_id"),
        (
            {"report_start": "-1d", "report_end": "-2d"},
            "report_start: '-1d' (must be before report_end",
        ),
        ({"start_date": "2026-11-22"}, "start_date: '2026-11-22' (must not be in the future"),
        ({"contact_activity_types": []}, "must contain at least one type"),
    ],
)
def test_setting_that_requires_others_says_so(given: dict[str, Any], said: str) -> None:
    (problem,) = problems(**given)
    assert said in problem


@pytest.mark.parametrize("given", [{}, {"client_id": "key"}, {"refresh_token": "token"}])
def test_settings_require_a_login(given: dict[str, Any]) -> None:
    (problem,) = validation.problems(given, SETTINGS.to_dict(), NOW, ())
    assert "set client_id and refresh_token" in problem


def test_access_token_setting_is_a_login() -> None:
    given = {"access_token": "token"}
    assert list(validation.problems(given, SETTINGS.to_dict(), NOW, ())) == []


def test_unknown_setting_suggests_a_similar_one() -> None:
    (hint,) = validation.unknown({"start_dat": "-30d"}, SETTINGS.to_dict())
    assert hint == "Unknown setting: start_dat. Did you mean start_date?"


def test_empty_settings_are_not_set() -> None:
    config: dict[str, Any] = {"client_id": " key\n", "client_secret": "", "max_requests": None}
    validation.tidy(config)
    assert config == {"client_id": "key"}


def test_settings_are_normalized() -> None:
    config = {"start_date": "-30d", "contact_status": "active , deleted"}
    validation.resolve(config, NOW)
    assert config == {
        "start_date": "2026-10-22T12:00:00.000Z",
        "contact_status": "active,deleted",
    }
