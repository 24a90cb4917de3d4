"""URLs of Redis servers: what they are, and how they are shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from singer_sdk.exceptions import ConfigurationError

_SCHEMES = ("redis", "rediss")
_DATABASE = re.compile(r"/?\d*")


def is_redis(value: str) -> bool:
    """Return whether a setting is the URL of a Redis server, valid or not."""
    return value.partition("://")[0].lower() in _SCHEMES and "://" in value


def is_url(value: str) -> bool:
    """Return whether a setting is meant as a URL, and not as the path of a file."""
    scheme, colon, _ = value.partition(":")
    return "://" in value or bool(colon and scheme.lower() in _SCHEMES)


def is_valid(value: str) -> bool:
    """Return whether a text is a URL that Redis can be connected with.

    An @ behind the host belongs to a password whose special characters are not percent-encoded.
    """
    try:
        url = urlsplit(value)
        has_port = url.port != 0
    except ValueError:  # a port that is not a number
        return False
    return (
        url.scheme in _SCHEMES
        and bool(url.hostname)
        and has_port
        and bool(_DATABASE.fullmatch(url.path))
        and not url.fragment
        and "@" not in url.query
    )


def without_credentials(url: str) -> str:
    """Return a valid URL without user name, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def missing_extra(setting: str) -> ConfigurationError:
    """Return the error of a setting that names a Redis server, if redis-py isn't installed.

    Args:
        setting: The name of the setting.
    """
    return ConfigurationError(
        f"{setting} requires the redis extra: pip install 'tap-constantcontact[redis]'"
    )
