"""The encryption of tokens with the setting token_store_key; requires the extra `redis`."""

from __future__ import annotations

from tap_constantcontact.settings.keys import fernet_keys
from tap_constantcontact.settings.redis_urls import missing_extra

# What an encrypted value begins with: its version, in Base64.
_MARK = b"gAAAA"


class Undecipherable(Exception):
    """Raised for an encrypted value without a key that fits; the message says what to do."""


class Encryption:
    """Encrypts with the first of several keys, and decrypts with any; without one, with none."""

    def __init__(self, keys: str | None) -> None:
        """Load the keys.

        Args:
            keys: Keys of Fernet, separated by commas.

        Raises:
            ConfigurationError: cryptography isn't installed.
        """
        self._fernet = None
        if not keys:
            return
        try:
            from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise missing_extra("token_store_key") from error
        self._fernet = MultiFernet([Fernet(key) for key in fernet_keys(keys)])

    def encrypt(self, value: bytes) -> bytes:
        """Return a value as it is stored."""
        return self._fernet.encrypt(value) if self._fernet else value

    def decrypt(self, kept: bytes) -> bytes:
        """Return a stored value: also one that was stored before there was a key.

        Raises:
            Undecipherable: It is encrypted, and no key fits.
        """
        if not kept.startswith(_MARK):
            return kept
        if self._fernet is None:
            raise Undecipherable("set token_store_key to the key that they were encrypted with")
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an extra

        try:
            return self._fernet.decrypt(kept)
        except InvalidToken as error:
            message = (
                "no key in token_store_key fits. Add the one that they were encrypted with, after "
                "a comma"
            )
            raise Undecipherable(message) from error
