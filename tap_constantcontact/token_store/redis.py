"""A Redis server that keeps the tokens of sign-ins, for runs without persistent storage.

The tokens of all sign-ins are the fields of one hash, by their fingerprints.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, cast

import backoff
from redis.exceptions import LockError, LockNotOwnedError, RedisError, ResponseError
from redis.lock import Lock
from typing_extensions import override

from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.redis_client import KEY_PREFIX, REDIS_ERRORS, connect, explain
from tap_constantcontact.settings.redis_urls import without_credentials
from tap_constantcontact.token_store.base import LOCK_TIMEOUT_SECONDS, Tokens, TokenStore
from tap_constantcontact.token_store.encryption import Encryption, Undecipherable

_logger = logging.getLogger("tap-constantcontact.token_store")

_HASH = f"{KEY_PREFIX}tokens"
# The lock of a killed process ends after so long. A living one renews it, at thirds of that time.
_LEASE_SECONDS = 20.0
# A new refresh token exists only in this process until it is written.
_WRITE_SECONDS = 120
_MAX_WRITE_WAIT_SECONDS = 5

# Replaces the tokens of a sign-in if they are still those that were read, so that a process whose
# lock has expired overwrites nothing. A command that is sent again finds its own tokens.
_REPLACE = """
local kept = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if kept == ARGV[3] then return 1 end
if kept ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""
# Deletes sign-ins that have not changed since they were read.
_DELETE = """
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
"""
# What is needed to write, and to renew and release the lock.
_TRY = """
redis.call('HSET', KEYS[1], 'test', '')
redis.call('HDEL', KEYS[1], 'test')
redis.call('PEXPIRE', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3])
"""


class RedisTokenStore(TokenStore):
    """The tokens of one sign-in in Redis, which other sign-ins and machines share."""

    def __init__(
        self, url: str, client_id: str, refresh_token: str, *, key: str | None = None
    ) -> None:
        """Open a store; it connects when it is used.

        Args:
            url: The URL of the server.
            client_id: The application's API key.
            refresh_token: The token of the sign-in, from which later ones descend.
            key: One or more keys that encrypt the tokens, separated by commas.

        Raises:
            ConfigurationError: cryptography isn't installed.
            LoginError: The URL has unknown or invalid options.
        """
        super().__init__(client_id, refresh_token)
        self._url = url
        self._lock_name = f"{_HASH}:lock:{self.seed[:16]}"
        self._encryption = Encryption(key)
        try:
            self._client = connect(url)
        except REDIS_ERRORS as error:
            raise self._unusable(error) from error
        self._replace = self._client.register_script(_REPLACE)
        self._delete = self._client.register_script(_DELETE)
        self._try = self._client.register_script(_TRY)
        self._kept: bytes | None = None
        self._is_checked = False

    @property
    @override
    def limits_place(self) -> str:
        return self._url

    @override
    def __str__(self) -> str:
        return without_credentials(self._url)

    @override
    @contextmanager
    def locked(self) -> Iterator[None]:
        lock = Lock(
            self._client,
            self._lock_name,
            timeout=_LEASE_SECONDS,
            blocking_timeout=LOCK_TIMEOUT_SECONDS,
            thread_local=False,
        )
        try:
            is_acquired = lock.acquire()
        except RedisError as error:
            raise self._unusable(error) from error
        if not is_acquired:
            raise self.held_by_another()
        is_done = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(lock, is_done), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            is_done.set()
            renewing.join()
            with suppress(LockError, RedisError):  # it has expired, or will
                lock.release()

    @staticmethod
    def _renew(lock: Lock, is_done: threading.Event) -> None:
        """Renew the lock until the work is done; what follows if that fails is up to `write`.

        A lock that a restart of the server has deleted is acquired again, if nobody has it.
        """
        while not is_done.wait(_LEASE_SECONDS / 3):
            with suppress(LockError, RedisError):
                try:
                    lock.reacquire()
                except LockNotOwnedError:
                    lock.do_acquire(lock.local.token)

    @override
    def read(self) -> Tokens:
        try:
            self._kept = self._get()
        except RedisError as error:
            raise self._unusable(error) from error
        try:
            return self._decode(self._kept) if self._kept else {}
        except ValueError as error:
            message = (
                f"Can't read the tokens of this sign-in in the token store {self} (damaged). Fall "
                f"back to refresh_token with: redis-cli HDEL {_HASH} {self.seed}"
            )
            raise LoginError(message) from error
        except Undecipherable as error:
            message = f"Can't decrypt the tokens in the token store {self}: {error}"
            raise LoginError(message) from error

    @override
    def check_writable(self) -> None:
        try:
            keys = [_HASH, self._lock_name, f"{self._lock_name}:test"]
            self._try(keys=keys, args=[int(1000 * _LEASE_SECONDS)])
            self._check_durable()
        except RedisError as error:
            raise self._unusable(error) from error

    def _check_durable(self) -> None:
        """Check that the server keeps what is written, if it says.

        Raises:
            LoginError: It may evict tokens.
        """
        if self._is_checked:
            return
        info: dict[str, Any] = {}
        with suppress(ResponseError):  # the user may have no permission to ask
            for section in ("memory", "persistence", "replication"):
                info |= self._client.info(section)
        policy = str(info.get("maxmemory_policy"))
        if info.get("maxmemory") and policy.startswith("allkeys-"):
            message = (
                f"The Redis server of the token store {self} may evict tokens (maxmemory-policy "
                f"{policy}); a rotated refresh token would be lost. Set the policy to noeviction, "
                "or use another server"
            )
            raise LoginError(message)
        if info.get("aof_enabled") == 0 and not info.get("connected_slaves"):
            message = (
                "The Redis server of the token store %s does not write each change to its disk "
                "(appendonly no), so its restart may lose a rotated refresh token. Turn "
                "appendonly on"
            )
            _logger.warning(message, self)
        self._is_checked = True

    @override
    def write(self, tokens: Mapping[str, Any]) -> None:
        stamped = self.stamped(tokens)
        new = self._encode(stamped)
        try:
            is_replaced = self._write(new)
        except RedisError as error:
            message = (
                f"Can't write the token store {self} ({explain(error)}), although it was tried for "
                "two minutes; a rotated refresh token is lost. If the next run is rejected, sign "
                "in again (tap-constantcontact-login)"
            )
            raise LoginError(message) from error
        if not is_replaced:
            message = (
                "Another process has changed the tokens of this sign-in in the token store "
                f"{self} in the meantime. Its tokens are kept; run again to use them"
            )
            raise LoginError(message)
        self._kept = new
        with suppress(RedisError):  # the next write tries again
            if obsolete := [*self._obsolete(stamped)]:
                self._delete(keys=[_HASH], args=obsolete)

    @backoff.on_exception(
        backoff.expo,
        RedisError,
        max_time=_WRITE_SECONDS,
        max_value=_MAX_WRITE_WAIT_SECONDS,
        jitter=None,
        logger=None,
    )
    def _write(self, new: bytes) -> bool:
        if self._kept is None:  # a sign-in does not read first
            self._kept = self._get()
        return bool(self._replace(keys=[_HASH], args=[self.seed, self._kept, new]))

    def _get(self) -> bytes:
        return cast("bytes", self._client.hget(_HASH, self.seed) or b"")

    def _obsolete(self, tokens: Tokens) -> Iterator[Any]:
        """Yield the other sign-ins that are to be deleted, and what is kept of each."""
        stored = cast("dict[bytes, bytes]", self._client.hgetall(_HASH))
        for seed, kept in stored.items():
            with suppress(ValueError, Undecipherable):
                if seed.decode() != self.seed and self.is_obsolete(self._decode(kept), tokens):
                    yield seed
                    yield kept

    def _encode(self, tokens: Tokens) -> bytes:
        return self._encryption.encrypt(json.dumps(tokens).encode())

    def _decode(self, kept: bytes) -> Tokens:
        """Return stored tokens.

        Raises:
            Undecipherable: They are encrypted, and there is no key that fits.
            ValueError: They are damaged.
        """
        tokens = json.loads(self._encryption.decrypt(kept))
        if not isinstance(tokens, dict):
            raise ValueError(type(tokens).__name__)  # noqa: TRY004 - of the value, not of the code
        return tokens

    def _unusable(self, error: Exception) -> LoginError:
        return LoginError(
            f"Can't use the token store {self} ({explain(error)}). No token was used. Check "
            "token_store and the server"
        )
