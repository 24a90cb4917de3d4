"""The tap as a command: what it says without a login, a whole sync, and what comes of bad input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.tap import STREAMS, TapCommand

from sandbox import Sandbox
from tap_constantcontact import streams
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

ALL = list(STREAMS)
_CAPITAL = re.compile(r"(?<=[a-z])([A-Z])")
KEYS = {name: stream.primary_keys for name, stream in STREAMS.items()}
NOWHERE = {"api_url": "http://127.0.0.1:9/v3", "auth_url": "http://127.0.0.1:9/token"}


@pytest.mark.parametrize("arguments", [("--version",), ("--about",), ("--about", "--format=json")])
def test_about_and_version_need_no_settings(tap: TapCommand, arguments: tuple[str]) -> None:
    run = tap.run(None, *arguments)
    assert run.status == 0
    assert "tap-constantcontact" in "\n".join(run.lines)


def test_discovery_needs_no_login_and_no_network(tap: TapCommand) -> None:
    run = tap.run(NOWHERE, "--discover")
    assert run.status == 0
    streams = json.loads("\n".join(run.lines))["streams"]
    assert sorted(stream["tap_stream_id"] for stream in streams) == sorted(ALL)


def test_full_sync_has_every_row_of_the_account(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.run(tap.settings_of_all(sandbox), select=ALL)
    assert run.status == 0, run.log
    for name, expected in sandbox.expected().items():
        keys = [tuple(record[key] for key in KEYS[name]) for record in run.records[name]]
        assert len(keys) == len(set(keys)), name
        assert set(keys) == {tuple(map(in_one_form, key)) for key in expected}, name
    assert len(run.records["contact_counts"]) == 1


def test_records_are_valid_and_have_every_property_of_the_response(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = tap.run(tap.settings_of_all(sandbox), select=ALL)
    schemas = {m["stream"]: m["schema"] for m in run.messages if m["type"] == "SCHEMA"}
    expected = sandbox.expected()
    for name, records in run.records.items():
        validator = jsonschema.Draft7Validator(
            schemas[name], format_checker=jsonschema.FormatChecker()
        )
        for record in records:
            validator.validate(record)
        by_key = {tuple(record[key] for key in KEYS[name]): record for record in records}
        for key, sent in expected.get(name, {}).items():
            assert _paths(sent) <= _paths(by_key[tuple(map(in_one_form, key))]), name


def test_second_run_reads_changes(tap: TapCommand, sandbox: Sandbox) -> None:
    first = tap.sync(sandbox)
    changed = sandbox.change()
    second = tap.sync(sandbox, state=first.state)
    visible = {
        contact
        for what in ("added", "edited", "unsubscribed", "deleted", "opted_out")
        for contact in changed[f"contacts_{what}"]
    }
    assert set(second.keys("contacts", "contact_id")) == visible
    new = {*changed["campaigns_added"], *changed["drafts_sent"]}
    assert new <= set(second.keys("email_campaigns", "campaign_id"))
    assert len(second.records["email_campaigns"]) <= len(new) + 1
    assert set(changed["segments_edited"]) <= set(second.keys("segments", "segment_id"))
    assert not any("progress_markers" in bookmark for bookmark in _bookmarks(second.state))


def test_log_ends_with_a_summary(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "account", "contacts")
    *_, last, head, account, contacts = run.log.splitlines()
    assert re.search(r"Run ended after \d+\.\d s: 2 requests, 0 retries$", last)
    assert head.split() == ["stream", "records", "requests"]
    assert account.split() == ["account", "1", "1"]
    assert contacts.split() == ["contacts", "60", "1"]
    assert len([request for request in sandbox.requests if request.path.startswith("/v3")]) == 2


def test_settings_are_read_from_the_environment(tap: TapCommand, sandbox: Sandbox) -> None:
    env = {
        f"TAP_CONSTANTCONTACT_{name.upper()}": str(value)
        for name, value in tap.settings(sandbox).items()
    }
    run = tap.run(None, "--config=ENV", select=["account"], env=env)
    assert run.status == 0, run.log
    assert len(run.records["account"]) == 1


def test_connection_test_reads_a_record_of_each_stream(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.run(tap.settings_of_all(sandbox), "--test")
    assert run.status == 0, run.log
    # The first two contacts and activities have no rows of these.
    assert set(ALL) - set(run.records) <= {
        *("contact_activity_summaries", "email_optouts", "segment_contacts")
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "Missing credentials: set client_id and refresh_token"),
        ({"access_token": "x", "max_requests": -1}, "Invalid max_requests: -1 (must be"),
        ({"access_token": "x", "start_date": "soon"}, "Invalid start_date: 'soon' (must be"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--test",)])
def test_invalid_settings_end_the_run(
    tap: TapCommand, settings: dict[str, Any], said: str, arguments: tuple[str]
) -> None:
    run = tap.run(settings, *arguments)
    assert run.status == 1
    assert said in run.log
    assert "Traceback" not in run.log
    assert run.lines == []


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--config", "{", "Invalid JSON in "),
        ("--state", "{", "Invalid JSON in "),
        ("--state", "[]", "Invalid state: not one of this tap"),
        ("--state", '{"bookmarks": {"contacts": 3}}', "contacts is 3 (must be as the tap"),
        ("--state", '{"bookmarks": {"email_opens": {"position": {}}}}', "position is {} (must"),
        ("--state", '{"type": "STATE", "value": {"bookmarks": {}}}', "Invalid state: not one"),
        ("--state", '{"bookmarks": {"contacts": {"replication_key_value": "x"}}}', " is 'x' (must"),
        ("--state", '{"bookmarks": {"a": {"replication_key_value": "2026-02-30"}}}', "30' (must"),
        ("--state", '{"bookmarks": {"email_campaign_stats": {"log": [3]}}}', "log.0 is 3 (must"),
        ("--state", '{"bookmarks": {"email_campaign_stats": {"log_version": 3}}}', "has version 3"),
        ("--config", "[1]", "must contain a JSON object"),
        ("--config", "null", "must contain a JSON object"),
        ("--config", '"x"', "must contain a JSON object"),
        ("--catalog", '{"streams": [{"tap_stream_id": "a", "schema": {}}]}', "not one of this tap"),
        ("--catalog", "{", "Invalid JSON in "),
        ("--catalog", "{}", "Invalid catalog: not one"),
        ("--catalog", '{"streams": [{}]}', "Invalid catalog: not one"),
    ],
)
def test_invalid_files_end_the_run(tap: TapCommand, option: str, content: str, said: str) -> None:
    bad = tap.folder / "bad.json"
    bad.write_text(content)
    run = tap.run({**NOWHERE, "access_token": "x"}, option, str(bad))
    assert run.status == 1
    assert said in run.log
    assert "Traceback" not in run.log


def test_missing_file_is_named(tap: TapCommand) -> None:
    run = tap.run(None, "--config", "nowhere.json")
    assert run.status == 1
    assert "nowhere.json" in run.log
    assert "Traceback" not in run.log


def test_unknown_log_level_is_explained(tap: TapCommand) -> None:
    run = tap.run(None, "--about", env={"LOGLEVEL": "loud"})
    assert run.status == 1
    said = "Invalid LOGLEVEL: 'LOUD' (must be DEBUG, INFO, WARNING or ERROR)"
    assert run.log.splitlines()[-1].endswith(f"{said} [docs: troubleshooting#log-configuration]")


def test_unreachable_api_is_explained(tap: TapCommand) -> None:
    settings = {**NOWHERE, "client_id": "a", "refresh_token": "b"}
    run = tap.run({**settings, "token_store": str(tap.token_store)})
    assert run.status == 1
    assert "Can't reach the API" in run.log
    assert "Traceback" not in run.log


def test_start_date_skips_older_rows(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, "contacts", "email_campaigns", start_date="-52w")
    times = run.keys("contacts", "last_changed_at")
    assert 0 < len(times) < 60
    assert 0 < len(run.records["email_campaigns"]) < 6
    everything = tap.sync(sandbox, "contacts")
    older = [at for at in everything.keys("contacts", "last_changed_at") if at < min(times)]
    assert len(older) + len(times) == 60


def in_one_form(value: Any) -> Any:
    """Return a value of a key as the tap writes it."""
    try:
        return format_timestamp(parse_timestamp(value)) if len(str(value)) > 18 else value
    except ValueError:
        return value


def _bookmarks(state: dict[str, Any]) -> list[dict[str, Any]]:
    return list(state["bookmarks"].values())


def _paths(value: Any, path: str = "") -> set[str]:
    """Return the paths of all properties that have a value, as columns are named."""
    if isinstance(value, list):
        return set().union(*(_paths(item, path) for item in value))
    found: set[str] = set()
    for name, inner in value.items() if isinstance(value, dict) else ():
        if name != "_links":
            column = path + _CAPITAL.sub(r"_\1", name).lower()
            found |= {column} | _paths(inner, f"{column}.")
    return found


class TestOrder:
    """When the requests of a day are short, what matters most comes first."""

    def test_streams_are_read_in_order_of_importance(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        run = tap.sync(sandbox)
        schemas = [message["stream"] for message in run.messages if message["type"] == "SCHEMA"]
        assert schemas[:6] == [
            *("account", "account_emails", "contacts", "contact_lists", "contact_tags"),
            "contact_custom_fields",
        ]
        order = ("email_campaigns", "email_campaign_stats", "email_opens", "sms_campaign_summaries")
        assert [name for name in schemas if name in order] == [*order]

    def test_stream_order_names_every_module(self) -> None:
        files = {file.stem for file in Path(streams.__path__[0]).glob("*.py")} - {
            "__init__",
            "bases",
        }
        assert files == {*streams.SUBJECTS}
