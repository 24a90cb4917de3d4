"""The counter in Redis, shared by several machines; requires the extra `redis`."""

from __future__ import annotations

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from singer_sdk.exceptions import ConfigurationError
from typing_extensions import override

from tap_constantcontact.api.shared_limits import (
    MAX_SECONDS_AHEAD,
    SECONDS_PER_DAY,
    CounterValue,
    SharedCounter,
    Slot,
    fingerprint,
)

_TIMEOUT_SECONDS = 5
_RETRIES = 3

# The same as `shared_limits._next_slot`, by the clock of the server. Other versions of the tap
# share the hash, so its fields stay; it expires when its day is over.
_RESERVE = f"""
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local requests, delay, gap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'day', 'requests', 'next_turn')
local reserved = tonumber(kept[3] or '0')
if reserved > now + {MAX_SECONDS_AHEAD} then reserved = 0 end
local at = math.max(now + delay, reserved)
local day = string.format('%d', math.floor(at / {SECONDS_PER_DAY}))
if day == kept[1] then requests = requests + tonumber(kept[2]) end
local next_slot = string.format('%.6f', at + gap)
redis.call('HSET', KEYS[1], 'day', day, 'requests', requests, 'next_turn', next_slot)
redis.call('EXPIRE', KEYS[1], {2 * SECONDS_PER_DAY})
return {{string.format('%.6f', at - now), day, requests, next_slot}}
"""


class RedisCounter(SharedCounter):
    """A counter in Redis, shared by all machines that use the same server."""

    def __init__(self, url: str, client_id: str) -> None:
        """Connect to Redis.

        Args:
            url: URL of the server.
            client_id: The API key.

        Raises:
            ConfigurationError: The server can't be reached, or rejects the login.
        """
        self._key = f"tap-constantcontact:limits:{fingerprint(client_id)}"
        retry = Retry(ExponentialBackoff(cap=1, base=0.1), _RETRIES)
        try:
            client = Redis.from_url(
                url,
                socket_connect_timeout=_TIMEOUT_SECONDS,
                socket_timeout=_TIMEOUT_SECONDS,
                retry=retry,
            )
            client.ping()
        except (RedisError, TypeError, ValueError) as error:
            message = (
                f"Can't use the Redis server of limits_url ({error}). Check the setting and the "
                "server, or unset limits_url"
            )
            raise ConfigurationError(message) from error
        self._script = client.register_script(_RESERVE)

    @override
    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a slot.

        Raises:
            OSError: Redis can't be reached.
        """
        try:
            reply = self._script(keys=[self._key], args=[requests, delay, gap])
        except RedisError as error:
            raise OSError(str(error)) from error
        wait, day, counted, next_slot = reply
        return Slot(float(wait), CounterValue(int(day), int(counted), float(next_slot)))
