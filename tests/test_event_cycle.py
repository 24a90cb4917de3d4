"""Which events are read: a change arrives in time, whatever happens in between."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tap_constantcontact.incremental.event_cycle import EventCycle
from tap_constantcontact.timestamps import format_timestamp

NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CONFIG = {"events_sweep_days": 7, "events_settle_days": 30}


def event(number: int = 1, ended: datetime = NOW - 90 * DAY, registrations: int = 0) -> Any:
    metrics = {"registration_count": registrations}
    return {
        "event_id": str(number), "end_time": format_timestamp(ended), "summary_metrics": metrics,
    }  # fmt: skip


def cycle_of(states: list[dict[str, Any]], deselected: int | None = None) -> EventCycle:
    """Return the cycle of streams, of which the first one is `events`."""
    selected = {str(n): state for n, state in enumerate(states) if n != deselected}
    return EventCycle(states[0], CONFIG, selected=selected)


def read(states: list[dict[str, Any]], events: list[Any], at: datetime = NOW) -> list[str]:
    """Return the ids of the events that a run reads."""
    cycle, ids = cycle_of(states), []
    needed = [each for each in events if cycle.needs(each, at)]  # what is prefetched
    cycle.begin(at)
    for each in events:
        if cycle.needs(each, at):
            assert each in needed
            ids.append(each["event_id"])
            cycle.note_read(each)
    cycle.complete()
    return ids


@pytest.mark.parametrize(
    ("changed", "hours", "ids"),
    [
        ({}, 1, []),
        ({"registrations": 1}, 1, ["1"]),
        ({"ended": NOW - 91 * DAY}, 1, ["1"]),
        ({}, 7 * 24 - 2, []),
        ({}, 7 * 24, ["1", "2"]),
    ],
    ids=["unchanged", "registration", "other time", "before the sweep", "sweep"],
)
def test_past_event_is_read_if_it_changed_or_a_sweep_is_due(
    changed: dict[str, Any], hours: int, ids: list[str]
) -> None:
    states: list[dict[str, Any]] = [{}]
    assert read(states, [event(1), event(2)]) == ["1", "2"]
    assert read(states, [event(1, **changed), event(2)], NOW + hours * HOUR) == ids


@pytest.mark.parametrize("ended", [NOW + DAY, NOW - 30 * DAY + 2 * HOUR])
def test_event_is_read_in_every_run_until_it_settles(ended: datetime) -> None:
    states: list[dict[str, Any]] = [{}]
    for hours in (0, 1):
        assert read(states, [event(ended=ended)], NOW + hours * HOUR) == ["1"]


@pytest.mark.parametrize("end_time", [None, "", "soon"])
def test_event_without_end_is_read_in_every_run(end_time: str | None) -> None:
    states: list[dict[str, Any]] = [{}]
    for _ in range(2):
        assert read(states, [{**event(), "end_time": end_time}]) == ["1"]


def test_every_event_is_read_once_before_one_is_read_again() -> None:
    states: list[dict[str, Any]] = [{}]
    cycle, upcoming = cycle_of(states), event(ended=NOW + DAY)
    cycle.begin(NOW)
    cycle.note_read(upcoming)  # and the run ends early
    assert read(states, [upcoming, event(2)], NOW + HOUR) == ["2"]
    assert read(states, [upcoming, event(2)], NOW + HOUR) == ["1"]


def test_full_table_reads_all() -> None:
    states: list[dict[str, Any]] = [{}]
    read(states, [event()])
    assert EventCycle(states[0], CONFIG, selected={"events": states[0]}, is_full=True).needs(
        event(), NOW
    )


@pytest.mark.parametrize("removed", [0, 1])
def test_stream_without_its_state_needs_a_new_cycle(removed: int) -> None:
    states: list[dict[str, Any]] = [{}, {}]
    read(states, [event()])
    assert not read(states, [event()])
    states[removed].clear()
    assert read(states, [event()]) == ["1"]


def test_run_that_passes_the_next_sweep_reads_no_event_twice() -> None:
    states: list[dict[str, Any]] = [{}]
    read(states, [event(1)])
    cycle = cycle_of(states)
    cycle.begin(NOW + 7 * DAY - 2 * HOUR)
    assert not cycle.needs(event(1), NOW + 7 * DAY)


def test_deselected_stream_misses_the_cycle_though_its_state_is_kept() -> None:
    states: list[dict[str, Any]] = [{}, {}]
    read(states, [event()])
    kept = json.loads(json.dumps(states[1]))
    cycle_of(states, deselected=1).begin(NOW)
    assert read([states[0], kept], [event()]) == ["1"]


class EventMachine(RuleBasedStateMachine):
    """Runs end early, resume from earlier states, and gain or lose a stream; every change arrives.

    A target holds the versions of events that streams have read. The list shows some changes, not
    others.
    """

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.events = [event(n, NOW + (10 - 20 * n) * DAY) for n in range(5)]
        self.versions = [0] * 5
        self.seen = [0] * 5  # of which the list shows that they are new
        self.states: list[dict[str, Any]] = [{}, {}]
        self.earlier: list[str] = []
        self.target: list[dict[int, int]] = [{}, {}]

    @rule(number=st.integers(0, 4))
    def change_what_the_list_shows(self, number: int) -> None:
        self.versions[number] += 1
        self.seen[number] = self.versions[number]
        self.events[number]["summary_metrics"]["registration_count"] += 1

    @rule(number=st.integers(0, 4))
    def change_what_the_list_does_not_show(self, number: int) -> None:
        self.versions[number] += 1

    @rule(
        hours=st.sampled_from([1, 24, 24 * 5]),
        most=st.none() | st.integers(0, 4),
        deselected=st.sampled_from([None, None, 0, 1]),
    )
    def run(self, hours: int, most: int | None, deselected: int | None = None) -> None:
        self.now += hours * HOUR
        cycle, requests = cycle_of(self.states, deselected), 0
        cycle.begin(self.now)
        for number, each in enumerate(self.events):
            if cycle.needs(each, self.now):
                if requests == most:
                    break
                requests += 1
                for stream in {0, 1} - {deselected}:
                    self.target[stream][number] = self.versions[number]
                cycle.note_read(each)
        else:
            cycle.complete()
        self.earlier.append(json.dumps(self.states))
        self.states = json.loads(self.earlier[-1])

    @precondition(lambda self: self.earlier)
    @rule(data=st.data())
    def continue_from_an_earlier_state(self, data: st.DataObject) -> None:
        self.states = json.loads(data.draw(st.sampled_from(self.earlier)))

    @rule()
    def lose_the_state_of_registrations(self) -> None:
        self.states[1].clear()

    def teardown(self) -> None:
        if not hasattr(self, "events"):
            return
        self.run(24, None)
        self.assert_arrived(self.seen)
        self.run(24 * 7, None)
        self.assert_arrived(self.versions)

    def assert_arrived(self, versions: list[int]) -> None:
        """Check that both streams have read versions that are no older than these."""
        for target in self.target:
            assert all(target[number] >= version for number, version in enumerate(versions))


TestEventMachine = EventMachine.TestCase
