"""The setting token_store_key: keys as Fernet defines them."""

from __future__ import annotations

import base64

_BYTES = 32


def fernet_keys(value: str) -> list[str]:
    """Return the keys in a setting, which are separated by commas."""
    return [key.strip() for key in value.split(",")]


def are_fernet_keys(value: str) -> bool:
    """Return whether each key is 32 bytes in URL-safe Base64."""
    try:
        keys = [base64.b64decode(key, altchars=b"-_", validate=True) for key in fernet_keys(value)]
    except ValueError:
        return False
    return all(len(key) == _BYTES for key in keys)
