"""Contacts: every change is read, including those that no filter exposes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import Run, TapCommand
from support.waiting import wait_until

from sandbox import Fault, Request, Sandbox
from tap_constantcontact.streams import contacts
from tap_constantcontact.streams.contacts import Contacts
from tap_constantcontact.timestamps import format_timestamp


def sync(tap: TapCommand, sandbox: Sandbox, state: Any = None, **settings: Any) -> Run:
    run = tap.sync(sandbox, "contacts", state=state, **settings)
    assert run.status == 0, run.log
    return run


def ids(run: Run) -> set[str]:
    return set(run.keys("contacts", "contact_id"))


def swept_days_ago(state: dict[str, Any], days: float) -> dict[str, Any]:
    """Return the state as if its last sweep was longer ago."""
    old: dict[str, Any] = json.loads(json.dumps(state))
    swept = datetime.now(timezone.utc) - timedelta(days=days)
    old["bookmarks"]["contacts"]["swept_at"] = format_timestamp(swept)
    return old


def test_unsubscribed_contact_is_read_although_updated_at_stays(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    first = sync(tap, sandbox)
    unsubscribed = set(sandbox.change()["contacts_unsubscribed"])
    second = sync(tap, sandbox, first.state)
    assert unsubscribed <= ids(second)
    bookmark = first.state["bookmarks"]["contacts"]["replication_key_value"]
    for contact in second.records["contacts"]:
        if contact["contact_id"] in unsubscribed:
            assert contact["updated_at"] < bookmark <= contact["last_changed_at"]
            assert contact["email_address"]["permission_to_send"] == "unsubscribed"


def test_incremental_run_requests_changed_and_opted_out_contacts(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    first = sync(tap, sandbox)
    before = len(sandbox.requests)
    sync(tap, sandbox, first.state)
    requests = [request for request in sandbox.requests[before:] if request.method == "GET"]
    queries = [request.query for request in requests]
    filters = [{"updated_after", "optout_after"} & query.keys() for query in queries]
    assert filters == [{"updated_after"}, {"optout_after"}]


def test_sweep_reads_changes_that_no_filter_exposes(tap: TapCommand, sandbox: Sandbox) -> None:
    first = sync(tap, sandbox)
    changed = sandbox.change()
    hidden = {*changed["contacts_resubscribed"], *changed["contacts_off_lists"]}
    second = sync(tap, sandbox, first.state)
    assert not hidden & ids(second)
    third = sync(tap, sandbox, swept_days_ago(second.state, days=1))
    assert hidden <= ids(third)
    assert len(ids(third)) == len(sandbox.expected()["contacts"])


def test_contacts_without_bookmark_are_read_in_full(tap: TapCommand, sandbox: Sandbox) -> None:
    """Somebody has removed it from the state to start again."""
    state = sync(tap, sandbox).state
    del state["bookmarks"]["contacts"]["replication_key_value"]
    assert ids(sync(tap, sandbox, state)) == contacts_of(sandbox)


@pytest.mark.parametrize(
    ("sweep_days", "days_ago", "sweeps"),
    [(0, 0, True), (1, 0.5, False), (1, 1, True), (7, 6, False)],
)
def test_sweep_starts_when_it_is_due(
    tap: TapCommand, sandbox: Sandbox, sweep_days: int, days_ago: float, sweeps: bool
) -> None:
    state = swept_days_ago(sync(tap, sandbox).state, days_ago)
    run = sync(tap, sandbox, state, contacts_sweep_days=sweep_days)
    assert (len(ids(run)) == 60) is sweeps


def test_deleted_contacts_are_read_although_no_time_changes(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(deleting_moves_updated_at=False)
    first = sync(tap, sandbox)
    (deleted,) = sandbox.change()["contacts_deleted"]
    run = sync(tap, sandbox, first.state, contacts_sweep_days=0)
    (contact,) = [row for row in run.records["contacts"] if row["contact_id"] == deleted]
    assert contact["deleted_at"]


def test_contacts_of_the_second_of_the_bookmark_are_read(tap: TapCommand, sandbox: Sandbox) -> None:
    first = sync(tap, sandbox)
    bookmark = first.state["bookmarks"]["contacts"]["replication_key_value"]
    edited = list(sandbox.account.contacts)[:3]
    for contact_id in edited:
        sandbox.account.contacts[contact_id]["updated_at"] = bookmark.replace(".000", "")
    second = sync(tap, sandbox, first.state)
    assert set(edited) <= ids(second)


def test_contacts_bookmark_is_the_start_of_the_run(tap: TapCommand, sandbox: Sandbox) -> None:
    """Or a little earlier: clocks are compared by whole seconds."""
    began = datetime.now(timezone.utc)
    run = sync(tap, sandbox)
    bookmark = run.state["bookmarks"]["contacts"]["replication_key_value"]
    assert (
        format_timestamp(began - timedelta(seconds=3))
        <= bookmark
        <= format_timestamp(datetime.now(timezone.utc))
    )
    assert bookmark > max(run.keys("contacts", "last_changed_at"))


def test_contact_with_sms_only_is_read(tap: TapCommand, sandbox: Sandbox) -> None:
    rows = sync(tap, sandbox).records["contacts"]
    sms_only = [row for row in rows if row.get("email_address") is None]
    assert sms_only
    assert all(row["sms_channel"]["sms_channel_consents"] for row in sms_only)
    assert all(row["last_changed_at"] for row in sms_only)


def test_contact_status_narrows_the_contacts(tap: TapCommand, sandbox: Sandbox) -> None:
    rows = sync(tap, sandbox, contact_status="unsubscribed,deleted").records["contacts"]
    permissions = {(row.get("email_address") or {}).get("permission_to_send") for row in rows}
    assert rows
    assert all(
        row.get("deleted_at") or row["email_address"]["permission_to_send"] == "unsubscribed"
        for row in rows
    ), permissions


def test_contacts_include_narrows_the_requested_parts(tap: TapCommand, sandbox: Sandbox) -> None:
    rows = sync(tap, sandbox, contacts_include=["taggings"]).records["contacts"]
    assert any(row["taggings"] for row in rows)
    assert {row["notes"] for row in rows} == {None}


@pytest.mark.parametrize("accepted", [True, False])
def test_sms_channel_is_requested_if_the_api_accepts_it(
    tap: TapCommand, make_sandbox: MakeSandbox, accepted: bool
) -> None:
    sandbox = make_sandbox(sms_channel_include=accepted)
    run = sync(tap, sandbox, contacts_include=["notes", "sms_channel"])
    assert len(ids(run)) == 60
    assert ("Continuing without sms_channel" in run.log) is not accepted


def test_relative_start_date_does_not_pass_the_bookmark(tap: TapCommand, sandbox: Sandbox) -> None:
    first = sync(tap, sandbox, start_date="-100w")
    late = json.loads(json.dumps(first.state))
    late["bookmarks"]["contacts"]["replication_key_value"] = "2024-01-01T00:00:00.000Z"
    edited = list(first.keys("contacts", "contact_id"))[:2]
    long_ago = format_timestamp(datetime.now(timezone.utc) - timedelta(days=20))
    for contact_id in edited:
        sandbox.account.contacts[contact_id]["updated_at"] = long_ago.replace(".000", "")
    second = sync(tap, sandbox, late, start_date="-1d")
    assert set(edited) <= ids(second)


def test_sweep_keeps_the_start_of_the_first_run(tap: TapCommand, sandbox: Sandbox) -> None:
    first = sync(tap, sandbox, start_date="-100w")
    later = sync(tap, sandbox, swept_days_ago(first.state, 1), start_date="-1d")
    assert ids(later) == ids(first)
    assert 0 < len(ids(first)) < 60


@pytest.mark.parametrize(
    "changed", [{"contacts_include": ["notes"]}, {"contact_status": "active"}, {"start_date": None}]
)
def test_sweep_starts_with_other_settings(
    tap: TapCommand, sandbox: Sandbox, changed: dict[str, Any]
) -> None:
    first = sync(tap, sandbox, start_date="-100w")
    second = sync(tap, sandbox, first.state, **{"start_date": "-100w", **changed})
    assert len(ids(second)) > 20


def test_contacts_count_of_another_meaning_costs_one_pass(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    contacts = [{"contact_id": "1", "updated_at": "2026-01-01T00:00:00Z"}]
    fake_server["/v3/contacts"] = {"contacts": contacts, "contacts_count": 7}
    run = tap.run(fake_server.settings, select=["contacts"])
    assert run.status == 0, run.log
    assert len(run.records["contacts"]) == 1
    assert "2 requests" in run.log
    assert run.state["bookmarks"]["contacts"]["swept_at"]


def test_missing_announced_contacts_keep_the_bookmark(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    fake_server["/v3/contacts"] = {"contacts": [], "contacts_count": 600}
    run = tap.run(fake_server.settings, select=["contacts"])
    assert "Got 0 of 600 contacts in 3 passes; the rest" in run.log
    assert "replication_key_value" not in run.state["bookmarks"]["contacts"]


def test_full_table_run_of_contacts_keeps_no_bookmark(tap: TapCommand, sandbox: Sandbox) -> None:
    state = sync(tap, sandbox).state
    catalog = tap.catalog(["contacts"])
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] == "contacts":
            stream["replication_method"] = "FULL_TABLE"
    path = tap.folder / "full.json"
    path.write_text(json.dumps(catalog))
    run = tap.run(tap.settings(sandbox), "--catalog", str(path), state=state)
    assert run.status == 0, run.log
    assert len(ids(run)) == 60
    assert run.state["bookmarks"]["contacts"] == state["bookmarks"]["contacts"]


class TestShiftingPages:
    """The cursor is a page number: a change during a pass shifts other contacts."""

    def test_contacts_added_during_a_pass_are_read_once(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=1201)
        before = contacts_of(sandbox)
        change_behind_the_first_page(sandbox, sandbox.change)
        run = sync(tap, sandbox)
        keys = run.keys("contacts", "contact_id")
        assert len(contacts_of(sandbox)) > len(before)
        assert len(keys) == len(set(keys))
        assert before <= set(keys)
        assert set(keys) | ids(sync(tap, sandbox, run.state)) == contacts_of(sandbox)

    def test_pass_with_fewer_contacts_than_announced_is_repeated(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """Contacts that leave the status shift others across the end of the page that was read."""
        sandbox = make_sandbox(contacts=1201)
        newest_first = sorted(
            (row for row in sandbox.account.contacts.values() if "deleted_at" not in row),
            key=lambda row: str(row["created_at"]),
        )[::-1]
        deleted = {row["contact_id"] for row in newest_first[:5]}

        def delete() -> None:
            for contact_id in deleted:
                sandbox.account.delete(contact_id)

        change_behind_the_first_page(sandbox, delete)
        statuses = "active,not_set,pending_confirmation,temp_hold,unsubscribed"
        run = sync(tap, sandbox, contact_status=statuses)
        left = {
            key for (key,), row in sandbox.expected()["contacts"].items() if "deleted_at" not in row
        }
        assert left <= ids(run)
        assert len([request for request in sandbox.requests if request.path == "/v3/contacts"]) > 3


class TestSlices:
    """The sweep of a large account is sliced by created_at, and resumes where a run ended."""

    @pytest.fixture(autouse=True)
    def scaled_down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let pages and slices be a fifth as large, so that accounts need not be larger."""
        monkeypatch.setitem(Contacts.params, "limit", 100)
        monkeypatch.setattr(contacts, "_SLICE", contacts._SLICE // 5)
        monkeypatch.setattr(contacts, "_MANY_CHANGES", contacts._MANY_CHANGES // 5)

    def test_slices_read_every_contact_once_for_few_more_requests(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """Whatever the order of contacts is, and whether the ends of a filter belong to it."""
        sandbox = make_sandbox(contacts=3_200, contacts_order="updated", inclusive_dates="both")
        run = sync(tap, sandbox)
        assert sorted(run.keys("contacts", "contact_id")) == sorted(contacts_of(sandbox))
        assert len(slices_of(sandbox)) > 2
        assert len(pages_of(sandbox)) <= 1.25 * 3_200 / 100
        assert "unfinished_sweep" not in run.state["bookmarks"]["contacts"]

    def test_sweep_resumes_after_max_requests(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=3_200)
        arrived: list[str] = []
        state: dict[str, Any] | None = None
        for _ in range(4):
            run = sync(tap, sandbox, state, max_requests=25, on_quota_exceeded="stop")
            arrived += run.keys("contacts", "contact_id")
            state = run.state
            if "swept_at" in state["bookmarks"]["contacts"]:
                break
            assert state["bookmarks"]["contacts"]["unfinished_sweep"][0]["created_before"]
            assert "replication_key_value" not in state["bookmarks"]["contacts"]
        assert set(arrived) == contacts_of(sandbox)
        assert len(arrived) < 1.9 * 3_200  # a slice that was cut is read again
        bookmark = run.state["bookmarks"]["contacts"]
        assert bookmark["replication_key_value"] == bookmark["swept_at"]

    def test_changes_are_read_during_a_sweep(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=3_200)
        state = swept_days_ago(sync(tap, sandbox).state, days=2)
        an_hour_ago = format_timestamp(datetime.now(timezone.utc) - timedelta(hours=1))
        state["bookmarks"]["contacts"]["replication_key_value"] = an_hour_ago
        changed = sandbox.change()
        run = sync(tap, sandbox, state, max_requests=20, on_quota_exceeded="stop")
        assert {*changed["contacts_edited"], *changed["contacts_unsubscribed"]} <= ids(run)
        bookmarks = [known["bookmarks"]["contacts"] for known in (state, run.state)]
        assert bookmarks[0]["replication_key_value"] < bookmarks[1]["replication_key_value"]
        assert "unfinished_sweep" in bookmarks[1]

    def test_contacts_of_one_second_are_one_slice(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=2_400)
        for contact in sandbox.account.contacts.values():
            contact["created_at"] = "2024-01-31T08:00:00Z"
        run = sync(tap, sandbox)
        assert ids(run) == contacts_of(sandbox)
        assert len(pages_of(sandbox)) <= 2_400 / 100 + 60  # halving years to a second

    def test_contacts_without_created_at_are_read(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=2_400)
        for contact in [*sandbox.account.contacts.values()][::100]:
            contact["created_at"] = ""
        run = sync(tap, sandbox)
        assert ids(run) == set(sandbox.account.contacts)

    def test_many_changes_are_read_by_a_sweep(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        """It resumes where a run ended; a pass through the changes would start again."""
        sandbox = make_sandbox(contacts=2_400)
        state = sync(tap, sandbox).state
        bookmark = state["bookmarks"]["contacts"]["replication_key_value"]
        for contact_id in [*sandbox.account.contacts]:
            sandbox.account.edit(contact_id, job_title="Imported")
        titles: dict[str, str] = {}
        for _ in range(4):
            run = sync(tap, sandbox, state, max_requests=22, on_quota_exceeded="stop")
            titles.update((row["contact_id"], row["job_title"]) for row in run.records["contacts"])
            state = run.state
            if state["bookmarks"]["contacts"]["replication_key_value"] > bookmark:
                break
        assert len(titles) == 2_400
        assert set(titles.values()) == {"Imported"}

    def test_sweep_restarts_with_other_settings(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=2_400)
        first = sync(tap, sandbox, max_requests=20, on_quota_exceeded="stop")
        assert first.state["bookmarks"]["contacts"]["unfinished_sweep"][0]["created_before"]
        second = sync(tap, sandbox, first.state, contacts_include=["taggings"])
        assert ids(second) == contacts_of(sandbox)


def pages_of(sandbox: Sandbox) -> list[Request]:
    return [request for request in sandbox.requests if request.path == "/v3/contacts"]


def slices_of(sandbox: Sandbox) -> set[str]:
    starts = (request.query.get("created_after") for request in pages_of(sandbox))
    return {start for start in starts if start}


def contacts_of(sandbox: Sandbox) -> set[str]:
    return {key for (key,) in sandbox.expected()["contacts"]}


def change_behind_the_first_page(sandbox: Sandbox, change: Callable[[], object]) -> None:
    """Change the account once the first page is made, while its response is still delayed."""
    sandbox.fail("/contacts", Fault.DELAY, seconds=1)

    def wait_and_change() -> None:
        wait_until(lambda: any(request.path == "/v3/contacts" for request in sandbox.requests))
        time.sleep(0.3)
        change()

    threading.Thread(target=wait_and_change, daemon=True).start()
