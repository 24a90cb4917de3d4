"""A file that keeps the tokens of sign-ins between runs, so that a rotated one is never lost."""

from __future__ import annotations

import errno
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout
from typing_extensions import override

from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.token_store.base import (
    LOCK_TIMEOUT_SECONDS,
    SEED,
    STORED_AT,
    Tokens,
    TokenStore,
    fingerprint,
    stored_at,
)

_logger = logging.getLogger("tap-constantcontact.token_store")

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_OTHERS = "others"


def default_path(client_id: str, refresh_token: str) -> Path:
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


class FileTokenStore(TokenStore):
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
        super().__init__(client_id, refresh_token)
        self.path = path.resolve()  # write through a symlink instead of replacing it

    @property
    @override
    def limits_place(self) -> Path:
        return self.path.parent

    @override
    def __str__(self) -> str:
        return str(self.path)

    @override
    @contextmanager
    def locked(self) -> Iterator[None]:
        try:
            lock = self._acquire_lock()
        except Timeout as error:
            raise self.held_by_another() from error
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
        lock = FileLock(path, timeout=LOCK_TIMEOUT_SECONDS, mode=0o600)
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

    @override
    def read(self) -> Tokens:
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
        return {**others, stored[SEED]: stored} if SEED in stored else others

    @override
    def check_writable(self) -> None:
        # The file is replaced with its own content.
        try:
            content = self.path.read_bytes() if self.path.exists() else b"{}"
        except OSError as error:
            raise self._not_writable(error) from error
        self._replace(content)

    @override
    def write(self, tokens: Mapping[str, Any]) -> None:
        stamped = self.stamped(tokens)
        content = {**stamped, _OTHERS: self._others(stamped)}
        self._replace(json.dumps(content).encode())

    def _others(self, tokens: Tokens) -> dict[str, Tokens]:
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
            seed: {**kept, STORED_AT: stored_at(kept, tokens[STORED_AT])}
            for seed, kept in stored.items()
            if seed != self.seed and not self.is_obsolete(kept, tokens)
        }

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
