"""A first sync that is larger than the quota of a day finishes over several days."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from support.sandboxes import MakeSandbox
from support.tap import Run, TapCommand
from support.target import Target

from sandbox import Fault
from tap_constantcontact.api import session

STREAMS = ("contacts", "email_campaigns", "email_campaign_activities", "email_opens")
#: Four pages of contacts, 12 campaigns with 24 activities, 11 of which have reports.
ACCOUNT = {"contacts": 1600, "campaigns": 12}
REQUESTS = 4 + 1 + 12 + 24 + 11


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tap pause for a moment only when the API refuses a request."""
    monkeypatch.setattr(session, "_THROTTLE_SECONDS", 0.02)


def midnights() -> str:
    """Return when the quota is new, as the tap says it."""
    return f"{datetime.now(timezone.utc) + timedelta(days=1):%Y-%m-%d} 00:00 UTC"


def stopped_early(run: Run) -> bool:
    return "the next run resumes here" in run.log


def days(budget: int) -> int:
    """Return how many days are enough, if each spends a third of its budget on what is new."""
    return 3 * REQUESTS // budget + 2


@pytest.mark.parametrize("budget", [15, 30])
def test_runs_with_max_requests_finish_the_sync_together(
    tap: TapCommand, make_sandbox: MakeSandbox, budget: int
) -> None:
    sandbox, target = make_sandbox(**ACCOUNT), Target()
    for _ in range(days(budget)):
        before = target.state
        run = tap.sync(
            sandbox,
            *STREAMS,
            state=target.state,
            max_requests=budget,
            on_quota_exceeded="stop",
        )
        assert run.status == 0, run.log
        target.load(run.messages)
        if not stopped_early(run):
            break
        assert target.state != before, "a run has come no further"
    assert target.lacks(sandbox, STREAMS) == {}
    assert not stopped_early(run)


@pytest.mark.parametrize(("quota", "parallel"), [(16, 1), (30, 8)])
def test_days_with_a_quota_finish_the_sync_together(
    tap: TapCommand, make_sandbox: MakeSandbox, quota: int, parallel: int
) -> None:
    """The tap does not know of it: others may have used the key."""
    sandbox, target = make_sandbox(**ACCOUNT), Target()
    for _ in range(days(16)):
        sandbox.fail("/*", Fault.QUOTA_EXCEEDED, skip=quota, times=1000)
        settings = {"max_parallel_requests": parallel}
        run = tap.sync(sandbox, *STREAMS, state=target.state, **settings)
        sandbox.clear_faults()
        target.load(run.messages)
        if run.status == 0:
            break
        assert run.status == 75, run.log
    assert target.lacks(sandbox, STREAMS) == {}
    assert run.status == 0


def test_default_streams_finish_with_max_requests(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    """Small tables are read again by each run, so a budget must have room for them."""
    sandbox, target = make_sandbox(**ACCOUNT), Target()
    for _ in range(9):
        run = tap.sync(sandbox, state=target.state, max_requests=70)
        target.load(run.messages)
        if run.status == 0:
            break
        assert run.status == 75, run.log
    assert target.lacks(sandbox, target.rows) == {}
    assert run.status == 0


def test_exhausted_quota_says_when_it_resets(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox, new_at = make_sandbox(**ACCOUNT, daily_quota=10), {midnights()}
    run = tap.sync(sandbox, *STREAMS)
    assert run.status == 75
    new_at.add(midnights())
    assert any(f"the quota resets at {at}" in run.log for at in new_at)
    assert "the next run resumes here" in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("parallel", [1, 8])
def test_second_run_with_exhausted_quota_keeps_its_state(
    tap: TapCommand, make_sandbox: MakeSandbox, parallel: int
) -> None:
    """More than once only with requests that are on their way at that moment."""
    sandbox, target = make_sandbox(**ACCOUNT, daily_quota=20), Target()
    settings, bookmarks = tap.settings(sandbox, max_parallel_requests=parallel), []
    for _ in range(2):
        run = tap.run(settings, state=target.state, select=list(STREAMS))
        assert run.status == 75
        bookmarks.append(run.state["bookmarks"]["email_campaigns"]["replication_key_value"])
        target.load(run.messages)
    assert 2 <= [request.status for request in sandbox.requests].count(429) <= 2 * parallel
    assert bookmarks[0] == bookmarks[1]
