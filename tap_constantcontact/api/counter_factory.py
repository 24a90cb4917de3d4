"""Where the requests of an API key are counted: in Redis, in a file, or in memory."""

from __future__ import annotations

from pathlib import Path

from tap_constantcontact.api.shared_limits import (
    Counter,
    FallbackCounter,
    FileCounter,
    MemoryCounter,
    SharedCounter,
)
from tap_constantcontact.settings.redis_urls import missing_extra


def open_counter(limits_url: str | None, place: Path | str | None, client_id: str) -> Counter:
    """Return the counter of an API key.

    Args:
        limits_url: URL of the Redis server that several machines share, if any.
        place: What is used otherwise: a folder, or the URL of the Redis server of token_store.
        client_id: The API key; without one, nothing is shared.

    Raises:
        ConfigurationError: Redis, or its Python package, can't be used.
    """
    own = MemoryCounter()
    if limits_url and client_id:
        return FallbackCounter(_redis_counter(limits_url, client_id, "limits_url"), own)
    if isinstance(place, str) and client_id:
        return FallbackCounter(_redis_counter(place, client_id, "token_store"), own)
    if isinstance(place, Path) and client_id:
        return FallbackCounter(FileCounter(place, client_id), own)
    return own


def _redis_counter(url: str, client_id: str, setting: str) -> SharedCounter:
    try:
        from tap_constantcontact.api.redis_limits import RedisCounter  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise missing_extra(setting) from error
    return RedisCounter(url, client_id, setting)
