"""Packs the change log for the state, and unpacks it.

States are written often, and 3,000 campaigns have to fit into 300 KB. So a UUID has 22 characters,
and an activity is a list of numbers:

- number and hour of its last change,
- its counters, in the order of `Counters`,
- its expected rows of opens and of clicks,
- number of the change before (0 if the log doesn't have it any more), and a sum: 1, 2, 4, … for
  the counters that changed with the last change, 64 if even reports that should be empty have to be
  read,
- how many hours before the last change the reports of each counter were to be read before it (if
  the log doesn't have the change before: with it); the last number stands for the rest.

What follows the counters is missing if all streams have read all reports since the last change,
and all rows are expected. Earlier releases wrote number and hour of the change before instead of
the last two.

An activity that was not compared yet is a list with the hour in which the API named it. Under
`all`, a campaign with several activities has its own counters; under `skipped`, one that was sent
too long before start_date.

`version` in the log is the version of its form. In that of version 1, the log was no part of its
own, but spread over the state of its stream; `earlier_states` reads it.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from singer_sdk.exceptions import ConfigurationError
from typing_extensions import override

from tap_constantcontact.incremental.change_log_entries import (
    ActivityEntry,
    CampaignEntry,
    Change,
    ExpectedRows,
    Previous,
    ReadHours,
    UncomparedActivity,
)
from tap_constantcontact.incremental.counters import Counters
from tap_constantcontact.incremental.state_parts import part_of

#: The version of the form of the log.
VERSION = 2
#: The part of the state that is the log.
LOG = "log"
#: The stream whose state it is, selected or not.
LOG_OWNER = "email_campaign_stats"

_VERSION_KEY = "version"
# In states of version 1, beside the log.
_VERSION_1_KEY = "log_version"
_CAMPAIGNS_KEY = "campaigns"
# In a campaign: its own counters. No id of an activity is packed like this.
_OWN_COUNTERS_KEY = "all"
# The same, if the campaign is skipped.
_SKIPPED_KEY = "skipped"
_BASE64_LENGTH_OF_UUID = 22
# Begins an id that is not a UUID; Base64 has it only at the end.
_PLAIN = "="
# The parts of an activity's list.
_CHANGE, _COUNTERS, _ROWS = slice(0, 2), slice(2, 9), slice(9, 11)
_BEFORE, _HOURS = slice(11, 13), slice(13, None)
_READS_EMPTY = 64

PackedCampaign = dict[str, list[int]]


class PackedCampaigns(MutableMapping[str, CampaignEntry]):
    """The campaigns of a change log, by their ids, in the state that holds them packed.

    A campaign is unpacked when it is looked up, and packed into the state when it is set: the
    state is up to date at any time. What was unpacked is kept for as long as the state holds the
    packed form that it came from, which may be replaced from elsewhere.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        """Read and write the campaigns of a state.

        Args:
            state: The state of the log.

        Raises:
            ConfigurationError: A newer release has written the state.
        """
        _check(state.get(_VERSION_KEY, VERSION))
        self._state = state
        self._unpacked: dict[str, tuple[PackedCampaign, CampaignEntry]] = {}

    @property
    def _packed(self) -> dict[str, PackedCampaign]:
        """The packed campaigns; `max_records_per_stream` can replace all that the state has."""
        self._state[_VERSION_KEY] = VERSION
        packed: dict[str, PackedCampaign] = self._state.setdefault(_CAMPAIGNS_KEY, {})
        return packed

    @override
    def __getitem__(self, campaign_id: str) -> CampaignEntry:
        key = pack_id(campaign_id)
        packed = self._packed[key]
        known = self._unpacked.get(key)
        if known is None or known[0] is not packed:
            known = self._unpacked[key] = (packed, unpack_campaign(packed))
        return known[1]

    @override
    def __setitem__(self, campaign_id: str, campaign: CampaignEntry) -> None:
        key, packed = pack_id(campaign_id), pack_campaign(campaign)
        self._packed[key] = packed
        self._unpacked[key] = (packed, campaign)

    @override
    def __delitem__(self, campaign_id: str) -> None:
        key = pack_id(campaign_id)
        del self._packed[key]
        self._unpacked.pop(key, None)

    @override
    def __iter__(self) -> Iterator[str]:
        return map(unpack_id, self._packed)

    @override
    def __len__(self) -> int:
        return len(self._packed)


def check_version(state: Mapping[str, Any]) -> None:
    """Check that this release can read a change log.

    Args:
        state: The state of the stream that has the log.

    Raises:
        ConfigurationError: It cannot: a newer release has written the state.
    """
    _check(part_of(state, LOG).get(_VERSION_KEY, state.get(_VERSION_1_KEY, 1)))


def _check(version: Any) -> None:
    if version not in range(1, VERSION + 1):
        message = (
            f"Invalid state: its change log has version {version}, and this release of the tap "
            f"reads version {VERSION}. Install the release that wrote the state, or a newer one, "
            "or start over without a state"
        )
        raise ConfigurationError(message)


def pack_campaign(campaign: CampaignEntry) -> PackedCampaign:
    """Return a campaign in the form of the state."""
    key = _SKIPPED_KEY if campaign.is_skipped else _OWN_COUNTERS_KEY
    own = {} if campaign.own_counters is None else {key: [*campaign.own_counters]}
    return {**own, **{pack_id(id_): _pack(entry) for id_, entry in campaign.activities.items()}}


def unpack_campaign(packed: Mapping[str, Sequence[int]]) -> CampaignEntry:
    """Return a campaign from the form of the state."""
    own = packed.get(_SKIPPED_KEY, packed.get(_OWN_COUNTERS_KEY))
    activities = {
        unpack_id(key): _unpack(entry)
        for key, entry in packed.items()
        if key not in (_OWN_COUNTERS_KEY, _SKIPPED_KEY)
    }
    is_skipped = _SKIPPED_KEY in packed
    return CampaignEntry(activities, None if own is None else Counters(*own), is_skipped)


def _pack(entry: ActivityEntry | UncomparedActivity) -> list[int]:
    if isinstance(entry, UncomparedActivity):
        return [entry.named_hour]
    if not (before := _pack_read(entry)) and entry.expected_rows == ExpectedRows.all_of(
        entry.counters
    ):
        return [*entry.change, *entry.counters]
    return [*entry.change, *entry.counters, *entry.expected_rows, *before]


def _pack_read(entry: ActivityEntry) -> list[int]:
    """Return when the reports of an activity were to be read; nothing if with the last change."""
    changed = sum(1 << bit for bit, hours in enumerate(entry.read) if not hours)
    number, hours = entry.previous or (0, entry.read)
    if entry.is_pruned and not any(hours):
        return []
    length = len(hours)
    while length > 1 and hours[length - 1] == hours[length - 2]:
        length -= 1
    return [number, changed | (_READS_EMPTY if entry.reads_empty else 0), *hours[:length]]


def _unpack(packed: Sequence[int]) -> ActivityEntry | UncomparedActivity:
    if len(packed) == 1:
        return UncomparedActivity(packed[0])
    change, counters = Change(*packed[_CHANGE]), Counters(*packed[_COUNTERS])
    rows = ExpectedRows(*packed[_ROWS]) if packed[_ROWS] else ExpectedRows.all_of(counters)
    entry = ActivityEntry(change, counters, rows)
    if not packed[_BEFORE]:
        return entry
    number, changed = packed[_BEFORE]
    if not packed[_HOURS]:  # the form of earlier releases: all reports were read at each change
        before = ReadHours(*[change.hour - changed] * len(ReadHours._fields))
        return replace(entry, previous=Previous(number, before))
    hours = [*packed[_HOURS]]
    before = ReadHours(*hours, *hours[-1:] * (len(ReadHours._fields) - len(hours)))
    names = {name for bit, name in enumerate(ReadHours._fields) if changed >> bit & 1}
    return replace(
        entry,
        read=before.after_change(names),
        previous=Previous(number, before) if number else None,
        reads_empty=bool(changed & _READS_EMPTY),
    )


# Cached, as a run looks up the same campaigns many times.
@cache
def pack_id(id_: str) -> str:
    """Return an id in 22 characters, if it is a UUID as the API writes them."""
    try:
        uuid = UUID(id_)
    except ValueError:
        return f"{_PLAIN}{id_}"
    packed = urlsafe_b64encode(uuid.bytes).decode()[:_BASE64_LENGTH_OF_UUID]
    return packed if str(uuid) == id_ else f"{_PLAIN}{id_}"


@cache
def unpack_id(packed: str) -> str:
    """Return the id that `pack_id` has packed."""
    if packed.startswith(_PLAIN):
        return packed[len(_PLAIN) :]
    return str(UUID(bytes=urlsafe_b64decode(f"{packed}==")))
