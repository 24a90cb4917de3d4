"""Reports on single contacts: a request for each, so only for those that settings select."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand

from sandbox import Sandbox
from sandbox.server.options import PRIVILEGES
from tap_constantcontact.timestamps import format_timestamp

DETAILS, SUMMARIES, RATES, SMS = REPORTS = (
    *("contact_activity_details", "contact_activity_summaries"),
    *("contact_open_click_rates", "contact_sms_engagement_history"),
)
HOUR = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)


def test_contact_reports_have_every_row_once_in_a_cycle(tap: TapCommand, sandbox: Sandbox) -> None:
    long_ago = format_timestamp(HOUR - timedelta(days=4 * 365))
    first = tap.sync(sandbox, *REPORTS, report_start=long_ago)
    assert first.status == 0, first.log
    for name, expected in sandbox.expected(REPORTS).items():
        arrived = [
            tuple(row[key] for key in STREAMS[name].primary_keys) for row in first.records[name]
        ]
        assert len(arrived) == len(expected) > 0, name
        assert set(arrived) == set(expected), name
    assert 1 in first.keys(DETAILS, "occurrence")


class TestCycles:
    """Activity does not change a contact: every contact is requested in each cycle."""

    def test_cycle_starts_a_day_after_the_last_one(self, tap: TapCommand, sandbox: Sandbox) -> None:
        first = tap.sync(sandbox, RATES)
        again = tap.sync(sandbox, RATES, state=first.state)
        assert not again.records[RATES]
        yesterday = format_timestamp(datetime.now(timezone.utc) - timedelta(days=1))
        later = tap.sync(sandbox, RATES, state={"bookmarks": {RATES: {"round_at": yesterday}}})
        assert len(later.records[RATES]) == 60

    def test_cycle_resumes_at_the_contact(self, tap: TapCommand, make_sandbox: MakeSandbox) -> None:
        sandbox = make_sandbox(contacts=1100)
        read: list[str] = []
        state: dict[str, Any] = {}
        while "round_at" not in state.get("bookmarks", {}).get(RATES, {}):
            run = tap.sync(sandbox, RATES, state=state, max_requests=300, on_quota_exceeded="stop")
            assert run.status == 0, run.log
            state = run.state
            assert 280 < len(run.records[RATES]) < 300 or "round_at" in state["bookmarks"][RATES]
            read += run.keys(RATES, "contact_id")
        assert len(read) == len(set(read)) == 1100

    def test_cycle_starts_again_with_other_settings(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        one, other = [*sandbox.account.contacts][:2]
        first = tap.sync(sandbox, RATES, contact_ids=[one])
        second = tap.sync(sandbox, RATES, contact_ids=[other], state=first.state)
        assert second.keys(RATES, "contact_id") == [other]

    def test_cycle_resumes_among_contacts_of_the_same_second(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        for contact in sandbox.account.contacts.values():
            contact["created_at"] = "2024-01-31T08:00:00Z"
        first = tap.sync(sandbox, RATES, max_requests=20)
        assert first.status == 75
        second = tap.sync(sandbox, RATES, state=first.state)
        both = [*first.keys(RATES, "contact_id"), *second.keys(RATES, "contact_id")]
        assert len(both) == len(set(both)) == 60


def test_sms_history_is_requested_for_contacts_with_sms_channel(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    tap.sync(sandbox, SMS)
    paths = [request.path for request in sandbox.requests]
    contacts = sandbox.account.contacts
    asked = contacts_in(paths, "/sms_engagement_history/")
    assert asked == {key for key, contact in contacts.items() if "sms_channel" in contact}
    assert 0 < len(asked) < len(contacts)


def first_two(contacts: list[dict[str, Any]]) -> list[str]:
    return [contact["contact_id"] for contact in contacts[:2]]


def a_list(contacts: list[dict[str, Any]]) -> list[str]:
    return next(contact["list_memberships"][:1] for contact in contacts if listed(contact))


def two_tags(contacts: list[dict[str, Any]]) -> list[str]:
    return sorted({tag for contact in contacts for tag in contact.get("taggings", [])})[:2]


def listed(contact: dict[str, Any]) -> bool:
    return bool(contact["list_memberships"])


@pytest.mark.parametrize(
    ("setting", "choose", "own"),
    [
        ("contact_ids", first_two, lambda contact: [contact["contact_id"]]),
        ("contact_lists", a_list, lambda contact: contact["list_memberships"]),
        ("contact_tags", two_tags, lambda contact: contact.get("taggings", [])),
    ],
)
def test_contact_settings_narrow_the_contact_reports(
    tap: TapCommand,
    sandbox: Sandbox,
    setting: str,
    choose: Callable[[list[dict[str, Any]]], list[str]],
    own: Callable[[dict[str, Any]], list[str]],
) -> None:
    contacts = [*sandbox.account.contacts.values()]
    chosen = choose(contacts)
    narrowed: dict[str, Any] = {setting: chosen}
    run = tap.sync(sandbox, "contacts", RATES, **narrowed)
    wanted = {
        contact["contact_id"] for contact in contacts if not {*chosen}.isdisjoint(own(contact))
    }
    assert 0 < len(wanted) < 60
    assert len(run.records["contacts"]) == 60  # contacts themselves come all
    assert set(run.keys(RATES, "contact_id")) == wanted
    paths = [request.path for request in sandbox.requests]
    assert contacts_in(paths, "/contact_reports/") == wanted


def test_contact_settings_combine(tap: TapCommand, sandbox: Sandbox) -> None:
    contacts = [*filter(listed, sandbox.account.contacts.values())]
    one = contacts[0]
    other = next(row for row in contacts if row["list_memberships"] != one["list_memberships"])
    only_of_one = [*{*one["list_memberships"]} - {*other["list_memberships"]}][:1]
    run = tap.sync(
        sandbox,
        RATES,
        contact_ids=[one["contact_id"], other["contact_id"]],
        contact_lists=only_of_one or ["no such list"],
    )
    assert run.keys(RATES, "contact_id") == ([one["contact_id"]] if only_of_one else [])


def test_contact_activity_types_narrow_the_activities(tap: TapCommand, sandbox: Sandbox) -> None:
    types = ["em_opens", "p_contact_open"]
    run = tap.sync(sandbox, DETAILS, contact_activity_types=types)
    assert set(run.keys(DETAILS, "tracking_activity_type")) == {*types}
    expected = [key for key in sandbox.expected({DETAILS})[DETAILS] if key[2] in types]
    assert len(run.records[DETAILS]) == len(expected)


@pytest.mark.parametrize("relative", [True, False])
def test_report_start_and_end_bound_the_reports(
    tap: TapCommand, make_sandbox: MakeSandbox, relative: bool
) -> None:
    sandbox = make_sandbox(campaigns=24)
    first, last = HOUR - timedelta(weeks=60), HOUR - timedelta(weeks=20)
    given = ("-60w", "-20w") if relative else (format_timestamp(first), format_timestamp(last))
    run = tap.sync(sandbox, SUMMARIES, RATES, report_start=given[0], report_end=given[1])
    windows = {
        stream: {(row["report_start"], row["report_end"]) for row in run.records[stream]}
        for stream in (SUMMARIES, RATES)
    }
    ((start, end),) = windows[SUMMARIES]  # the same for all contacts
    assert len(windows[RATES]) == 1
    past = timedelta(hours=2 if relative else 0)  # the hour goes by
    assert format_timestamp(first) <= start <= format_timestamp(first + past)
    assert format_timestamp(last) <= end <= format_timestamp(last + past)
    all_sent = sandbox.expected({SUMMARIES})[SUMMARIES]
    sent = {key for key, row in all_sent.items() if start <= row["start_on"] <= end}
    assert 0 < len(sent) < len(all_sent)
    rows = run.records[SUMMARIES]
    assert {(row["contact_id"], row["campaign_activity_id"]) for row in rows} == sent
    assert sum(run.keys(RATES, "included_activities_count")) == len(sent)


def test_report_start_and_end_are_validated(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, RATES, report_start="soon", report_end="31/01/2026")
    assert run.status == 1
    assert "Invalid report_start: 'soon' (must be a date" in run.log
    assert "Invalid report_end: '31/01/2026' (must be a date" in run.log
    assert not sandbox.requests


def test_missing_privilege_skips_contact_reports_only(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    privileges = tuple(name for name in PRIVILEGES if name != "ui:campaign:metrics")
    sandbox = make_sandbox(privileges=privileges)
    run = tap.sync(sandbox, "contacts", *REPORTS)
    assert run.status == 0, run.log
    assert len(run.records["contacts"]) == 60
    assert "replication_key_value" in run.state["bookmarks"]["contacts"]
    assert run.records[SMS]
    for name in (DETAILS, SUMMARIES, RATES):
        (warning,) = lines(run, f"{name} is skipped: ")
        assert "WARNING" in warning
        assert "ui:campaign:metrics" in warning
        assert not run.records[name]
    refused = [request for request in sandbox.requests if "/contact_reports/" in request.path]
    assert len(refused) == 3


def test_log_has_the_number_of_requests_of_a_cycle(tap: TapCommand, sandbox: Sandbox) -> None:
    log = tap.sync(sandbox, RATES).log
    assert log.count(f"{RATES}: reading 60 contacts, at least one request each") == 1


def contacts_in(paths: list[str], part: str) -> set[str]:
    """Return the ids of the contacts that were requested."""
    return {path.split(part)[1].split("/")[0] for path in paths if part in path}


def lines(run: Run, text: str) -> list[str]:
    return [line for line in run.log.splitlines() if text in line]
