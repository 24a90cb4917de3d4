"""Events, and who registered for them."""

from __future__ import annotations

import time

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, TapCommand

from sandbox import Sandbox
from sandbox.generate.events import add_event, add_registration

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
    second = tap.sync(sandbox, "event_registrations", state=first.state)
    for run, status in ((first, "REGISTERED"), (second, "CANCELED")):
        (row,) = [
            row for row in run.records["event_registrations"] if row["registration_id"] == canceled
        ]
        assert row["registration_status"] == status
