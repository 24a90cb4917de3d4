"""The states of earlier runs in today's form."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tap_constantcontact.incremental.earlier_states import upgraded

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
HOUR = int(NOW.timestamp()) // 3600
ENTRY = [498_100, 100, 50, 20, 3, 2, 1, 498_000, 0, 0]
LOG = {
    "campaigns": {"=a": {"=a1": [1, *ENTRY]}, "=b": {"all": [9] * 7, "=b1": [2, *ENTRY]}},
    "last_number": 2,
    "asked_since": "2026-02-28T00:00:00.000Z",
    "others": [],
    "unanswered": {"c": [20_000, 2]},
}
POSITION = {"read_through": 2, "complete_through": 1, "left_out": {"a1": 20_000}, "since": ""}


def upgrade(**bookmarks: dict[str, Any]) -> dict[str, Any]:
    given = {"bookmarks": bookmarks}
    before = json.dumps(given)
    state = upgraded(given, NOW).state
    assert json.dumps(given) == before
    result: dict[str, Any] = state["bookmarks"]
    return result


def test_log_and_positions_of_version_1_become_parts_of_one_log() -> None:
    state = upgrade(email_campaign_stats={**LOG, "log_version": 1}, email_opens=POSITION)
    (log,) = state["email_campaign_stats"].pop("log")
    assert state == {
        "email_campaign_stats": {},
        "email_opens": {"position": [{"log": log.pop("id"), **POSITION}]},
    }
    assert log == {"version": 2, **LOG}


def test_log_of_version_1_in_airbyte_keeps_its_id() -> None:
    state = upgrade(email_campaign_stats={"id": "own", **LOG}, email_opens=POSITION)
    assert state["email_campaign_stats"]["log"][0]["id"] == "own"
    assert state["email_opens"]["position"][0]["log"] == "own"


@pytest.mark.parametrize(
    "log",
    [
        {**LOG, "last_number": 1},
        {**LOG, "campaigns": {"=a": {"=a1": [1, *ENTRY]}, "=b": {"=b1": [1, *ENTRY]}}},
        {},
    ],
    ids=["number above the last one", "number given twice", "no log"],
)
def test_log_of_version_1_that_was_merged_is_dropped_with_its_positions(log: Any) -> None:
    state = upgrade(email_campaign_stats=log, email_opens=POSITION, contacts={"since": "2024"})
    assert state == {"email_campaign_stats": {}, "email_opens": {}, "contacts": {"since": "2024"}}


@pytest.mark.parametrize(
    "log",
    [
        {**LOG, "last_number": 1},
        {**LOG, "campaigns": {"=a": {"=a1": 5}}},
        {**LOG, "campaigns": {"=a": {"=a1": [1, 2]}}},
        {**LOG, "campaigns": {"=a": {"=a1": ["1", *ENTRY]}}},
    ],
    ids=["number above the last one", "no list", "short list", "no number"],
)
def test_log_that_was_edited_is_dropped(log: Any) -> None:
    read = upgraded({"bookmarks": {"email_campaign_stats": {"log": [{"id": "a", **log}]}}}, NOW)
    assert read.state == {"bookmarks": {"email_campaign_stats": {}}}
    assert read.is_log_dropped


def test_what_version_1_has_left_beside_a_log_is_dropped() -> None:
    log, position = [{"id": "new", "last_number": 7}], [{"log": "new", "read_through": 7}]
    state = upgrade(
        email_campaign_stats={**LOG, "log": log},
        email_opens={**POSITION, "position": position},
        email_clicks=POSITION,
    )
    assert state == {
        "email_campaign_stats": {"log": log},
        "email_opens": {"position": position},
        "email_clicks": {},
    }


def test_cycles_under_way_become_parts() -> None:
    sweep, cycle = {"began": "2026-02-01", "swept_for": {}}, {"began": "2026-02-02", "for": {}}
    state = upgrade(contacts={"sweep": sweep}, contact_activity_details={"round": cycle})
    assert state == {
        "contacts": {"unfinished_sweep": [sweep]},
        "contact_activity_details": {"unfinished_round": [cycle]},
    }


def test_last_part_counts_where_a_merge_has_appended_lists() -> None:
    state = upgrade(email_campaign_stats={"log": [{"id": "old"}, {"id": "new"}]})
    assert state == {"email_campaign_stats": {"log": [{"id": "new"}]}}


def at(ahead: timedelta) -> str:
    return f"{NOW + ahead:%Y-%m-%dT%H:%M:%S}.000Z"


@pytest.mark.parametrize(
    ("ahead", "expected", "named"),
    [
        (timedelta(hours=-1), at(timedelta(hours=-1)), []),
        (timedelta(minutes=50), at(timedelta(0)), []),
        (timedelta(hours=2), None, ["contacts"]),
    ],
)
def test_bookmark_in_the_future_is_dropped_and_named(
    ahead: timedelta, expected: str | None, named: list[str]
) -> None:
    bookmark = {"replication_key_value": at(ahead), "sent_until": HOUR}
    read = upgraded({"bookmarks": {"contacts": bookmark}}, NOW)
    assert read.state["bookmarks"]["contacts"].get("replication_key_value") == expected
    assert read.in_future == named


def test_other_times_in_the_future_are_dropped() -> None:
    sweep = {"began": at(timedelta(days=1)), "swept_for": {}}
    assert upgrade(
        contacts={"unfinished_sweep": [sweep]}, email_campaigns={"sent_until": HOUR + 24}
    ) == {"contacts": {}, "email_campaigns": {}}
