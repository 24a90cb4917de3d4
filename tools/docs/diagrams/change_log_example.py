"""Two runs over three campaigns: what the code itself makes of them, for the pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any, NamedTuple

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.incremental.activity_progress import POSITION, ActivityProgress, named_log
from tap_constantcontact.incremental.change_log import ChangeLog, Counters
from tap_constantcontact.incremental.state_parts import part_of
from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.streams import STREAMS
from tap_constantcontact.timestamps import to_hour
from tools.docs.entities import name_of

_FIRST_RUN = datetime(2026, 10, 5, 12, tzinfo=timezone.utc)
_HOUR = timedelta(hours=1)
# Ids are random: these take their places.
_IDS = ("9f2c4e81a07d", "b35d60f2c914")


def _sent(days: int) -> int:
    return to_hour(_FIRST_RUN - timedelta(days=days))


#: The counters of campaigns with one activity each, at the first run and an hour later.
EARLIER: Mapping[str, Counters] = {
    "spring": Counters(400, 210, 40, 6, 2, 1, _sent(90)),
    "summer": Counters(420, 180, 35, 5, 3, 0, _sent(60)),
    "autumn": Counters(430, 150, 30, 4, 1, 0, _sent(1)),
}
NOW: Mapping[str, Counters] = {
    "spring": EARLIER["spring"]._replace(opens=214),
    "summer": EARLIER["summer"],
    "autumn": EARLIER["autumn"]._replace(opens=190, clicks=44, bounces=5),
}


class Example(NamedTuple):
    """What the second run has done.

    Attributes:
        numbers: The numbers that it has given to campaigns.
        read: The campaigns whose reports each stream has read.
        log: The state of the log.
        position: The state of `email_opens`.
    """

    numbers: Mapping[str, int]
    read: Mapping[str, Sequence[str]]
    log: Mapping[str, Any]
    position: Mapping[str, Any]


class _Source:
    """Knows that a campaign has one activity, whose id is its own."""

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        return [campaign_id]

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        """Do nothing: no request is needed."""

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        """Do nothing, likewise."""

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        return [campaign_id]

    def fetch_counters(self, activity_ids: Sequence[str]) -> Mapping[str, Counters]:
        return {id_: NOW[id_] for id_ in activity_ids}


def report_streams() -> list[type[ConstantContactStream]]:
    """Return the streams that follow the change log."""
    return [stream for stream in STREAMS if stream.follows_change_log]


@cache
def example() -> Example:
    """Make two runs."""
    states: dict[str, dict[str, Any]] = {name_of(stream): {} for stream in report_streams()}
    state: dict[str, Any] = {}
    _run(state, states, EARLIER, _FIRST_RUN)
    ChangeLog(state).prune(len(EARLIER))
    read = _run(state, states, NOW, _FIRST_RUN + _HOUR)
    log = ChangeLog(state)
    numbers = {each.campaign_id: each.number for each in log.changed_after(len(EARLIER))}
    position = part_of(states["email_opens"], POSITION)
    renamed = dict(
        zip([state["earlier"][0][0], named_log(states["email_opens"])], _IDS, strict=True)
    )
    return Example(numbers, read, _renamed(state, renamed), _renamed(position, renamed))


def _run(
    state: dict[str, Any],
    states: Mapping[str, dict[str, Any]],
    counters: Mapping[str, Counters],
    at: datetime,
) -> dict[str, list[str]]:
    """Compare the counters, and return the campaigns whose reports each stream reads."""
    log = ChangeLog(state)
    rereads = SETTINGS.to_dict()["properties"]["engagement_rereads_days"]["default"]
    for _ in log.update(counters, _Source(), at, rereads):
        pass
    read = {}
    for stream in report_streams():
        name = name_of(stream)
        progress = ActivityProgress(states[name], {}, stream.report_kind, is_full=False)
        read[name] = [each.campaign_id for each in progress.begin(log, at.toordinal())]
        progress.complete(log)
    return read


def _renamed(state: Mapping[str, Any], ids: Mapping[str, str]) -> Mapping[str, Any]:
    text = json.dumps(state)
    for old, new in ids.items():
        text = text.replace(old, new)
    renamed: dict[str, Any] = json.loads(text)
    return renamed
