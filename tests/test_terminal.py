"""What a person sees on a terminal during a run and after it."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from singer_sdk.logging import ConsoleFormatter
from support.in_process import run_main
from support.processes import Processes
from support.sandboxes import MakeSandbox
from support.tap import TapCommand, TapProcess
from support.terminals import Window, window

from sandbox import Fault, Sandbox
from tap_constantcontact.__main__ import main
from tap_constantcontact.output import progress
from tap_constantcontact.output.log_filters import SKIPPED_ITEM
from tap_constantcontact.output.progress import Pace, Snapshot, status
from tap_constantcontact.output.results import Outcome, Results, Row
from tap_constantcontact.output.status_line import Part, StatusLine, composed
from tap_constantcontact.output.terminal import ASCII, UNICODE, Terminal, terminal_on_stderr
from tap_constantcontact.output.terminal_log import TerminalFormatter, is_for_people
from tap_constantcontact.output.terminal_report import TerminalReport, next_steps

XTERM = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
WIDTHS = [40, 80, 120]
BAR = "contacts · ━───────────"
REST = " · 96 of 10,000 requests · 3.8/s · 0:24"
MIDDLE = Snapshot(
    "contacts", 12500, 25, 210, 96, 96, 10_000, streams=22, streams_read=7, seconds=24
)


@pytest.fixture(params=WIDTHS)
def opened(request: pytest.FixtureRequest) -> Iterator[Window]:
    with window(request.param, 10) as opened:
        yield opened


def terminal(opened: Window, **changed: Any) -> Terminal:
    return Terminal(
        opened.stream, **{"has_cursor": True, "has_color": True, "signs": UNICODE, **changed}
    )


def middle() -> list[Part]:
    pace = Pace()
    pace.add(Snapshot("contacts"), 0)
    pace.add(MIDDLE, 25)
    return status(MIDDLE, pace, UNICODE)


def test_status_line_stays_below_what_other_processes_write(opened: Window) -> None:
    line = StatusLine(terminal(opened))
    opened.write("$ tap-constantcontact | target\r\n")
    for number in range(30):
        line.show([Part(f"contacts {number}", 0)])
        opened.write(f"target: {number} rows\r\n" * 2)
        opened.update()
        assert opened.screen.display[-1].rstrip() == f"contacts {number}"
    line.close()
    opened.write("$ ")
    opened.update()
    written = [f"target: {number} rows" for number in range(30) for _ in "12"]
    assert opened.lines == ["$ tap-constantcontact | target", *written, "$"]
    assert opened.screen.margins is None
    assert not opened.screen.cursor.hidden


def test_status_line_leaves_a_line_in_progress_whole(opened: Window) -> None:
    line = StatusLine(terminal(opened))
    opened.write("half ")
    line.show([Part("contacts", 0)])
    opened.write("whole\r\n")
    line.show([Part("segments", 0)])
    line.close()
    opened.update()
    assert opened.lines == ["half whole"]


@pytest.mark.parametrize(("columns", "lines"), [(30, 10), (200, 10), (80, 6), (80, 30)])
def test_status_line_follows_the_size_of_the_window(columns: int, lines: int) -> None:
    with window(80, 10) as opened:
        line = StatusLine(terminal(opened))
        for number in range(20):
            opened.write(f"row {number}\r\n")
        line.show(middle())
        opened.update()
        opened.resize(columns, lines)
        line.show(middle())
        opened.write("last\r\n")
        opened.update()
        assert opened.screen.display[-1].startswith("contacts")
        assert sum("contacts" in row for row in opened.screen.display) == 1
        line.close()
        opened.update()
        assert opened.lines[-1] == "last"


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (40, "contacts · page 25 of 210 · 3 min left"),
        (60, "contacts · page 25 of 210 · 12,500 records · 3 min left"),
        (80, "contacts · page 25 of 210 · 12,500 records · 3 min left · 7 of 22 streams"),
        (
            100,
            f"{BAR} · page 25 of 210 · 12,500 records · 3 min left · 7 of 22 streams",
        ),
        (
            132,
            f"{BAR} · page 25 of 210 · 12,500 records · 3 min left · 7 of 22 streams{REST}",
        ),
    ],
)
def test_status_line_is_shortened_by_priority(columns: int, shown: str) -> None:
    with window(columns) as opened:
        assert composed(middle(), terminal(opened, has_color=False)) == shown


def test_status_line_fits_into_any_window() -> None:
    for columns in range(20, 160):
        with window(columns) as opened:
            text = composed(middle(), terminal(opened, has_color=False))
            assert len(text) < columns
            assert text.startswith("contacts")
            assert not text.endswith(UNICODE.ellipsis)


def record(
    level: int, message: str, path: str = "tap.py", exc_info: Any = None
) -> logging.LogRecord:
    return logging.LogRecord("tap-constantcontact", level, path, 1, message, (), exc_info)


def test_warnings_and_errors_are_wrapped_in_color(opened: Window) -> None:
    formatter = TerminalFormatter(terminal(opened))
    words = "email_campaign_activities: skipping one item because the API no longer has it"
    for level in (logging.INFO, logging.WARNING, logging.CRITICAL):
        opened.write(formatter.format(record(level, words)).replace("\n", "\r\n") + "\r\n")
    opened.update()
    text = " ".join(line[2:].strip() for line in opened.lines)
    assert text == " ".join([words] * 3)
    assert [line[0] for line in opened.lines if line[0] != " "] == ["!", "✗"]
    assert (opened.color("!"), opened.color("✗")) == ("brown", "red")


def test_traceback_stays_as_it_is(opened: Window) -> None:
    try:
        int("x" * 150)
    except ValueError:
        text = TerminalFormatter(terminal(opened)).format(
            record(logging.ERROR, "failed", exc_info=sys.exc_info())
        )
    assert text.endswith(f": '{'x' * 150}'")
    assert "\nTraceback (most recent call last):\n" in text


def test_control_characters_never_reach_a_terminal(opened: Window) -> None:
    """What an API sends could move the cursor, or set the title of the window."""
    text = "unknown properties: \x1b]0;title\x07\x1b[2J\x9b31mred\u202e\rdone"
    shown = terminal(opened, has_color=False)
    row = CONTACTS._replace(outcome=Outcome.UNREADABLE, reason=text)
    for line in (
        TerminalFormatter(shown).format(record(logging.WARNING, text)),
        TerminalReport(shown, ["contacts"]).line(row),
    ):
        assert all(part.isprintable() for part in line.splitlines())


def test_log_is_for_people() -> None:
    sdk = sys.modules[ConsoleFormatter.__module__].__file__ or ""
    assert is_for_people(record(logging.INFO, "ours"))
    assert is_for_people(record(logging.WARNING, "theirs", sdk))
    assert not is_for_people(record(logging.INFO, "theirs", sdk))
    assert is_for_people(record(logging.WARNING, SKIPPED_ITEM))
    assert not is_for_people(record(logging.INFO, SKIPPED_ITEM))


class Console(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Latin(Console):
    encoding = "latin-1"


@pytest.mark.parametrize(
    ("environment", "has_cursor", "has_color", "signs"),
    [
        (XTERM, True, True, UNICODE),
        ({**XTERM, "NO_COLOR": "1"}, True, False, UNICODE),
        ({**XTERM, "NO_COLOR": ""}, True, True, UNICODE),
        ({"TERM": "dumb"}, False, False, UNICODE),
        ({}, False, False, UNICODE),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True, UNICODE),
        ({**XTERM, "FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False, UNICODE),
        ({**XTERM, "LC_ALL": "C"}, True, True, ASCII),
        ({"TERM": "xterm", "LANG": "POSIX"}, True, True, ASCII),
    ],
)
def test_environment_decides_how_a_terminal_is_used(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    has_cursor: bool,
    has_color: bool,
    signs: object,
) -> None:
    monkeypatch.setattr(sys, "stderr", Console())
    found = terminal_on_stderr(environment)
    assert found
    assert (found.has_cursor, found.has_color, found.signs) == (has_cursor, has_color, signs)


def test_encoding_without_the_signs_gets_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Latin())
    found = terminal_on_stderr(XTERM)
    assert found
    assert found.signs == ASCII


def test_no_terminal_is_used_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        assert terminal_on_stderr(XTERM) is None


def results(*rows: Row, not_reached: tuple[str, ...] = (), left: int = 9_000) -> Results:
    resets_at = datetime(2026, 1, 31, tzinfo=timezone.utc)
    return Results([*rows], [*not_reached], 75.2, 63, 2, left, 10_000, resets_at)


SKIPPED = Row("events", 0, 1, "all: requires X", 0.2, Outcome.UNREADABLE, "requires the scope X")
CONTACTS = Row("contacts", 1200, 3, "", 1.2)


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (40, "✓ contacts              1,200 records"),
        (60, "✓ contacts              1,200 records      1.2 s"),
        (80, "✓ contacts              1,200 records       3 requests      1.2 s"),
        (120, "✓ contacts              1,200 records       3 requests      1.2 s"),
    ],
)
def test_stream_has_a_line_that_fits(columns: int, line: str) -> None:
    with window(columns + 1) as opened:
        report = TerminalReport(terminal(opened, has_color=False), ["contacts", "events"])
        assert report.line(CONTACTS) == line
        for row in (CONTACTS, SKIPPED, CONTACTS._replace(outcome=Outcome.UNFINISHED)):
            assert all(len(part) <= columns for part in report.line(row).splitlines())
        for part in report.totals(results(CONTACTS, SKIPPED, not_reached=("segments",))):
            assert all(len(each) <= columns for each in part.splitlines())


def test_reason_is_printed_once() -> None:
    others = [SKIPPED._replace(stream=name) for name in ("segments", "landing_pages")]
    with window(80) as opened:
        report = TerminalReport(terminal(opened, has_color=False), ["landing_pages"])
        assert [report.line(row) for row in (SKIPPED, *others, SKIPPED)] == [
            "! events            skipped: requires the scope X",
            "! segments          skipped for the same reason as events",
            "! landing_pages     skipped for the same reason as events",
            "! events            skipped: requires the scope X",
        ]


def test_totals_are_below_their_columns() -> None:
    with window(80) as opened:
        report = TerminalReport(terminal(opened, has_color=False), ["contacts", "events"])
        rule, totals, quota, advice = report.totals(results(CONTACTS, SKIPPED))
    assert rule == "─" * len(totals)
    assert totals == "  1 of 2 streams        1,200 records      63 requests   1:15 min"
    assert quota == (
        "  9,000 of today's 10,000 requests are left for this API key; 2 requests were\n  retries."
    )
    assert advice.startswith("→ 1 stream was skipped (events): it requires the scope X. ")


def test_next_steps_follow_from_what_is_left() -> None:
    others = SKIPPED._replace(stream="landing_pages")
    unfinished = CONTACTS._replace(outcome=Outcome.UNFINISHED)
    assert not [*next_steps(results(CONTACTS))]
    (skipped,) = next_steps(results(CONTACTS, SKIPPED, others))
    assert skipped == (
        "2 streams were skipped (events, landing_pages): they require the scope X. Sign in again "
        "with that, or deselect them."
    )
    (again,) = next_steps(results(unfinished, not_reached=("segments",), left=0))
    assert again == (
        "2 streams are not finished (contacts, segments). Run the tap again after 2026-01-31 00:00 "
        "UTC, when the quota resets: with the state of this run, it resumes where it stopped."
    )


def sync_on_terminal(
    tap: TapCommand,
    sandbox: Sandbox,
    opened: Window,
    *select: str,
    env: dict[str, str] | None = None,
    arguments: tuple[str, ...] = (),
    **settings: Any,
) -> int:
    given = tap.arguments(tap.settings(sandbox, **settings), *arguments, select=[*select] or None)
    opened.follow()
    ended = run_main(
        main,
        ["tap-constantcontact", *given],
        folder=tap.folder,
        env={**XTERM, **(env or {})},
        terminal=opened.stream,
    )
    opened.close()
    return ended.status


@pytest.mark.parametrize("columns", WIDTHS)
def test_run_on_a_terminal_has_a_line_per_stream(
    tap: TapCommand, make_sandbox: MakeSandbox, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_DISPLAYS", 0.001)
    sandbox = make_sandbox(scopes=("account_read", "contact_data", "offline_access"))
    opened = Window(columns, 40)
    select = ("account", "contacts", "email_campaigns", "segments")
    assert sync_on_terminal(tap, sandbox, opened, *select) == 0
    shown = "\n".join(opened.lines)
    assert not re.search("METRIC|Skipping|INFO|Beginning|Run ended", shown)
    assert [line.split()[:2] for line in opened.lines if line[:2] in ("✓ ", "! ")] == [
        ["✓", "account"],
        ["✓", "contacts"],
        ["✓", "segments"],
        ["!", "email_campaigns"],
    ]
    assert "requires the scope" in re.sub(r"\s+", " ", shown)
    assert "→ 1 stream was skipped" in shown
    assert b"\x1b[40;1H" in opened.written  # the live line was there, and is gone
    assert opened.screen.margins is None


@pytest.mark.parametrize("columns", WIDTHS)
def test_live_line_of_a_run_always_fits(
    tap: TapCommand, make_sandbox: MakeSandbox, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_DISPLAYS", 0.001)
    opened = Window(columns)
    sandbox = make_sandbox(contacts=3000)
    assert sync_on_terminal(tap, sandbox, opened, "contacts", env={"NO_COLOR": "1"}) == 0
    live = re.findall(r"\x1b\[24;1H\x1b\[2K(.*?)\x1b8", opened.written.decode())
    assert any(line.startswith("contacts · ") for line in live)
    assert all(len(line) < columns and "…" not in line for line in live)
    assert not re.search(r"\x1b\[[\d;]*m", opened.written.decode())


def test_dumb_terminal_has_plain_lines(tap: TapCommand, sandbox: Sandbox) -> None:
    opened = Window(80)
    env = {"TERM": "dumb", "LC_ALL": "C"}
    assert sync_on_terminal(tap, sandbox, opened, "account", "contacts", env=env) == 0
    assert b"\x1b" not in opened.written
    assert opened.written.isascii()
    assert [line[0] for line in opened.lines] == [" ", "+", "+", "-", " ", " "]


def test_debug_log_on_a_terminal_has_all(tap: TapCommand, sandbox: Sandbox) -> None:
    opened = Window(200, 40)
    assert sync_on_terminal(tap, sandbox, opened, "account", env={"LOGLEVEL": "DEBUG"}) == 0
    shown = opened.written.decode()
    assert "METRIC: " in shown
    assert "Skipping deselected stream 'contacts'." in shown
    assert "Run ended after" in shown


def test_log_of_warnings_on_a_terminal_has_no_streams(tap: TapCommand, sandbox: Sandbox) -> None:
    opened = Window(80)
    assert sync_on_terminal(tap, sandbox, opened, "account", env={"LOGLEVEL": "WARNING"}) == 0
    assert opened.lines == []


def test_log_that_is_no_terminal_keeps_what_others_parse(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "account", "contacts")
    points = [line for line in run.log.splitlines() if "singer_sdk.metrics" in line]
    assert any('"metric":"record_count","value":60' in line for line in points)
    assert "Skipping deselected stream 'segments'." in run.log
    assert run.table.keys() == {"account", "contacts"}
    assert "\x1b" not in run.log


def test_stream_that_ends_early_is_marked_on_a_terminal(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    opened = Window(80)
    sandbox = make_sandbox(contacts=1200)
    select = ("account", "contacts", "segments")
    assert sync_on_terminal(tap, sandbox, opened, *select, max_requests=2) == 75
    shown = " ".join(" ".join(opened.lines).split())
    assert "✗ contacts 500 records 1 request" in shown
    assert "✗ Request budget reached: 2 requests (max_requests)" in shown
    assert "→ 2 streams are not finished (contacts, segments). Run the tap again: " in shown


def test_error_is_the_last_line_of_a_terminal(tap: TapCommand, sandbox: Sandbox) -> None:
    opened = Window(200, 40)
    sandbox.fail("/contacts", Fault.SERVER_ERROR, times=20)
    assert sync_on_terminal(tap, sandbox, opened, "account", "contacts") == 1
    last = r"✗ .*Retries failed; the next run resumes from here \[docs: .*\]$"
    assert re.match(last, opened.lines[-1])
    assert opened.color("✗ GET") == "red"
    assert not re.search("Backing off|Giving up|Traceback", opened.written.decode())


def test_discovery_leaves_a_terminal_empty(tap: TapCommand, sandbox: Sandbox) -> None:
    opened = Window(80)
    assert sync_on_terminal(tap, sandbox, opened, arguments=("--discover",)) == 0
    assert opened.written == b""


def test_test_on_a_terminal_lists_streams(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(scopes=("account_read", "contact_data", "offline_access"))
    opened = Window(100, 80)
    arguments = ("--test", "--select", "account,contacts,email_campaigns")
    assert sync_on_terminal(tap, sandbox, opened, arguments=arguments) == 0
    signs = {line.split()[1]: line[0] for line in opened.lines if line[:2] in ("✓ ", "! ")}
    assert signs == {"account": "✓", "contacts": "✓", "email_campaigns": "!"}
    assert "METRIC" not in opened.written.decode()


def test_run_outlives_its_terminal(
    tap: TapCommand, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window of a run in the background is closed: the kernel refuses what is written."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_DISPLAYS", 0.001)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    failures: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)

    def refuse() -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    given = tap.arguments(tap.settings(sandbox), select=["account", "contacts"])
    with window(80) as opened, monkeypatch.context() as patch:
        opened.follow()
        patch.setattr(opened.stream, "flush", refuse)
        command = ["tap-constantcontact", *given]
        ended = run_main(main, command, folder=tap.folder, env=XTERM, terminal=opened.stream)
    assert ended.status == 0
    assert '{"type":"STATE"' in ended.stdout
    assert not failures


#: The tap as it is, with a live line from the start.
OFTEN = """
import sys
from tap_constantcontact.output import progress
progress.SECONDS_BETWEEN_DISPLAYS = 0.01
from tap_constantcontact.__main__ import main
sys.argv[0] = "tap-constantcontact"
main()
"""


@pytest.mark.parametrize("is_blocked", [False, True], ids=["running", "waiting for the target"])
def test_interrupted_run_leaves_a_clean_terminal(
    tap_process: TapProcess, processes: Processes, make_sandbox: MakeSandbox, is_blocked: bool
) -> None:
    """The target reads nothing: the pipe is full, and the process ends without its main thread."""
    sandbox = make_sandbox(contacts=3000, latency=(0.02, 0.02))
    command = tap_process.command(tap_process.settings(sandbox), select=["contacts", "segments"])
    opened = Window(80)
    run = processes.start(
        [sys.executable, "-c", OFTEN, *command[3:]],
        stdout=subprocess.PIPE if is_blocked else subprocess.DEVNULL,
        stderr=opened.stream,
        env={**os.environ, **XTERM},
    )
    opened.stream.close()
    opened.read_until("contacts")
    opened.follow()
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=20) == 128 + signal.SIGINT
    opened.close()
    assert opened.screen.margins is None
    assert not opened.screen.cursor.hidden
    assert opened.screen.display[-1].strip() == ""
    assert "Traceback" not in opened.written.decode()
