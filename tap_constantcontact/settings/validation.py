"""What is wrong with the settings given, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, ValidationError

from tap_constantcontact.settings import custom_streams
from tap_constantcontact.settings.schema import CONTACT_STATUSES
from tap_constantcontact.streams import NAMES
from tap_constantcontact.timestamps import format_timestamp, parse_start

_PARTNER_LOGIN = {"partner_client_id", "partner_client_secret"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "array": "a list",
    "boolean": "true or false",
    "object": "an object",
}


def tidy(config: MutableMapping[str, Any]) -> None:
    """Take out settings without a value, and the blanks around texts.

    An empty line of an `.env` file means "not set"; a secret read from a file has a line's end. So
    it goes for what custom_streams declares: forms leave empty parts in it.
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


def problems(config: Mapping[str, Any], schema: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Yield what is wrong with the settings, a sentence each, without the value of a secret.

    Args:
        config: the settings as given.
        schema: the tap's whole schema of settings, with those that the SDK adds.
        now: what a relative start_date counts from.
    """
    wrong = set()
    for error in Draft202012Validator(schema).iter_errors(dict(config)):
        wrong.add(str(error.path[0]) if error.path else "")
        yield _sentence(error, schema)
    for name, check in _CHECKS.items():
        if name in config and name not in wrong and not check(config[name], now):
            wrong.add(name)
            yield _refusal(name, config[name], _ACCEPTED[check], schema)
    yield from _missing(config)
    if "custom_streams" not in wrong:
        yield from custom_streams.problems(config.get("custom_streams", ()), NAMES)
    if not wrong:
        yield from _contradictions(config, now)


def _missing(config: Mapping[str, Any]) -> Iterator[str]:
    if not ("access_token" in config or {"client_id", "refresh_token"} <= config.keys()):
        yield (
            "Settings client_id and refresh_token are needed (or access_token alone, for a quick "
            "try); tap-constantcontact-login gets them, as the README says"
        )
    if "partner_api_key" in config and not config.keys() >= _PARTNER_LOGIN:
        yield "Setting partner_api_key needs partner_client_id and partner_client_secret"


def _contradictions(config: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Yield what settings, each good by itself, cannot be together."""
    if config.get("contact_activity_types") == []:
        yield "Setting contact_activity_types is [], but must name at least one type"
    start, end = config.get("report_start", "-365d"), config.get("report_end", "-0h")
    if parse_start(start, now) > parse_start(end, now):
        yield f"Setting report_start is {start!r}, but must be before report_end, which is {end!r}"


def unknown(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield a hint for each setting that the tap does not have."""
    for name in sorted(config.keys() - schema["properties"].keys()):
        close = get_close_matches(name, schema["properties"], n=1)
        remedy = f"did you mean {close[0]}?" if close else "--about lists those that are"
        yield f"Setting {name} is not known; {remedy}"


def resolve(config: MutableMapping[str, Any], now: datetime) -> None:
    """Bring settings with several accepted forms into one: start_date into a timestamp."""
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
    try:
        url = urlsplit(value)
        return url.scheme in ("redis", "rediss") and bool(url.hostname) and url.port != 0
    except ValueError:  # also of a port that is no number
        return False


def _are_statuses(value: str, _: datetime) -> bool:
    return all(status in CONTACT_STATUSES for status in _statuses(value))


def _statuses(value: str) -> list[str]:
    return [status.strip() for status in value.split(",")]


def _is_header(value: str, _: datetime) -> bool:
    return value.isprintable() and value.isascii()


def _is_path(value: str, _: datetime) -> bool:
    try:
        return not Path(value).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return False


_CHECKS = {
    "access_token": _is_header,
    "client_id": _is_header,
    "client_secret": _is_header,
    "refresh_token": _is_header,
    "user_agent": _is_header,
    "partner_api_key": _is_header,
    "partner_client_id": _is_header,
    "partner_client_secret": _is_header,
    "token_store": _is_path,
    "start_date": _is_start,
    "report_start": _is_start,
    "report_end": _is_start,
    "api_url": _is_url,
    "auth_url": _is_url,
    "partner_auth_url": _is_url,
    "limits_url": _is_redis_url,
    "contact_status": _are_statuses,
}
_ACCEPTED = {
    _is_header: "printable ASCII characters only",
    _is_path: "the path of a file",
    _is_start: (
        "a date (2026-01-31), a timestamp (2026-01-31T08:00:00Z) or a time before now (-30d, "
        "-12h, -4w), after 1970"
    ),
    _is_url: "an address that begins with https:// (http:// only for this machine)",
    _is_redis_url: "an address that begins with redis:// or rediss://",
    _are_statuses: f"one or more of {', '.join(CONTACT_STATUSES)}, with commas between",
}

# Rules about the names of an object's properties.
_OF_PARTS = ("required", "additionalProperties")


def _sentence(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if not error.path:
        return error.message
    name = ".".join(str(part) for part in error.path)
    if error.validator in _OF_PARTS:
        properties = ", ".join(cast("Mapping[str, Any]", error.schema)["properties"])
        return f"Setting {name} is not usable: {error.message}. It can have {properties}"
    return _refusal(name, error.instance, _accepted(error.schema), schema)


def _refusal(name: str, given: object, accepted: str, schema: Mapping[str, Any]) -> str:
    secret = schema["properties"][name.split(".", maxsplit=1)[0]].get("secret")
    shown = "not usable" if secret else repr(given)
    return f"Setting {name} is {shown}, but must be {accepted}"


def _accepted(schema: Any) -> str:
    if "enum" in schema:
        return f"one of {', '.join(str(value) for value in schema['enum'])}"
    kinds = schema.get("type", [])
    kind = next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")
    least = f" of at least {schema['minimum']}" if "minimum" in schema else ""
    return _TYPES.get(kind, str(kind)) + least
