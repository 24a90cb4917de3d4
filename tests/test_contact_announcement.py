"""Before its first stream, a run says how many requests single contacts will take."""

from __future__ import annotations

import re

import pytest
from support.sandboxes import MakeSandbox
from support.tap import Run, TapCommand

from sandbox import Sandbox
from sandbox.server.faults import Fault

STREAMS = ("contact_activity_details", "contact_open_click_rates")


def announced(run: Run) -> list[str]:
    """Return the announcement, without the time; it comes with the first stream."""
    lines = run.log.splitlines()
    found = [line for line in lines if "request each contact" in line]
    for line in found:
        before = "".join(lines[: lines.index(line)])
        assert before.count("Beginning sync") == 1
    return [line.partition("| ")[2] for line in found]


def counts(sandbox: Sandbox) -> int:
    return len([each for each in sandbox.requests if each.query.get("limit") == "1"])


def test_run_within_the_quota_says_how_many_requests_contacts_take(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = tap.sync(sandbox, "account", *STREAMS)
    assert run.status == 0, run.log
    (line,) = announced(run)
    assert line.startswith("INFO")
    assert f"({', '.join(STREAMS)}) take about 120 requests in this cycle" in line
    assert "the run has 9,999 left" in line
    assert counts(sandbox) == 1
    asked = [each for each in sandbox.requests if "/contact_reports/" in each.path]
    assert len(asked) == 120


def test_run_beyond_the_quota_warns_reads_the_rest_and_resumes(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = tap.sync(sandbox, "contact_tags", *STREAMS, daily_quota=50)
    (line,) = announced(run)
    assert line.startswith("WARNING")
    assert "take about 120 requests in this cycle, and the run has 49 left" in line
    assert "contact_ids, contact_lists or contact_tags" in line
    assert run.status == 75
    assert run.records["contact_tags"]
    done = len({record["contact_id"] for record in run.records[STREAMS[0]]})
    again = tap.sync(sandbox, *STREAMS, state=run.state, daily_quota=10_000)
    (line,) = announced(again)
    left = int(re.findall(r"about (\d+) requests", line)[0])
    assert 60 < left <= 120 - done


def test_run_beyond_its_budget_warns(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, *STREAMS, max_requests=10)
    (line,) = announced(run)
    assert line.startswith("WARNING")
    assert "and the run has 9 left" in line


def test_run_between_two_cycles_asks_and_says_nothing(tap: TapCommand, sandbox: Sandbox) -> None:
    first = tap.sync(sandbox, *STREAMS)
    before = len(sandbox.requests)
    second = tap.sync(sandbox, *STREAMS, state=first.state)
    assert announced(second) == []
    assert len(sandbox.requests) == before


def test_chosen_contacts_are_counted_without_a_request(tap: TapCommand, sandbox: Sandbox) -> None:
    ids = [key for (key,) in sandbox.expected()["contacts"]][:2]
    run = tap.sync(sandbox, *STREAMS, contact_ids=ids)
    (line,) = announced(run)
    assert "take about 8 requests" in line
    assert sum(int(row[1]) for row in run.table.values()) == 8
    assert counts(sandbox) == 0


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.NOT_FOUND])
def test_contacts_that_cannot_be_counted_are_no_failure(
    tap: TapCommand, sandbox: Sandbox, fault: Fault
) -> None:
    sandbox.fail("/contacts", fault)
    run = tap.sync(sandbox, "account", *STREAMS)
    assert run.status == 0
    assert announced(run) == []


def test_default_streams_are_not_announced(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    run = tap.sync(make_sandbox(contacts=20))
    assert announced(run) == []
