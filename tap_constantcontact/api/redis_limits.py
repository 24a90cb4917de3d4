"""The ledger of several machines, in Redis; needs the extra `redis`."""

from __future__ import annotations

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.api.shared_limits import (
    DAY_SECONDS,
    FURTHEST_SLOT,
    CounterValue,
    Slot,
    fingerprint,
)

_TIMEOUT_SECONDS = 5
_TRIES = 3

# The same as `ledger._next`, by the one clock of the server. What is over is forgotten.
_RESERVE = f"""
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local requests, delay, gap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'day', 'requests', 'next_turn')
local reserved = tonumber(kept[3] or '0')
if reserved > now + {FURTHEST_SLOT} then reserved = 0 end
local at = math.max(now + delay, reserved)
local day = string.format('%d', math.floor(at / {DAY_SECONDS}))
if day == kept[1] then requests = requests + tonumber(kept[2]) end
local next_turn = string.format('%.6f', at + gap)
redis.call('HSET', KEYS[1], 'day', day, 'requests', requests, 'next_turn', next_turn)
redis.call('EXPIRE', KEYS[1], {2 * DAY_SECONDS})
return {{string.format('%.6f', at - now), day, requests, next_turn}}
"""


class RedisCounter:
    """A ledger in Redis, shared by all machines that use it."""

    def __init__(self, url: str, client_id: str) -> None:
        """Connect to Redis.

        Args:
            url: its address.
            client_id: the API key.

        Raises:
            ConfigurationError: it cannot be reached, or refuses.
        """
        self._key = f"tap-constantcontact:limits:{fingerprint(client_id)}"
        retry = Retry(ExponentialBackoff(cap=1, base=0.1), _TRIES)
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
                f"The Redis of the setting limits_url cannot be used ({error}). Check the setting "
                "and the server, or leave limits_url out"
            )
            raise ConfigurationError(message) from error
        self._script = client.register_script(_RESERVE)

    def reserve(self, requests: int, delay: float, gap: float) -> Slot:
        """Reserve a turn, as `Ledger` says.

        Raises:
            OSError: Redis is out of reach.
        """
        try:
            answer = self._script(keys=[self._key], args=[requests, delay, gap])
        except RedisError as error:
            raise OSError(str(error)) from error
        wait, day, counted, next_turn = answer
        return Slot(float(wait), CounterValue(int(day), int(counted), float(next_turn)))
