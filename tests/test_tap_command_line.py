"""What the command line says last, and what it reads when it is told little."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, TapCommand

from sandbox import Sandbox
from sandbox.server.faults import Fault

NOWHERE = {"api_url": "http://127.0.0.1:9/v3", "auth_url": "http://127.0.0.1:9/token"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"access_token": "x", "start_date": "yesterday"}, "Invalid start_date: 'yesterday' (must"),
        ({}, "Missing credentials: set client_id and refresh_token"),
        ({"max_requests": 0}, "Missing credentials: set client_id and refresh_token"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--test",)])
def test_invalid_settings_are_the_last_and_only_line_of_the_log(
    tap: TapCommand, settings: dict[str, Any], said: str, arguments: tuple[str, ...]
) -> None:
    run = tap.run(settings, *arguments)
    assert run.status == 1
    errors = [line for line in run.log.splitlines() if " ERROR " in line or " CRITICAL " in line]
    assert len(errors) == 1
    assert run.log.splitlines()[-1] == errors[0]
    assert said in errors[0]
    assert all(name in errors[0] for name in settings.keys() & {"max_requests", "start_date"})
    assert len(errors[0]) < 400


def test_failed_run_explains_itself_once(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contact_tags", Fault.NOT_FOUND)
    run = tap.sync(sandbox, "contact_tags")
    assert run.status == 1
    assert "unhandled" not in run.log
    assert [" ERROR " in line or " CRITICAL " in line for line in run.log.splitlines()].count(
        True
    ) == 1


def test_connection_test_has_no_errors_and_few_requests(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=1200, campaigns=300)
    run = tap.run(tap.settings_of_all(sandbox), "--test")
    assert run.status == 0, run.log
    assert " ERROR " not in run.log
    assert len(sandbox.requests) <= 2 * len(STREAMS)
    readable = {
        line.split("| ")[-1].partition(":")[0]
        for line in run.log.splitlines()
        if line.endswith(": readable")
    }
    assert set(STREAMS) - readable <= {"event_registration_details"}


def test_good_run_has_no_warnings(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.run(tap.settings(sandbox), env={"LOGLEVEL": "WARNING"})
    assert run.status == 0
    assert run.log == ""


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "the file is empty"), ("{", "Expecting property name"), (" \n", "the file is empty")],
)
def test_file_that_is_not_json_is_named(
    tap: TapCommand, option: str, content: str, reason: str
) -> None:
    (tap.folder / "mine.json").write_text(content)
    run = tap.run({**NOWHERE, "access_token": "x"}, option, "mine.json")
    assert run.status == 1
    last = run.log.splitlines()[-1]
    assert "Invalid JSON in mine.json: " in last
    assert reason in last


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
@pytest.mark.parametrize("content", [b'{"\xe9": 1}', b"[" * 100_000])
def test_file_that_can_not_be_decoded_is_named(
    tap: TapCommand, option: str, content: bytes
) -> None:
    (tap.folder / "mine.json").write_bytes(content)
    run = tap.run({**NOWHERE, "access_token": "x"}, option, "mine.json")
    assert run.status == 1
    assert "Invalid JSON in mine.json: " in run.log.splitlines()[-1]


@pytest.mark.parametrize("content", ["null", '"x"', "7", "[]"])
@pytest.mark.parametrize("option", ["state", "catalog"])
def test_json_that_is_no_object_is_refused(tap: TapCommand, content: str, option: str) -> None:
    (tap.folder / "mine.json").write_text(content)
    run = tap.run({**NOWHERE, "access_token": "x"}, f"--{option}", "mine.json")
    assert run.status == 1
    assert f"Invalid {option}: not one of this tap" in run.log.splitlines()[-1]


def test_missing_config_file_is_named_in_one_sentence(tap: TapCommand) -> None:
    run = tap.run(None, "--config", "settings.jsn")
    assert run.log.splitlines()[-1].endswith(
        "settings.jsn: No such file or directory. Check its path and its permissions "
        "[docs: troubleshooting#file-access]"
    )


def test_state_of_another_tap_is_refused(tap: TapCommand, sandbox: Sandbox) -> None:
    state = {"bookmarks": {"orders": {"replication_key_value": "2026-01-01"}}}
    run = tap.sync(sandbox, state=state)
    assert run.status == 1
    assert "Invalid state: not one of this tap" in run.log
    assert sandbox.requests == []


def test_state_with_a_stream_that_is_gone_is_accepted(tap: TapCommand, sandbox: Sandbox) -> None:
    state = tap.sync(sandbox, "segments").state
    state["bookmarks"]["orders"] = {}
    assert tap.sync(sandbox, "segments", state=state).status == 0


def test_empty_state_is_accepted(tap: TapCommand, sandbox: Sandbox) -> None:
    assert tap.sync(sandbox, "account", state={"bookmarks": {}}).status == 0


NOTES = {"replication_key_signpost", "starting_replication_value"}


def own(bookmark: dict[str, Any]) -> dict[str, Any]:
    """Return a bookmark without what the SDK notes in it for a run."""
    return {name: value for name, value in bookmark.items() if name not in NOTES}


class TestSelect:
    """--select reads some streams without a catalog."""

    def test_select_reads_the_named_streams_only(self, tap: TapCommand, sandbox: Sandbox) -> None:
        run = tap.run(tap.settings(sandbox), "--select", "contact_tags,segments")
        assert run.status == 0, run.log
        assert set(run.records) == {"contact_tags", "segments"}
        assert set(run.table) == {"contact_tags", "segments"}

    def test_select_costs_a_request_for_a_few_contacts(
        self, tap: TapCommand, make_sandbox: MakeSandbox
    ) -> None:
        sandbox = make_sandbox(contacts=5000)
        settings = tap.settings(sandbox, max_records_per_stream=10)
        run = tap.run(settings, "--select", "contacts")
        assert run.status == 0
        assert len(run.records["contacts"]) == 10
        assert len([each for each in sandbox.requests if "/v3/" in each.path]) == 1

    @pytest.mark.parametrize(
        ("stream", "at_most"), [("email_opens", 40), ("email_links", 40), ("email_campaigns", 8)]
    )
    def test_quick_look_at_a_report_reads_a_few_campaigns(
        self, tap: TapCommand, make_sandbox: MakeSandbox, stream: str, at_most: int
    ) -> None:
        sandbox = make_sandbox(contacts=200, campaigns=150)
        run = tap.run(tap.settings(sandbox, max_records_per_stream=5), "--select", stream)
        assert run.status == 0, run.log
        assert len(run.records[stream]) == 5
        assert len(sandbox.requests) <= at_most

    def test_quick_look_leaves_the_state_as_it_is(self, tap: TapCommand, sandbox: Sandbox) -> None:
        first = tap.sync(sandbox)
        look = tap.run(
            tap.settings(sandbox, max_records_per_stream=2), "--select", "email_opens,email_clicks",
            state=first.state,
        )  # fmt: skip
        assert look.status == 0
        for state in look.states:
            assert [*filter(None, map(own, state["bookmarks"].values()))] == [
                *filter(None, map(own, first.state["bookmarks"].values()))
            ]
        sandbox.change()
        expected = tap.sync(sandbox, state=first.state)
        assert tap.sync(sandbox, state=look.state).records.keys() == expected.records.keys()

    def test_select_can_be_repeated_and_name_children_and_own_streams(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        own = {"name": "own_lists", "path": "/contact_lists", "primary_keys": ["list_id"]}
        settings = tap.settings(sandbox, custom_streams=[{**own, "records_path": "lists"}])
        run = tap.run(settings, "--select", "event_registrations", "--select", "own_lists")
        assert run.status == 0, run.log
        assert set(run.records) == {"event_registrations", "own_lists"}

    def test_select_narrows_a_catalog_to_streams(self, tap: TapCommand, sandbox: Sandbox) -> None:
        catalog = ["contacts", "segments"]
        run = tap.run(tap.settings(sandbox), "--select", "segments", select=catalog)
        assert set(run.records) == {"segments"}

    def test_select_reads_a_stream_that_the_catalog_lacks(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        catalog = tap.catalog(["contacts"])
        catalog["streams"] = [
            each for each in catalog["streams"] if each["tap_stream_id"] != "segments"
        ]
        path = tap.folder / "older.json"
        path.write_text(json.dumps(catalog))
        run = tap.run(tap.settings(sandbox), "--select", "segments", "--catalog", str(path))
        assert run.status == 0, run.log
        assert set(run.records["segments"][0]) == set(STREAMS["segments"].schema["properties"])

    @pytest.mark.parametrize("given", ["", " ", ","])
    @pytest.mark.parametrize("arguments", [(), ("--test",), ("--discover",)])
    def test_select_of_nothing_is_refused(
        self, tap: TapCommand, given: str, arguments: tuple[str, ...]
    ) -> None:
        run = tap.run({**NOWHERE, "access_token": "x"}, "--select", given, *arguments)
        assert run.status == 1
        assert run.lines == []
        assert f"Invalid --select: {given!r} (must be names of streams)" in run.log

    def test_select_makes_a_catalog(self, tap: TapCommand) -> None:
        run = tap.run(None, "--discover", "--select", "segments")
        catalog = json.loads("\n".join(run.lines))
        roots = {
            stream["tap_stream_id"]: entry["metadata"].get("selected")
            for stream in catalog["streams"]
            for entry in stream["metadata"]
            if entry["breadcrumb"] == []
        }
        assert {name for name, is_selected in roots.items() if is_selected} == {"segments"}

    def test_select_limits_a_connection_test(self, tap: TapCommand, sandbox: Sandbox) -> None:
        run = tap.run(tap.settings(sandbox), "--select", "account,contacts", "--test")
        assert run.status == 0
        assert set(run.table) == {"account", "contacts"}

    def test_select_limits_a_connection_test_to_a_report(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        run = tap.run(tap.settings(sandbox), "--select", "email_opens", "--test")
        assert run.status == 0, run.log
        assert len(run.records["email_opens"]) == 1

    @pytest.mark.parametrize("arguments", [(), ("--test",), ("--discover",)])
    def test_unknown_stream_is_refused_with_a_near_miss(
        self, tap: TapCommand, arguments: tuple[str, ...]
    ) -> None:
        settings = {**NOWHERE, "access_token": "x"}
        run = tap.run(settings, "--select", "contacts,email_open", *arguments)
        assert run.status == 1
        assert run.log.splitlines()[-1].endswith(
            "Invalid --select: 'email_open' (must be names of streams). Did you mean email_opens? "
            "[docs: troubleshooting#unknown-stream]"
        )
