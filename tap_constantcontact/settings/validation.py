"""Validation of the settings, with messages that say what is wrong and what is accepted."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, ValidationError

from tap_constantcontact.settings import custom_streams, redis_urls, stream_maps
from tap_constantcontact.settings.choices import CONTACT_STATUSES, near_miss
from tap_constantcontact.settings.keys import are_fernet_keys
from tap_constantcontact.settings.texts import type_of
from tap_constantcontact.timestamps import format_timestamp, parse_start

_PARTNER_LOGIN = {"partner_client_id", "partner_client_secret"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "boolean": "true or false",
    "object": "an object, in JSON",
}
# Not secret by itself, but it may hold the seed of hashes.
_HIDDEN = ("stream_map_config",)


def tidy(config: MutableMapping[str, Any]) -> None:
    """Remove settings without a value, and the whitespace around strings.

    An empty line in an `.env` file means "not set", and a secret that was read from a file ends
    with a newline. The same goes for the items of custom_streams, in which forms leave empty
    properties.
    """
    for name, value in list(config.items()):
        config[name] = value.strip() if isinstance(value, str) else value
        if config[name] in (None, "", {}):
            del config[name]
    declarations = config.get("custom_streams")
    if isinstance(declarations, list) and all(isinstance(each, dict) for each in declarations):
        config["custom_streams"] = [dict(each) for each in declarations]
        for each in config["custom_streams"]:
            tidy(each)


def problems(
    config: Mapping[str, Any],
    schema: Mapping[str, Any],
    now: datetime,
    built_in: Collection[str],
    *,
    requires_login: bool = True,
) -> Iterator[str]:
    """Yield a message for each problem in the settings, without the value of any secret.

    Args:
        config: The settings as given.
        schema: The tap's whole schema of settings, including those that the SDK adds.
        now: The time that relative times are subtracted from.
        built_in: Names of the tap's own streams, which custom streams can't have.
        requires_login: Whether missing credentials are a problem.
    """
    wrong = set()
    # The SDK's schema would not say which rule of stream_maps is wrong.
    checked = {name: value for name, value in config.items() if name != "stream_maps"}
    for error in Draft202012Validator(schema).iter_errors(checked):
        wrong.add(str(error.path[0]) if error.path else "")
        yield _schema_violation(error, schema)
    for name, check in _CHECKS.items():
        if name in config and name not in wrong and not check(config[name], now):
            wrong.add(name)
            yield _invalid(name, config[name], _ACCEPTED[check], schema)
    if requires_login:
        yield from _missing(config)
    yield from stream_maps.problems(config.get("stream_maps", {}))
    if "custom_streams" not in wrong:
        yield from custom_streams.problems(config.get("custom_streams", ()), built_in)
    if not wrong:
        yield from _contradictions(config, now)


def _missing(config: Mapping[str, Any]) -> Iterator[str]:
    if not ("access_token" in config or {"client_id", "refresh_token"} <= config.keys()):
        yield (
            "Missing credentials: set client_id and refresh_token (run tap-constantcontact-login "
            "to get them), or access_token alone for a quick try"
        )
    if "partner_api_key" in config and not config.keys() >= _PARTNER_LOGIN:
        yield (
            "partner_api_key requires partner_client_id and partner_client_secret. Set both, or "
            "unset partner_api_key"
        )


def _contradictions(config: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Yield a message for each valid setting that makes no sense with others, or at this time."""
    begin = config.get("start_date", "-0h")
    if parse_start(begin, now) > now:
        yield f"Invalid start_date: {begin!r} (must not be in the future: nothing would be read)"
    if config.get("contact_activity_types") == []:
        yield (
            "Invalid contact_activity_types: [] (must contain at least one type; unset it to "
            "include all)"
        )
    if config.get("add_account_id"):
        yield from custom_streams.account_problems(config.get("custom_streams", ()))
    if "token_store_key" in config and not redis_urls.is_redis(config.get("token_store", "")):
        yield (
            "token_store_key requires token_store to be the URL of a Redis server: a file is "
            "protected by its permissions. Unset it"
        )
    start, end = config.get("report_start", "-365d"), config.get("report_end", "-0h")
    if parse_start(start, now) > parse_start(end, now):
        yield f"Invalid report_start: {start!r} (must be before report_end, which is {end!r})"


def unknown(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield a hint for each setting that the tap doesn't have."""
    for name in sorted(config.keys() - schema["properties"].keys()):
        near = near_miss(name, schema["properties"])
        remedy = f"Did you mean {near}?" if near else "Run with --about to list all settings"
        yield f"Unknown setting: {name}. {remedy}"


def resolve(config: MutableMapping[str, Any], now: datetime) -> None:
    """Convert settings that have several formats into one: start_date into a timestamp."""
    if "start_date" in config:
        config["start_date"] = format_timestamp(parse_start(config["start_date"], now))
    if "contact_status" in config:
        config["contact_status"] = ",".join(_statuses(config["contact_status"]))


def _is_start(value: str, now: datetime) -> bool:
    try:
        return format_timestamp(parse_start(value, now)) > "1971"
    except (ValueError, OverflowError):
        return False


def _is_url(value: str, _: datetime) -> bool:
    try:
        url = urlsplit(value)
    except ValueError:
        return False
    plain = url.scheme == "http" and url.hostname in _LOOPBACK
    return bool(url.hostname) and (url.scheme == "https" or plain)


def _is_redis_url(value: str, _: datetime) -> bool:
    return redis_urls.is_valid(value)


def _are_statuses(value: str, _: datetime) -> bool:
    return all(status in CONTACT_STATUSES for status in _statuses(value))


def _statuses(value: str) -> list[str]:
    return [status.strip() for status in value.split(",")]


def _is_header(value: str, _: datetime) -> bool:
    return value.isprintable() and value.isascii()


def _is_store(value: str, _: datetime) -> bool:
    if redis_urls.is_url(value):
        return redis_urls.is_valid(value)
    try:
        return not Path(value).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return False


def _are_keys(value: str, _: datetime) -> bool:
    return are_fernet_keys(value)


_CHECKS = {
    "access_token": _is_header,
    "client_id": _is_header,
    "client_secret": _is_header,
    "refresh_token": _is_header,
    "user_agent": _is_header,
    "partner_api_key": _is_header,
    "partner_client_id": _is_header,
    "partner_client_secret": _is_header,
    "token_store": _is_store,
    "token_store_key": _are_keys,
    "start_date": _is_start,
    "report_start": _is_start,
    "report_end": _is_start,
    "api_url": _is_url,
    "auth_url": _is_url,
    "partner_auth_url": _is_url,
    "limits_url": _is_redis_url,
    "contact_status": _are_statuses,
}
# No user in an example of a URL: the log would mask it as an email address.
_ACCEPTED = {
    _is_header: "text of printable ASCII characters only",
    _is_store: "the path of a file, or a URL such as redis://HOST:6379/0",
    _are_keys: "32 bytes in URL-safe Base64, or several such keys, separated by commas",
    _is_start: (
        "a date (2026-01-31), a timestamp (2026-01-31T08:00:00Z) or a relative time (-30d, -12h, "
        "-4w), after 1970"
    ),
    _is_url: "a URL that starts with https:// (http:// only for this machine)",
    _is_redis_url: (
        "a URL such as redis://HOST:6379/0, or rediss:// for TLS; in a password, special "
        "characters are percent-encoded"
    ),
    _are_statuses: f"one or more of {', '.join(CONTACT_STATUSES)}, separated by commas",
}

# Keywords about the names of an object's properties.
_PROPERTY_KEYWORDS = ("required", "additionalProperties")


def _schema_violation(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if not error.path:
        return error.message
    name = ".".join(str(part) for part in error.path)
    if error.validator in _PROPERTY_KEYWORDS:
        properties = ", ".join(cast("Mapping[str, Any]", error.schema)["properties"])
        return f"Invalid {name}: {error.message} (accepted properties: {properties})"
    if name in _CHECKS:
        accepted = _ACCEPTED[_CHECKS[name]]
    else:
        accepted = _accepted(cast("Mapping[str, Any]", error.schema), error.instance)
    return _invalid(name, error.instance, accepted, schema)


def _invalid(name: str, given: object, accepted: str, schema: Mapping[str, Any]) -> str:
    setting = name.split(".", maxsplit=1)[0]
    is_path = setting == "token_store" and not redis_urls.is_url(str(given))
    is_secret = setting in _HIDDEN or (schema["properties"][setting].get("secret") and not is_path)
    shown = "value hidden" if is_secret else repr(given)
    return f"Invalid {name}: {shown} (must be {accepted})"


def _accepted(schema: Mapping[str, Any], given: object) -> str:
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        kinds = [each for each in alternatives if type_of(each)]
        return " or ".join(_accepted(each, given) for each in kinds)
    if "enum" in schema:
        return f"one of {', '.join(str(value) for value in schema['enum'])}"
    type_ = type_of(schema)
    if type_ == "array":
        return f"a list, such as {_example(schema['items'])}"
    minimum = f" of at least {schema['minimum']}" if "minimum" in schema else ""
    digits = ", in digits only" if type_ == "integer" and isinstance(given, str) else ""
    return _TYPES.get(type_, type_) + minimum + digits


def _example(items: Mapping[str, Any]) -> str:
    """Return a list as people write it: in JSON, and with commas where that is accepted."""
    if type_of(items) == "object":
        return '[{"name": "…"}]'
    listed = [7, 30] if type_of(items) == "integer" else items.get("enum", ["a", "b"])[:2]
    return f"{json.dumps(listed)} or {','.join(map(str, listed))}"
