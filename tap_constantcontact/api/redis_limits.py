"""The counter in Redis, shared by several machines; requires the extra `redis`."""

from __future__ import annotations

from redis.exceptions import RedisError
from singer_sdk.exceptions import ConfigurationError
from typing_extensions import override

from tap_constantcontact.api.shared_limits import (
    MAX_SECONDS_AHEAD,
    SECONDS_PER_DAY,
    UNKNOWN,
    CounterValue,
    Known,
    SharedCounter,
    Slot,
    fingerprint,
)
from tap_constantcontact.redis_client import KEY_PREFIX, REDIS_ERRORS, connect, explain

# The same as `shared_limits._next_slot`, by the clock of the server. Other versions of the tap
# share the hash, so its fields stay; it expires when its day is over.
_RESERVE = f"""
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local requests, delay, gap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known_day, known, unshared = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local kept = redis.call('HMGET', KEYS[1], 'day', 'requests', 'next_turn')
local at = now + delay
for _, reserved in ipairs({{tonumber(kept[3] or '0'), tonumber(ARGV[7])}}) do
  if reserved <= now + {MAX_SECONDS_AHEAD} then at = math.max(at, reserved) end
end
local day = string.format('%d', math.floor(at / {SECONDS_PER_DAY}))
local counted = 0
if day == kept[1] then counted = tonumber(kept[2]) end
if day == known_day then counted = math.max(counted, known) + unshared end
requests = counted + requests
local next_slot = string.format('%.6f', at + gap)
redis.call('HSET', KEYS[1], 'day', day, 'requests', requests, 'next_turn', next_slot)
redis.call('EXPIRE', KEYS[1], {2 * SECONDS_PER_DAY})
return {{string.format('%.6f', at - now), day, requests, next_slot}}
"""


class RedisCounter(SharedCounter):
    """A counter in Redis, shared by all machines that use the same server."""

    def __init__(self, url: str, client_id: str, setting: str = "limits_url") -> None:
        """Connect to Redis, and try the command that it needs.

        Args:
            url: URL of the server.
            client_id: The API key.
            setting: The name of the setting with the URL.

        Raises:
            ConfigurationError: The server can't be used.
        """
        self._key = f"{KEY_PREFIX}limits:{fingerprint(client_id)}"
        try:
            self._script = connect(url).register_script(_RESERVE)
            self._reserve(0, 0.0, 0.0, UNKNOWN)
        except REDIS_ERRORS as error:
            # Without token_store, a run would try a refresh token that has been used.
            alternative = ", or unset limits_url" if setting == "limits_url" else ""
            message = (
                f"Can't use the Redis server of {setting} ({explain(error)}). Check the setting "
                f"and the server{alternative}"
            )
            raise ConfigurationError(message) from error

    @override
    def reserve(self, requests: int, delay: float, gap: float, known: Known = UNKNOWN) -> Slot:
        """Reserve a slot; a response that gets lost counts its requests again.

        Raises:
            OSError: Redis can't be reached.
        """
        try:
            return self._reserve(requests, delay, gap, known)
        except RedisError as error:
            raise OSError(explain(error)) from error

    def _reserve(self, requests: int, delay: float, gap: float, known: Known) -> Slot:
        wait, day, counted, next_slot = self._script(
            keys=[self._key], args=[requests, delay, gap, *known]
        )
        return Slot(float(wait), CounterValue(int(day), int(counted), float(next_slot)))
