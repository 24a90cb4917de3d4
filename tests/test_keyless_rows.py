"""Rows of reports without a contact or a link, and reports that stay behind their counters."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import Run, TapCommand

from sandbox import Sandbox
from sandbox.endpoints import tracking, tracking_rows
from tap_constantcontact.streams.engagement import with_occurrences

STREAMS = ("email_opens", "email_clicks", "email_unique_opens")
DAY = 24 * 60 * 60


def keys(run: Run, stream: str) -> list[tuple[Any, ...]]:
    (schema,) = [
        message
        for message in run.messages
        if message["type"] == "SCHEMA" and message["stream"] == stream
    ]
    return [
        tuple(record[name] for name in schema["key_properties"]) for record in run.records[stream]
    ]


@pytest.fixture
def erased(
    make_sandbox: MakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> tuple[Sandbox, dict[str, int]]:
    """Return an account whose reports don't name every second contact, nor any link.

    With it, the numbers of their rows.
    """
    sandbox = make_sandbox(campaigns=12)
    expected = {stream: len(rows) for stream, rows in sandbox.expected(set(STREAMS)).items()}
    gone = set(list(sandbox.account.contacts)[::2])
    whole_row = tracking_rows.row

    def row(*arguments: Any) -> dict[str, Any]:
        row = dict(whole_row(*arguments))
        row.pop("url_id", None)
        if row["contact_id"] in gone:
            del row["contact_id"]
        return row

    monkeypatch.setattr(tracking, "row", row)
    return sandbox, expected


def test_events_without_contact_or_link_are_kept_and_have_keys_of_their_own(
    tap: TapCommand, erased: tuple[Sandbox, dict[str, int]]
) -> None:
    sandbox, expected = erased
    run = tap.sync(sandbox, *STREAMS)
    assert run.status == 0, run.log
    for stream in ("email_opens", "email_clicks"):
        arrived = keys(run, stream)
        assert len(set(arrived)) == len(arrived) == expected[stream]
        assert None not in {part for key in arrived for part in key}
        assert {record["contact_id"] for record in run.records[stream]} > {""}
    assert {record["url_id"] for record in run.records["email_clicks"]} == {""}
    again = tap.sync(sandbox, *STREAMS, state=run.state)
    assert [again.records[stream] for stream in STREAMS] == [[], [], []]


def test_rows_that_lack_a_key_and_have_no_number_are_counted(
    tap: TapCommand, erased: tuple[Sandbox, dict[str, int]]
) -> None:
    sandbox, expected = erased
    run = tap.sync(sandbox, "email_unique_opens")
    skipped = expected["email_unique_opens"] - len(run.records["email_unique_opens"])
    assert skipped > 0
    assert run.table["email_unique_opens"][-1] == f"{skipped} without a key"


def test_occurrence_is_numbered_the_same_for_null_and_absent_ids() -> None:
    rows: list[dict[str, Any]] = [
        {"contact_id": None, "created_time": "x"},
        {"created_time": "x"},
        {"contact_id": ""},
    ]
    numbered = list(with_occurrences(iter(rows), ("contact_id", "created_time", "occurrence")))
    assert [row["contact_id"] for row in numbered] == ["", "", ""]
    assert [row["occurrence"] for row in numbered] == [0, 1, 0]


def test_report_that_stays_behind_its_counter_is_read_once_more_only(
    tap: TapCommand, make_sandbox: MakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last opens never appear, though they are counted."""
    sandbox = make_sandbox(campaigns=12, now=datetime.now(timezone.utc) - timedelta(days=9))
    run = tap.sync(sandbox, "email_opens")
    account, began = sandbox.account, sandbox.account.now()
    (campaign,) = [
        id_
        for id_, each in account.campaigns.items()
        if each["current_status"] == "Done" and account.reached_by(id_)
    ][:1]
    known = {event for part in account.engagement.values() for event in part.opens}
    monkeypatch.setattr(tracking, "_is_wanted", lambda _, event: event in known)
    account.engage(campaign)
    asked, warned = [], []
    for days in range(5):
        account.now = lambda: began + days * DAY + 1  # noqa: B023 - only called in this pass
        before = len(sandbox.requests)
        run = tap.sync(sandbox, "email_opens", state=run.state)
        assert run.status == 0, run.log
        asked.append(sum(each.path.endswith("/opens") for each in sandbox.requests[before:]))
        warned.append("email_opens: a report has fewer rows than its counter" in run.log)
    assert asked == [1, 1, 0, 0, 0]
    assert warned == [False, True, False, False, False]
