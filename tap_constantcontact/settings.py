"""The tap's settings: what they are, what is accepted, and what is wrong with those given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, ValidationError
from singer_sdk import typing as th

from tap_constantcontact.values import Misfit, parse_start, timestamp

API_URL = "https://api.cc.email/v3"
AUTH_URL = "https://authz.constantcontact.com/oauth2/default/v1/token"

CONTACT_STATUSES = (
    "all",
    "active",
    "deleted",
    "not_set",
    "pending_confirmation",
    "temp_hold",
    "unsubscribed",
)
# The six of the contract. `sms_channel` was a legal value until 2024-11 and comes by itself now
# (guess): it can be asked for, and is dropped where the API refuses it.
CONTACT_INCLUDES = (
    "custom_fields",
    "list_memberships",
    "phone_numbers",
    "street_addresses",
    "taggings",
    "notes",
)

SETTINGS = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="API key of your application. Needed with refresh_token.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Secret of your application; leave it out for a PKCE application.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description=(
            "Refresh token of the account, from a sign-in with the scope offline_access. A token "
            "that rotates is kept up to date in token_store."
        ),
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description=(
            "An access token for a quick try without client_id and refresh_token; it ends within "
            "a day. Not used when refresh_token is set."
        ),
    ),
    th.Property(
        "token_store",
        th.StringType,
        title="Token store",
        description=(
            "File in which tokens are kept between runs, one file for each account. Default: a "
            "file in $XDG_STATE_HOME/tap-constantcontact, else ~/.local/state/tap-constantcontact."
        ),
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description=(
            "Where the first run begins: rows of incremental streams that last changed before are "
            "left out. A date (2026-01-31), a timestamp (2026-01-31T08:00:00Z), or a time before "
            "now in hours, days or weeks (-12h, -30d, -4w). Later runs go on from their bookmarks."
        ),
        examples=["2026-01-31", "-30d"],
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=API_URL,
        title="API URL",
        description="Address of the API.",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        default=AUTH_URL,
        title="Token URL",
        description="Address that gives access tokens.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header of every request. Default: the tap's name and version.",
    ),
    th.Property(
        "requests_per_second",
        th.IntegerType(minimum=1),
        default=4,
        title="Requests a second",
        description="The most requests in any second; the API allows an API key 4.",
    ),
    th.Property(
        "max_requests",
        th.IntegerType(minimum=1),
        title="Requests a run",
        description="The most requests of one run; it ends early when they are used up.",
    ),
    th.Property(
        "daily_quota",
        th.IntegerType(minimum=1),
        default=10000,
        title="Requests a day",
        description=(
            "The most requests in one UTC day of all runs with this client_id that keep their "
            "tokens in the same folder. The API allows an API key 10,000, shared by everything "
            "that uses it."
        ),
    ),
    th.Property(
        "on_quota_exceeded",
        th.StringType,
        allowed_values=["fail", "stop", "wait"],
        default="fail",
        title="When the quota is used up",
        description=(
            "fail: end with exit status 75. stop: end with success. wait: sleep until the quota "
            "is new at 00:00 UTC. State is written before the run ends, and the next one goes on."
        ),
    ),
    th.Property(
        "contact_status",
        th.StringType,
        default="all",
        title="Contact status",
        description=(
            f"Which contacts to read: {', '.join(CONTACT_STATUSES)}; several with commas between."
        ),
    ),
    th.Property(
        "contacts_include",
        th.ArrayType(th.StringType(allowed_values=[*CONTACT_INCLUDES, "sms_channel"])),
        default=list(CONTACT_INCLUDES),
        title="Parts of a contact",
        description=(
            "Sub-resources that contacts come with. sms_channel comes by itself, and can be asked "
            "for where the API takes it."
        ),
    ),
    th.Property(
        "contacts_sweep_days",
        th.IntegerType(minimum=0),
        default=1,
        title="Days between contact sweeps",
        description=(
            "How often all contacts are read, since no filter of the API shows every change: 0 "
            "means in every run. A sweep costs a request for 500 contacts."
        ),
    ),
)

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

    An empty line of an `.env` file means "not set"; a secret read from a file has a line's end.
    """
    for name, value in list(config.items()):
        config[name] = value.strip() if isinstance(value, str) else value
        if config[name] in (None, ""):
            del config[name]


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
    if not ("access_token" in config or {"client_id", "refresh_token"} <= config.keys()):
        yield (
            "Settings client_id and refresh_token are needed (or access_token alone, for a quick "
            "try); the README says how to get them"
        )
    for name, check in _CHECKS.items():
        if name in config and name not in wrong and not check(config[name], now):
            yield _refusal(name, config[name], _ACCEPTED[name], schema)


def unknown(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield a hint for each setting that the tap does not have."""
    for name in sorted(config.keys() - schema["properties"].keys()):
        close = get_close_matches(name, schema["properties"], n=1)
        yield f"Setting {name} is not known" + (f"; did you mean {close[0]}?" if close else "")


def resolve(config: MutableMapping[str, Any], now: datetime) -> None:
    """Bring settings with several accepted forms into one: start_date into a timestamp."""
    if "start_date" in config:
        config["start_date"] = timestamp(parse_start(config["start_date"], now))
    if "contact_status" in config:
        config["contact_status"] = ",".join(_statuses(config["contact_status"]))


def _is_start(value: str, now: datetime) -> bool:
    try:
        return timestamp(parse_start(value, now)) > "1971"
    except (Misfit, OverflowError):
        return False


def _is_url(value: str, _: datetime) -> bool:
    try:
        url = urlsplit(value)
    except ValueError:
        return False
    plain = url.scheme == "http" and url.hostname in _LOOPBACK
    return bool(url.hostname) and (url.scheme == "https" or plain)


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
    "token_store": _is_path,
    "start_date": _is_start,
    "api_url": _is_url,
    "auth_url": _is_url,
    "contact_status": _are_statuses,
}
_TEXT = "printable ASCII characters only"
_ACCEPTED = {
    "access_token": _TEXT,
    "client_id": _TEXT,
    "client_secret": _TEXT,
    "refresh_token": _TEXT,
    "user_agent": _TEXT,
    "token_store": "the path of a file",
    "start_date": (
        "a date (2026-01-31), a timestamp (2026-01-31T08:00:00Z) or a time before now (-30d, "
        "-12h, -4w), after 1970"
    ),
    "api_url": "an address that begins with https:// (http:// only for this machine)",
    "auth_url": "an address that begins with https:// (http:// only for this machine)",
    "contact_status": f"one or more of {', '.join(CONTACT_STATUSES)}, with commas between",
}


def _sentence(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if not error.path:
        return error.message
    name = ".".join(str(part) for part in error.path)
    return _refusal(name, error.instance, _accepted(error.schema), schema)


def _refusal(name: str, given: object, accepted: str, schema: Mapping[str, Any]) -> str:
    secret = schema["properties"][name.split(".", maxsplit=1)[0]].get("secret")
    what = "not usable" if secret else repr(given)
    return f"Setting {name} is {what}, but must be {accepted}"


def _accepted(schema: Any) -> str:
    if "enum" in schema:
        return f"one of {', '.join(str(value) for value in schema['enum'])}"
    kinds = schema.get("type", [])
    kind = next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")
    least = f" of at least {schema['minimum']}" if "minimum" in schema else ""
    return _TYPES.get(kind, str(kind)) + least
