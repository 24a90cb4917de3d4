"""Faults of the API lose no row, whatever fails and wherever."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest
from support.sandboxes import MakeSandbox
from support.tap import TapCommand
from support.target import Target, hidden_by

from sandbox import TOKEN_PATH, Fault
from tap_constantcontact import auth
from tap_constantcontact.api import run_context, session
from tap_constantcontact.sdk_hooks.streams import StreamHooks

pytestmark = pytest.mark.slow

CAMPAIGNS = ("email_campaigns", "email_campaign_activities", "email_opens")


class Place(NamedTuple):
    """Requests that fail: a path, how many requests to it go well before, and who makes them."""

    path: str
    skip: int = 0
    streams: tuple[str, ...] = CAMPAIGNS
    contacts: int = 60


PLACES = {
    "first page": Place("/contacts", 0, ("contacts", "account"), contacts=1001),
    "middle page": Place("/contacts", 1, ("contacts", "account"), contacts=1001),
    "detail": Place("/emails/????????-*", 2),
    "report": Place("/reports/email_reports/*/tracking/opens", 1),
    "token endpoint": Place(TOKEN_PATH),
}

HANGING = 0.6  # seconds, which is longer than the tap waits in these tests


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tap wait for a part of a second only: for a response, and when it is throttled."""
    monkeypatch.setattr(StreamHooks, "timeout", 0.3)
    monkeypatch.setattr(run_context, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(auth, "_TOKEN_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(session, "_THROTTLE_SECONDS", 0.02)


PASSES = 0
FAILS = 1
TRY_TOMORROW = 75


class Passing(NamedTuple):
    """A temporary fault, how a run ends then, and how at the token endpoint."""

    fault: Fault
    status: int = PASSES
    at_token_endpoint: int = PASSES
    times: int = 1

    def status_at(self, name: str) -> int:
        return self.at_token_endpoint if name == "token endpoint" else self.status


PASSING = [
    Passing(Fault.SERVER_ERROR),
    Passing(Fault.UNAVAILABLE),
    Passing(Fault.GATEWAY_TIMEOUT),
    Passing(Fault.DROPPED),
    Passing(Fault.CUT),
    Passing(Fault.NOT_JSON),
    Passing(Fault.DELAY),
    Passing(Fault.UNAUTHORIZED, at_token_endpoint=FAILS),
    Passing(Fault.THROTTLED, times=4),
    Passing(Fault.QUOTA_EXCEEDED, TRY_TOMORROW),
]
LASTING = [
    (Fault.SERVER_ERROR, "first page", FAILS),
    (Fault.SERVER_ERROR, "token endpoint", FAILS),
    (Fault.UNAVAILABLE, "middle page", FAILS),
    (Fault.GATEWAY_TIMEOUT, "report", FAILS),
    (Fault.DROPPED, "report", FAILS),
    (Fault.CUT, "detail", FAILS),
    (Fault.NOT_JSON, "middle page", FAILS),
    (Fault.DELAY, "detail", FAILS),
    (Fault.DELAY, "token endpoint", FAILS),
    (Fault.UNAUTHORIZED, "middle page", FAILS),
    (Fault.THROTTLED, "detail", FAILS),
    (Fault.QUOTA_EXCEEDED, "report", TRY_TOMORROW),
]


class Outcome(NamedTuple):
    """How a run ended, what is wrong with it or the next one, and which rows they did not bring."""

    status: int
    problem: str = ""
    lacks: dict[str, str] = {}


def outcome(
    folder: Path, make_sandbox: MakeSandbox, name: str, fault: Fault, times: int
) -> Outcome:
    """Let a fault happen at a place, and sync until a run succeeds."""
    place, tap, target = PLACES[name], TapCommand(folder / name), Target()
    tap.folder.mkdir()
    # A lost response of the token endpoint would cost a rotating token.
    sandbox = make_sandbox(contacts=place.contacts, campaigns=5, long_lived_tokens=True)
    sandbox.fail(place.path, fault, times=times, skip=place.skip, seconds=HANGING)
    run = tap.sync(sandbox, *place.streams)
    target.load(run.messages)
    if "Traceback" in run.log or "Unexpected" in run.log:
        return Outcome(run.status, run.log)
    if run.status:
        sandbox.clear_faults()
        again = tap.sync(sandbox, *place.streams, state=target.state)
        target.load(again.messages)
        if again.status:
            return Outcome(run.status, f"the next run fails as well: {again.log}")
    return Outcome(run.status, lacks=target.lacks(sandbox, place.streams))


@pytest.mark.parametrize("passing", PASSING, ids=[passing.fault.value for passing in PASSING])
def test_temporary_fault_loses_no_row(
    tmp_path: Path, make_sandbox: MakeSandbox, passing: Passing
) -> None:
    """At each place where it can happen."""
    outcomes = {
        name: outcome(tmp_path, make_sandbox, name, passing.fault, passing.times) for name in PLACES
    }
    assert outcomes == {name: Outcome(passing.status_at(name)) for name in PLACES}


@pytest.mark.parametrize(("fault", "name", "status"), LASTING)
def test_lasting_fault_loses_no_row(
    tmp_path: Path, make_sandbox: MakeSandbox, fault: Fault, name: str, status: int
) -> None:
    assert outcome(tmp_path, make_sandbox, name, fault, times=99) == Outcome(status)


@pytest.mark.parametrize("hours", [-30, -1, 1])
def test_wrong_clock_loses_no_row(tap: TapCommand, make_sandbox: MakeSandbox, hours: int) -> None:
    """The API's clock, which gives changes their times, differs from the tap's."""
    now = datetime.now(timezone.utc) + timedelta(hours=hours)
    sandbox, target = make_sandbox(now=now), Target()
    streams = ("contacts", *CAMPAIGNS)
    target.load(tap.sync(sandbox, *streams).messages)
    hidden: set[str] = set()
    for _ in range(2):
        hidden |= hidden_by(sandbox.change())
        target.load(tap.sync(sandbox, *streams, state=target.state).messages)
        assert target.lacks(sandbox, streams, hidden) == {}
