"""Bookmarks of streams that read the oldest change first: what is read again, and what is not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.merging import merged

from tap_constantcontact.incremental.bookmark import Bookmark
from tap_constantcontact.incremental.changed_rows import ChangedRows
from tap_constantcontact.incremental.start_date import with_overlap
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at(minutes_ago: float) -> str:
    return format_timestamp(NOW - minutes_ago * MINUTE)


def read(state: dict[str, Any], rows: dict[str, str], now: datetime = NOW) -> list[str]:
    """Return the ids of the rows that a run reads, given when each row changed."""
    bookmark, changes = Bookmark(state, "updated_at"), ChangedRows("id", "updated_at")
    value = state.get("replication_key_value")
    since = with_overlap(parse_timestamp(value)) if value else ""
    listed = changes.select(({"id": id_, "updated_at": at_} for id_, at_ in rows.items()), since)
    ids = [row["id"] for row in listed if not bookmark.has_read(row["id"], row["updated_at"])]
    for id_ in ids:
        bookmark.advance(id_, rows[id_], now)
    return ids


def test_rows_at_the_bookmark_are_read_once() -> None:
    state: dict[str, Any] = {}
    rows = {"a": at(90), "b": at(62), "c": at(60), "d": at(60)}
    assert read(state, rows) == ["a", "b", "c", "d"]
    assert read(state, rows) == []
    rows["c"] = at(59)
    assert read(state, rows) == ["c"]


def test_row_that_has_just_changed_is_read_once_more() -> None:
    state: dict[str, Any] = {}
    assert read(state, {"a": at(4)}) == ["a"]
    assert read(state, {"a": at(4)}, NOW + HOUR) == ["a"]
    assert read(state, {"a": at(4)}, NOW + HOUR) == []


def test_rows_without_time_are_always_read() -> None:
    state: dict[str, Any] = {}
    for _ in range(2):
        assert "a" in read(state, {"a": "", "b": at(60)})


def test_state_holds_few_rows() -> None:
    state: dict[str, Any] = {}
    rows = {str(number): at(60) for number in range(100)}
    read(state, rows)
    (part,) = state["at_bookmark"]
    assert len(part["rows"]) == 20
    assert len(read(state, rows)) == 80


@pytest.mark.parametrize("value", ["2026-11-22T07:00:00.000Z", None])
def test_rows_of_another_bookmark_are_not_believed(value: str | None) -> None:
    state: dict[str, Any] = {}
    read(state, {"a": at(30)})
    state.pop("replication_key_value")
    if value:
        state["replication_key_value"] = value
    assert read(state, {"a": at(30)}) == ["a"]


def test_rows_of_another_bookmark_are_forgotten() -> None:
    rows = {"a": at(90), "b": at(60)}
    state: dict[str, Any] = {}
    read(state, rows)
    del state["replication_key_value"]  # by someone who wants to read everything again
    Bookmark(state, "updated_at").advance("a", rows["a"], NOW)  # and the run ends early
    assert read(state, rows) == ["b"]


@given(data=st.data())
def test_every_change_is_read_whatever_happens(data: st.DataObject) -> None:
    """Changes show up late, runs end early, states are restored, or merged after a refresh."""
    states: list[dict[str, Any]] = [{}]
    target, now, rows = dict[str, str](), NOW, {id_: at(600) for id_ in "abc"}
    for _ in range(data.draw(st.integers(1, 6))):
        now += data.draw(st.sampled_from([MINUTE, 6 * MINUTE, HOUR]))
        for id_ in data.draw(st.sets(st.sampled_from("abc"))):
            late = data.draw(st.sampled_from([0, 1, 4])) * MINUTE
            rows[id_] = format_timestamp(now - late)
        is_refresh = data.draw(st.booleans())
        before = states[-1] if is_refresh else data.draw(st.sampled_from(states))
        state = {} if is_refresh else json.loads(json.dumps(before))
        target = {} if is_refresh else target
        bookmark, most = Bookmark(state, "updated_at"), data.draw(st.integers(1, 3))
        for id_ in read(json.loads(json.dumps(state)), rows, now)[:most]:
            target[id_] = rows[id_]
            bookmark.advance(id_, rows[id_], now)
        # After a refresh, earlier states are not used any more.
        states = [merged(before, state)] if is_refresh else [*states, state]
    now += HOUR
    target |= {id_: rows[id_] for id_ in read(states[-1], rows, now)}
    assert target == rows
    assert read(states[-1], rows, now + HOUR) == []
