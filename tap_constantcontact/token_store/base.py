"""What all token stores have in common."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from typing_extensions import override

from tap_constantcontact.exceptions import LoginError

Tokens = dict[str, Any]

#: Properties of stored tokens: their sign-in, and when they were stored.
SEED, STORED_AT = "seed", "stored_at"
#: How long to wait for another process.
LOCK_TIMEOUT_SECONDS = 180

# Twice as long as a refresh token lasts without use (observed: the vendor's support).
_MAX_UNUSED_SECONDS = 360 * 86_400


def fingerprint(client_id: str, refresh_token: str) -> str:
    """Return a hash that identifies a sign-in without revealing it."""
    return hashlib.sha256(f"{client_id}\0{refresh_token}".encode()).hexdigest()


def stored_at(kept: Tokens, now: float) -> float:
    """Return when tokens were stored, in seconds of Unix time; now if that isn't known."""
    time_ = kept.get(STORED_AT)
    return time_ if isinstance(time_, int | float) else now


class TokenStore(ABC):
    """The tokens of one sign-in, in a place that other sign-ins and processes may share."""

    def __init__(self, client_id: str, refresh_token: str) -> None:
        """Open a store.

        Args:
            client_id: The application's API key.
            refresh_token: The token of the sign-in, from which later ones descend.
        """
        self.client_id = client_id
        self.refresh_token = refresh_token
        self.seed = fingerprint(client_id, refresh_token)

    @property
    @abstractmethod
    def limits_place(self) -> Path | str:
        """Where runs share the limits of an API key: a folder, or the URL of a Redis server."""

    @abstractmethod
    @override
    def __str__(self) -> str:
        """Return the place of the tokens as messages name it."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Lock the tokens against other processes, from reading to writing.

        Raises:
            LoginError: The place can't be used, or another process holds the lock.
        """

    @abstractmethod
    def read(self) -> Tokens:
        """Return the tokens of this sign-in; empty if there are none.

        Raises:
            LoginError: They can't be read. The token in the settings may already be used, so it
                is not tried instead.
        """

    @abstractmethod
    def check_writable(self) -> None:
        """Find out in time if writing would fail.

        Raises:
            LoginError: It would.
        """

    @abstractmethod
    def write(self, tokens: Mapping[str, Any]) -> None:
        """Store the tokens of this sign-in, in one atomic step.

        Raises:
            LoginError: They can't be stored.
        """

    def remedy(self) -> str:
        """Return what to do if the refresh token is rejected."""
        return (
            "It has already been used, was revoked, or was unused for 180 days. Sign in again "
            "(tap-constantcontact-login) and set refresh_token to the new token"
        )

    def stamped(self, tokens: Mapping[str, Any]) -> Tokens:
        """Return tokens as they are stored: with their sign-in, and the time."""
        return {**tokens, SEED: self.seed, STORED_AT: time.time()}

    def is_obsolete(self, kept: Tokens, tokens: Tokens) -> bool:
        """Return whether the tokens of another sign-in are of no use any more.

        That is so if its refresh token has expired, or if it is the one that this sign-in began
        with, and that has been traded for another one.

        Args:
            kept: The tokens of the other sign-in.
            tokens: The tokens of this one, with the time.
        """
        now = tokens[STORED_AT]
        is_expired = stored_at(kept, now) < now - _MAX_UNUSED_SECONDS
        is_traded = tokens["refresh_token"] != self.refresh_token == kept.get("refresh_token")
        return bool(is_expired or is_traded)

    def held_by_another(self) -> LoginError:
        """Return the error of a lock that another process has held for too long."""
        return LoginError(
            "Timed out waiting for another process that holds the lock on the token store "
            f"{self}. Stop that process or wait for it, then run again"
        )
