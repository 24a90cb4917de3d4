"""Events, and who registered for them."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, TapCommand

from sandbox import Sandbox
from sandbox.generate.events import add_event, add_registration
from tap_constantcontact.timestamps import format_timestamp

ALL = ("events", "event_registrations", "event_registration_details")
REGISTRATIONS = ALL[1:]


def test_events_and_registrations_are_read_once(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, *ALL)
    assert run.status == 0, run.log
    for name, expected in sandbox.expected(ALL).items():
        arrived = [
            tuple(row[key] for key in STREAMS[name].primary_keys) for row in run.records[name]
        ]
        assert len(arrived) == len(expected) > 0, name
        assert set(arrived) == set(expected), name
    for event in run.records["events"]:  # what the list calls so, and what the detail alone has
        account_has = sandbox.account.events[event["event_id"]]
        assert event["start_time"] == account_has["event_start"].replace("Z", ".000Z")
        assert event["default_track"]["track_id"] == account_has["default_track"]["track_id"]
        assert event["event_settings"]
    for detail in run.records["event_registration_details"]:
        assert detail["order_summary"]
        assert detail["tickets"]
    # The API says checkedIn_tickets.
    for name in REGISTRATIONS:
        assert {*run.keys(name, "checked_in_tickets")} == {0, 1}
        assert not any("checkedIn_tickets" in row for row in run.records[name])
    assert "unknown properties" not in run.log


@pytest.mark.parametrize("form", ["both", "links", "cursor"])
def test_event_pages_are_followed_by_cursor_or_link(
    tap: TapCommand, make_sandbox: MakeSandbox, form: str
) -> None:
    sandbox = make_sandbox(contacts=120, event_links=form)
    now = int(time.time())
    for number in range(101):
        add_event(sandbox.account, f"Draft {number}", "DRAFT", now)
    popular = add_event(sandbox.account, "Popular", "ACTIVE", now)
    for contact_id in sandbox.account.contacts:
        add_registration(sandbox.account, popular, contact_id, now)
    run = tap.sync(sandbox, "events", "event_registrations")
    assert run.status == 0, run.log
    expected = sandbox.expected({"events", "event_registrations"})
    assert len(run.records["events"]) == len(expected["events"]) > 100
    assert {*run.keys("events", "event_id")} == {key for (key,) in expected["events"]}
    arrived = [
        (row["event_id"], row["registration_id"]) for row in run.records["event_registrations"]
    ]
    assert len([event_id for event_id, _ in arrived if event_id == popular]) == 120
    assert len(arrived) == len(expected["event_registrations"])
    assert {*arrived} == {*expected["event_registrations"]}


def test_event_status_narrows_events_and_registrations(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, *ALL, event_status=["ACTIVE", "CANCELLED"])
    active = {key for key, event in sandbox.account.events.items() if event["status"] == "ACTIVE"}
    assert {*run.keys("events", "status")} == {"ACTIVE", "CANCELLED"}
    for name in REGISTRATIONS:
        assert {*run.keys(name, "event_id")} == active
    asked = [
        request.path.split("/")[3] for request in sandbox.requests if "/v3/events/" in request.path
    ]
    assert {*asked} == {*run.keys("events", "event_id")}


def test_canceled_registration_has_its_new_status(tap: TapCommand, sandbox: Sandbox) -> None:
    first = tap.sync(sandbox, "event_registrations")
    (canceled,) = sandbox.change()["registrations_changed"]
    second = tap.sync(sandbox, "event_registrations", state=first.state, events_sweep_days=0)
    for run, status in ((first, "REGISTERED"), (second, "CANCELED")):
        (row,) = [
            row for row in run.records["event_registrations"] if row["registration_id"] == canceled
        ]
        assert row["registration_status"] == status


def events_requested(sandbox: Sandbox, since: int = 0) -> set[str]:
    """Return the ids of the events whose details or registrations were requested."""
    paths = (request.path for request in sandbox.requests[since:])
    return {path.split("/")[3] for path in paths if path.startswith("/v3/events/")}


def test_past_events_are_read_if_the_list_shows_a_change(tap: TapCommand, sandbox: Sandbox) -> None:
    first = tap.sync(sandbox, *ALL)
    account, before = sandbox.account, len(sandbox.requests)
    changed, unchanged, *_ = [id_ for id_, row in account.events.items() if _is_past(row)]
    contact_id = next(iter(account.contacts))
    add_registration(account, changed, contact_id, int(time.time()))
    second = tap.sync(sandbox, *ALL, state=first.state)
    upcoming = {id_ for id_, row in account.events.items() if row["status"] == "ACTIVE"}
    assert {changed, *upcoming} <= events_requested(sandbox, before)
    assert unchanged not in events_requested(sandbox, before)
    assert contact_id in second.keys("event_registration_details", "contact_id")


def test_event_that_settles_later_is_read_in_every_run(tap: TapCommand, sandbox: Sandbox) -> None:
    state = tap.sync(sandbox, *ALL).state
    before = len(sandbox.requests)
    tap.sync(sandbox, *ALL, state=state, events_settle_days=20_000)
    assert events_requested(sandbox, before) == events_requested(sandbox)


def test_stream_of_events_selected_later_gets_all(tap: TapCommand, sandbox: Sandbox) -> None:
    first = tap.sync(sandbox, "events")
    second = tap.sync(sandbox, "events", "event_registrations", state=first.state)
    expected = sandbox.expected({"event_registrations"})["event_registrations"]
    assert len(second.records["event_registrations"]) == len(expected)


@pytest.mark.parametrize("deselected", ["events", "event_registrations"])
def test_stream_selected_again_gets_what_changed_meanwhile(
    tap: TapCommand, sandbox: Sandbox, deselected: str
) -> None:
    both, account = ("events", "event_registrations"), sandbox.account
    states = [tap.sync(sandbox, *both).state]
    changed = next(id_ for id_, row in account.events.items() if _is_past(row))
    add_registration(account, changed, next(iter(account.contacts)), int(time.time()))
    (other,) = {*both} - {deselected}
    states.append(tap.sync(sandbox, other, state=states[0]).state)
    again = tap.sync(sandbox, *both, state=states[1])
    assert changed in again.keys(deselected, "event_id")


def test_events_selected_after_their_registrations_get_all(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    first = tap.sync(sandbox, "event_registrations")
    second = tap.sync(sandbox, "events", "event_registrations", state=first.state)
    expected = sandbox.expected({"events"})["events"]
    assert {*second.keys("events", "event_id")} == {key for (key,) in expected}


def test_events_resume_after_a_run_that_ends_early(tap: TapCommand, sandbox: Sandbox) -> None:
    """Runs of four requests each reach all events, one after the other."""
    arrived: set[str] = set()
    state = None
    for _ in range(12):
        run = tap.sync(sandbox, *ALL[:2], state=state, max_requests=4, events_settle_days=0)
        state = run.state
        arrived |= {*run.keys("events", "event_id")}
        if run.status == 0:
            break
    assert run.status == 0, run.log
    assert arrived == {key for (key,) in sandbox.expected({"events"})["events"]}


def _is_past(event: dict[str, str]) -> bool:
    return event["event_end"] < format_timestamp(datetime.now(timezone.utc) - timedelta(days=40))
