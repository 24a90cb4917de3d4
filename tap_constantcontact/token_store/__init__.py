"""Where tokens are kept between runs: in a file, or in Redis."""

from __future__ import annotations

from pathlib import Path

from tap_constantcontact.settings.redis_urls import is_redis, missing_extra
from tap_constantcontact.token_store.base import TokenStore
from tap_constantcontact.token_store.file import FileTokenStore, default_path


def open_token_store(
    place: str | None,
    client_id: str,
    refresh_token: str,
    *,
    key: str | None = None,
    suffix: str = "",
) -> TokenStore:
    """Return the store of a sign-in; nothing is read or written yet.

    Args:
        place: The setting token_store: the path of a file, or the URL of a Redis server.
        client_id: The application's API key.
        refresh_token: The token of the sign-in, from which later ones descend.
        key: The setting token_store_key.
        suffix: Replaces the suffix of the path, if it is one.

    Raises:
        ConfigurationError: A Python package is missing.
        LoginError: The URL has unknown options; or there is no default path, as the user has no
            home directory.
    """
    if place and is_redis(place):
        try:
            # An extra.
            from tap_constantcontact.token_store.redis import RedisTokenStore  # noqa: PLC0415
        except ImportError as error:
            raise missing_extra("token_store") from error
        return RedisTokenStore(place, client_id, refresh_token, key=key)
    if place:
        path = Path(place).expanduser()
        path = path.with_suffix(suffix) if suffix else path
    else:
        path = default_path(client_id, refresh_token)
    return FileTokenStore(path, client_id, refresh_token)
