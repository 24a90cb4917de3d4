"""Sweeps and cycles: what they leave in the state, and when the next one is due."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tap_constantcontact.incremental.contact_cycles import CycleState, SweepState

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
TEXT = "2026-11-26T12:00:00.000Z"
SETTINGS = {"contact_status": "all"}
OTHER = {"contact_status": "active"}


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_cycle_keeps_the_keys_of_the_state() -> None:
    state: dict[str, Any] = {}
    cycle = CycleState(state, SETTINGS, days=1)
    cycle.start()
    cycle.set_began(NOW)
    cycle.advance(["2024-01-31T08:00:00.000Z", "id"])
    assert state == {
        "unfinished_round": [
            {"began": TEXT, "for": SETTINGS, "last": ["2024-01-31T08:00:00.000Z", "id"]}
        ]
    }
    assert cycle.finish() == TEXT
    assert state == {"round_at": TEXT, "round_for": SETTINGS}


def test_sweep_keeps_the_keys_of_the_state() -> None:
    state: dict[str, Any] = {"since": ""}
    sweep = SweepState(state, SETTINGS, days=1)
    sweep.start()
    assert state == {"since": "", "unfinished_sweep": [{"swept_for": SETTINGS}]}
    sweep.set_began(NOW)
    sweep.advance("2024-01-31T08:00:00.000Z")
    assert state["unfinished_sweep"] == [
        {"began": TEXT, "swept_for": SETTINGS, "created_before": "2024-01-31T08:00:00.000Z"}
    ]
    assert sweep.finish() == TEXT
    assert state == {"since": "", "swept_at": TEXT, "swept_for": SETTINGS}


@pytest.mark.parametrize(
    ("days", "began_days_ago", "is_due"),
    [(0, 0, True), (1, 0.95, False), (1, 0.96, True), (1, 3, True), (7, 6, False)],
)
def test_cycle_is_due_an_hour_before_its_days_have_passed(
    days: float, began_days_ago: float, is_due: bool
) -> None:
    state = {"round_at": days_ago(began_days_ago), "round_for": SETTINGS}
    assert CycleState(state, SETTINGS, days).is_due(NOW) is is_due


def test_cycle_of_other_settings_makes_the_next_one_due() -> None:
    assert CycleState({"round_at": TEXT, "round_for": OTHER}, SETTINGS, days=1).is_due(NOW)
    assert CycleState({}, SETTINGS, days=1).is_due(NOW)


def test_cycle_under_way_is_resumed_where_it_was() -> None:
    under_way = {"began": days_ago(2), "for": SETTINGS, "last": ["time", "id"]}
    state = {
        "round_at": days_ago(3),
        "round_for": SETTINGS,
        "unfinished_round": [under_way],
    }
    cycle = CycleState(state, SETTINGS, days=9)
    assert cycle.is_due(NOW)
    cycle.start()
    cycle.set_began(NOW)
    assert cycle.position == ["time", "id"]
    assert cycle.finish() == days_ago(2)


def test_cycle_under_way_with_other_settings_is_discarded() -> None:
    under_way = {"for": OTHER, "last": ["t", "id"]}
    state = {"round_at": TEXT, "round_for": SETTINGS, "unfinished_round": [under_way]}
    cycle = CycleState(state, SETTINGS, days=1)
    cycle.discard_outdated()
    assert state == {"round_at": TEXT, "round_for": SETTINGS}
    assert not cycle.is_due(NOW)
    assert cycle.position is None


def test_cycle_under_way_that_began_before_the_last_complete_one_is_discarded() -> None:
    """It was complete, and an orchestrator has merged it in again."""
    under_way = {"began": days_ago(0.5), "for": SETTINGS, "last": ["t", "id"]}
    state = {"round_at": TEXT, "round_for": SETTINGS, "unfinished_round": [under_way]}
    cycle = CycleState(state, SETTINGS, days=1)
    cycle.discard_outdated()
    assert state == {"round_at": TEXT, "round_for": SETTINGS}


def test_cycle_that_was_completed_in_the_future_makes_the_next_one_due() -> None:
    state = {"round_at": days_ago(-2), "round_for": SETTINGS}
    assert CycleState(state, SETTINGS, days=1).is_due(NOW)


def test_sweep_under_way_with_other_settings_starts_over() -> None:
    under_way = {"began": days_ago(2), "swept_for": OTHER, "created_before": "time"}
    state = {"replication_key_value": TEXT, "swept_at": TEXT, "unfinished_sweep": [under_way]}
    sweep = SweepState(state, SETTINGS, days=1)
    assert sweep.is_due(NOW)
    sweep.start()
    assert state["unfinished_sweep"] == [{"swept_for": SETTINGS}]
    assert sweep.position is None


def test_sweep_is_due_without_a_bookmark() -> None:
    state = {"swept_at": TEXT, "swept_for": SETTINGS}
    assert SweepState(state, SETTINGS, days=1).is_due(NOW)
    state["replication_key_value"] = TEXT
    assert not SweepState(state, SETTINGS, days=1).is_due(NOW)
