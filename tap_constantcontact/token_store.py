"""A file that keeps the tokens of sign-ins between runs, so that a rotated one is never lost."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from tap_constantcontact.exceptions import LoginError

_logger = logging.getLogger("tap-constantcontact.token_store")

_LOCK_TIMEOUT_SECONDS = 180
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
# Twice as long as a refresh token lasts without use (observed: the vendor's support).
_MAX_UNUSED_SECONDS = 360 * 86_400
_SEED, _OTHERS, _STORED_AT = "seed", "others", "stored_at"

Tokens = dict[str, Any]


def fingerprint(client_id: str, refresh_token: str) -> str:
    """Return a hash that identifies a sign-in without revealing it."""
    return hashlib.sha256(f"{client_id}\0{refresh_token}".encode()).hexdigest()


def default_token_store(client_id: str, refresh_token: str) -> Path:
    """Return the path of the token store if the setting token_store is not set.

    Raises:
        LoginError: The user has no home directory.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError as error:  # a container's user that has neither HOME nor an entry
        message = (
            "This user has no home directory for the token store. Set token_store to a file on "
            "persistent storage"
        )
        raise LoginError(message) from error
    name = fingerprint(client_id, refresh_token)[:16]
    return Path(state) / "tap-constantcontact" / f"{name}.json"


class TokenStore:
    """The tokens of one sign-in, in a file that other sign-ins and processes may share.

    The file is an object with the tokens that were written last, as earlier versions know it, and
    with those of the other sign-ins by their fingerprints.
    """

    def __init__(self, path: Path, client_id: str, refresh_token: str) -> None:
        """Open a store.

        Args:
            path: The file; its folder is created on the first write.
            client_id: The application's API key.
            refresh_token: The token of the sign-in, from which later ones descend.
        """
        self.path = path.resolve()  # write through a symlink instead of replacing it
        self.client_id = client_id
        self.refresh_token = refresh_token
        self.seed = fingerprint(client_id, refresh_token)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the store against other processes, from reading to writing.

        Raises:
            LoginError: The folder is not writable, or another process holds the lock.
        """
        try:
            lock = self._acquire_lock()
        except Timeout as error:
            message = (
                "Timed out waiting for another process that holds the lock on the token store "
                f"{self.path}. Stop that process or wait for it, then run again"
            )
            raise LoginError(message) from error
        except OSError as error:
            raise self._not_writable(error) from error
        try:
            yield
        finally:
            if lock:
                lock.release()

    def _acquire_lock(self) -> BaseFileLock | None:
        """Return the lock, or None on a file system that has none, such as some network shares.

        Raises:
            OSError: The folder is not writable.
            Timeout: Another process holds the lock.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = f"{self.path}.lock"
        # A lock would wait in vain for a file that can't be made.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        lock = FileLock(path, timeout=_LOCK_TIMEOUT_SECONDS, mode=0o600)
        try:
            lock.acquire()
        except (NotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
                raise
            message = (
                "The file system of the token store %s has no locks. Run one sync of this sign-in "
                "at a time, or set token_store to a file on a local disk"
            )
            _logger.warning(message, self.path)
            return None
        return lock

    def read(self) -> Tokens:
        """Return the tokens of this sign-in; empty if there are none.

        Raises:
            LoginError: The file exists but can't be read. The token in the settings may already
                be used, so it is not tried instead.
        """
        try:
            return self._read_all().get(self.seed, {})
        except (OSError, ValueError) as error:
            message = (
                f"Can't read the token store {self.path} ({type(error).__name__}). Fix the file, "
                "or delete it to fall back to refresh_token"
            )
            raise LoginError(message) from error

    def _read_all(self) -> dict[str, Tokens]:
        """Return the tokens of all sign-ins by their fingerprints.

        Raises:
            OSError: The file exists but can't be read.
            ValueError: The file is damaged.
        """
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        if not isinstance(stored, dict):
            return {}
        others = stored.pop(_OTHERS, {})
        if not isinstance(others, dict) or not all(isinstance(t, dict) for t in others.values()):
            raise ValueError(_OTHERS)
        return {**others, stored[_SEED]: stored} if _SEED in stored else others

    def check_writable(self) -> None:
        """Replace the file with its own content, to find out in time if that fails.

        Raises:
            LoginError: The store can't be written.
        """
        try:
            content = self.path.read_bytes() if self.path.exists() else b"{}"
        except OSError as error:
            raise self._not_writable(error) from error
        self._replace(content)

    def write(self, tokens: Mapping[str, Any]) -> None:
        """Store the tokens of this sign-in by replacing the file atomically.

        Raises:
            LoginError: The store can't be written.
        """
        now = time.time()
        content = {**tokens, _SEED: self.seed, _STORED_AT: now, _OTHERS: self._others(tokens, now)}
        self._replace(json.dumps(content).encode())

    def _others(self, tokens: Mapping[str, Any], now: float) -> dict[str, Tokens]:
        """Return the tokens of other sign-ins that are to be kept: none if the file is damaged.

        A run reads the file first, and ends if it is damaged. A new sign-in replaces it.
        """
        try:
            stored = self._read_all()
        except OSError as error:
            raise self._not_writable(error) from error
        except ValueError:
            return {}
        return {
            seed: {_STORED_AT: now, **kept}
            for seed, kept in stored.items()
            if seed != self.seed and not self._is_obsolete(kept, tokens, now)
        }

    def _is_obsolete(self, kept: Tokens, tokens: Mapping[str, Any], now: float) -> bool:
        """Return whether the tokens of another sign-in are of no use any more.

        That is so if its refresh token has expired, or if it is the one that this sign-in began
        with, and that has been traded for another one.
        """
        is_expired = kept.get(_STORED_AT, now) < now - _MAX_UNUSED_SECONDS
        is_traded = tokens["refresh_token"] != self.refresh_token == kept.get("refresh_token")
        return bool(is_expired or is_traded)

    def remedy(self) -> str:
        """Return what to do if the refresh token is rejected."""
        return (
            "It has already been used, was revoked, or was unused for 180 days. Sign in again "
            "(tap-constantcontact-login) and set refresh_token to the new token"
        )

    def _replace(self, content: bytes) -> None:
        name = None
        try:
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            with os.fdopen(handle, "wb") as file:  # mkstemp creates it with mode 0600
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError as error:
            if name is not None:
                Path(name).unlink(missing_ok=True)
            raise self._not_writable(error) from error

    def _not_writable(self, error: OSError) -> LoginError:
        return LoginError(
            f"Can't write the token store {self.path} ({error.strerror or error}); a rotated "
            "refresh token would be lost. Set token_store to a file that this user can replace, "
            "in a folder on persistent storage"
        )
