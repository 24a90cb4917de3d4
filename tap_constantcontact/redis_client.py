"""Connections to Redis, and why they fail, in words for people; requires the extra `redis`."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004 - Redis's own
)
from redis.retry import Retry

from tap_constantcontact.redaction import in_one_line

#: What `connect` and the commands of its client raise: the latter two for options of the URL.
REDIS_ERRORS = (RedisError, TypeError, ValueError)

#: The beginning of the names of all keys.
KEY_PREFIX = "tap-constantcontact:"

# A server that hangs delays a run by at most ten seconds: the runs of an API key wait for one
# another. One that restarts is mostly back after two retries.
_TIMEOUT_SECONDS = 3
_RETRIES = 2

# Of redis-py's options, others would change what commands return, or need more than a text.
_OPTIONS = {
    *("db", "username", "password", "client_name", "max_connections", "health_check_interval"),
    *("socket_timeout", "socket_connect_timeout", "socket_keepalive", "retry_on_timeout"),
    *("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_password"),
    *("ssl_cert_reqs", "ssl_check_hostname"),
}

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "it rejects the user name or the password"),
    (ReadOnlyError, "it is a read-only replica, and the URL has to name the primary"),
    (OutOfMemoryError, "its memory is full (maxmemory)"),
    (MovedError, "it is part of a cluster, and the tap needs a single server"),
    (TimeoutError, "no response, or not the protocol of the URL: redis:// is without TLS"),
)
_REASONS_BY_TEXT = (
    ("must be called with the client already authenticated", "it requires a password"),
    ("Authentication required", "it requires a password"),
    ("Connection reset", "it closes the connection; with TLS, its URL starts with rediss://"),
    ("Connection closed", "it closes the connection; with TLS, its URL starts with rediss://"),
    ("WRONG_VERSION_NUMBER", "it doesn't use TLS, and its URL starts with redis://"),
    ("No such file or directory", "a file that the URL names doesn't exist"),
)
_UNTRUSTED = re.compile(r"certificate verify failed: (.*?)\.? \(_ssl")
_UNKNOWN_OPTION = re.compile(r"unexpected keyword argument '(\w+)'")
_SCRIPT = re.compile(r"\.? script: .*")


def connect(url: str) -> Redis:
    """Return a client; it connects with its first command.

    Args:
        url: The URL of the server, with redis-py's options in its query.

    Raises:
        RedisError: The URL has an option with an invalid value.
        TypeError: The URL has an option that its scheme doesn't take.
        ValueError: The URL has an unknown option, or one with an invalid value.
    """
    for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise ValueError(f"unknown option in the URL: {name}")
    client: Redis = Redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_keepalive=True,
        retry=Retry(ExponentialBackoff(cap=1, base=0.2), _RETRIES),
    )
    pool = client.connection_pool
    pool.connection_class(**pool.connection_kwargs)  # as the first command will: it checks them
    return client


def explain(error: Exception) -> str:
    """Return why Redis can't be used, without any secret.

    Args:
        error: One of `REDIS_ERRORS`.
    """
    text = in_one_line(str(error))
    if found := _UNTRUSTED.search(text):
        return (
            f"its certificate isn't trusted: {found[1]}; ?ssl_ca_certs=FILE at the end of the URL "
            "names the authority"
        )
    if found := _UNKNOWN_OPTION.search(text):
        return f"unknown option in the URL: {found[1]}"
    for part, reason in _REASONS_BY_TEXT:
        if part in text:
            return reason
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    text = _SCRIPT.sub("", text).removesuffix(".")
    if isinstance(error, NoPermissionError) or "user executing the script" in text:
        return (
            f"{text}; it needs the keys {KEY_PREFIX}*, the commands for scripts, strings and "
            "hashes, and del, expire, pexpire, time and select"
        )
    return text
