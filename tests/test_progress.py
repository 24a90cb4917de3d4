"""Progress during a run, and the summary at its end."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from support.sandboxes import MakeSandbox
from support.tap import TapCommand, TapProcess

from sandbox import Fault, Sandbox
from tap_constantcontact.output.progress import Pace, Snapshot, run_progress, stream_progress
from tap_constantcontact.output.results import Row
from tap_constantcontact.output.summary import table

#: The tap as it is, with a look every few hundredths of a second.
OFTEN = """
import sys
from tap_constantcontact.output import progress
progress.SECONDS_BETWEEN_LINES = progress.SECONDS_BETWEEN_DISPLAYS = 0.02
from tap_constantcontact.__main__ import main
sys.argv[0] = "tap-constantcontact"
main()
"""


def looking_often(command: list[str]) -> list[str]:
    """Return a command of the tap that looks at its run often."""
    return [sys.executable, "-c", OFTEN, *command[3:]]


def test_progress_has_stream_and_pages() -> None:
    assert stream_progress(Snapshot()) == "Starting"
    reports = Snapshot(stream="email_opens", records=12500, responses=1025)
    assert stream_progress(reports) == "email_opens: 12,500 records, 1,025 requests"
    contacts = Snapshot(stream="contacts", records=12500, responses=25, pages=210)
    assert stream_progress(contacts) == "contacts: 12,500 records, page 25 of 210"


def test_progress_has_rate_and_time_left() -> None:
    pace = Pace()
    pace.add(Snapshot(stream="account", requests=0), taken_at=0)
    assert pace.requests_per_second is None
    assert pace.seconds_left is None
    for second in range(1, 31):
        pages = Snapshot("contacts", 500 * second, 4 * second, 840, 4 * second, 4 * second, 10_000)
        pace.add(pages, taken_at=second)
    assert pace.requests_per_second == pytest.approx(4)
    assert pace.seconds_left == pytest.approx(180)
    assert run_progress(pages, pace) == (
        "120 of today's 10,000 requests, 4.0 requests/s, about 3 min left in this stream"
    )


def test_progress_rate_is_that_of_the_last_minute() -> None:
    pace = Pace()
    for second in range(200):  # the API throttles: there is nothing any more
        pace.add(Snapshot(stream="contacts", requests=min(4 * second, 400)), taken_at=second)
    assert pace.requests_per_second == 0
    assert run_progress(Snapshot(requests_today=400, daily_quota=10_000), pace).endswith(
        "0.0 requests/s"
    )


def test_progress_without_page_count_has_no_time_left() -> None:
    pace = Pace()
    for second in range(10):
        pace.add(Snapshot(stream="email_opens", responses=second), taken_at=second)
    assert pace.seconds_left is None


def test_progress_is_logged_at_intervals(
    tap_process: TapProcess, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=1200, latency=(0.1, 0.1))
    command = tap_process.command(
        tap_process.settings(sandbox), select=["contacts", "contact_tags"]
    )
    run = subprocess.run(
        looking_often(command), capture_output=True, text=True, timeout=60, check=True
    )
    lines = [line for line in run.stderr.splitlines() if "tap-constantcontact.progress" in line]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\d\- :,]+\| INFO +\| tap-constantcontact\.progress +\| .*", line)
    told = [line for line in lines if "contacts: " in line]
    assert re.search(r"contacts: [\d,]+ records, page [1-3] of 3; \d+ of today's 10,000", told[-1])


def test_log_has_no_line_per_request(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    few, many = make_sandbox(campaigns=6), make_sandbox(campaigns=60)
    logs = [
        tap.sync(sandbox, "email_campaign_activities", "email_opens").log for sandbox in (few, many)
    ]
    assert len(many.requests) > len(few.requests) + 100
    few_lines, many_lines = (len(log.splitlines()) for log in logs)
    assert many_lines <= few_lines + 2


def test_summary_names_skipped_streams_and_reasons(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(scopes=("account_read", "contact_data", "offline_access"))
    run = tap.sync(sandbox, "account", "contacts", "email_campaigns", "partner_accounts")
    assert run.status == 0, run.log
    rows = run.table
    assert rows["contacts"] == ["60", "1"]
    assert rows["email_campaigns"][2] == (
        "all: requires the scope campaign_data and the privilege campaign:read"
    )
    assert rows["partner_accounts"] == ["0", "0", "all: requires a partner's key"]


def test_summary_of_an_interrupted_run_names_what_is_left(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=1200)
    streams = ("account", "contacts", "contact_tags", "segments")
    run = tap.sync(sandbox, *streams, max_requests=2)
    assert run.status == 75
    rows = run.table
    assert rows["account"] == ["1", "1"]
    assert rows["contacts"] == ["500", "1", "the rest"]
    assert rows.keys() & {"contact_tags", "segments"} == set()
    assert run.log.splitlines()[-1] == "The run ended before it reached 2 more streams."


def test_streams_that_only_others_need_lack_nothing(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "email_opens")
    assert run.table.keys() >= {"email_campaigns", "email_campaign_stats", "email_opens"}
    assert "the rest" not in run.log


def test_summary_of_a_run_that_fails_at_once_is_one_line(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/account/summary", Fault.NOT_FOUND)
    run = tap.sync(sandbox)
    table = run.log.partition("Run ended after")[2].splitlines()[2:]
    assert [line.split()[0] for line in table[:-1]] == ["account", "The"]


def test_summary_of_a_run_that_ended_before_one_stream_names_it(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = tap.sync(sandbox, "account", "contact_tags", "segments", max_requests=1)
    assert run.log.splitlines()[-1] == "The run ended before it reached segments."


def test_summary_counts_skipped_items(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/emails/activities/*", Fault.NOT_FOUND, times=3)
    run = tap.sync(sandbox, "email_campaign_activities")
    assert run.log.count("skipping one item") == 1
    assert re.search(r"\d gone or forbidden", run.log.splitlines()[-1])


def test_summary_is_as_wide_as_its_content() -> None:
    rows = [Row("contacts", 120_000, 241), Row("segments", 4, 5)]
    assert table(rows).splitlines() == [
        "stream    records  requests",
        "contacts  120,000       241",
        "segments        4         5",
    ]
    assert table([*rows, Row("events", 0, 1, "the rest of them")]).splitlines()[-1] == (
        "events          0         1  the rest of them"
    )
