"""The tap as a source of Airbyte: its messages, what they claim, and how it ends."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from support.fake_redis import FakeRedis
from support.in_process import run_main
from support.processes import Processes
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, TapCommand
from support.waiting import wait_until

from sandbox import TOKEN_PATH, Fault, Sandbox
from tap_constantcontact.airbyte.__main__ import main
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.settings.choices import AUTH_URL
from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.token_store.file import FileTokenStore

EXECUTABLE = Path(sys.executable).with_name("source-constantcontact")
DEFAULT = [name for name, stream in STREAMS.items() if stream.selected_by_default]
INCREMENTAL = {name for name, stream in STREAMS.items() if stream.replication_key}
NO_CURSOR = {"__ab_no_cursor_state_message": True}
A_SECOND = 1.5  # one, and what a busy machine needs to take note


@dataclass
class Output:
    """What a command of the source wrote, and how it ended."""

    status: int
    messages: list[dict[str, Any]] = field(repr=False)

    def of(self, type_: str, name: str) -> list[dict[str, Any]]:
        return [message[name] for message in self.messages if message["type"] == type_]

    @property
    def connection(self) -> dict[str, Any]:
        (status,) = self.of("CONNECTION_STATUS", "connectionStatus")
        return status

    @property
    def streams(self) -> dict[str, dict[str, Any]]:
        (catalog,) = self.of("CATALOG", "catalog")
        return {stream["name"]: stream for stream in catalog["streams"]}

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        records = defaultdict(list)
        for record in self.of("RECORD", "record"):
            records[record["stream"]].append(record["data"])
        return records

    @property
    def state(self) -> list[dict[str, Any]]:
        """What a platform keeps: the last state of each stream."""
        kept = {name_of(state["stream"]): state for state in self.of("STATE", "state")}
        return list(kept.values())

    @property
    def states(self) -> dict[str, dict[str, Any]]:
        return {name_of(state["stream"]): state["stream"]["stream_state"] for state in self.state}

    @property
    def statuses(self) -> dict[str, list[str]]:
        """What was said of each stream, in order."""
        statuses = defaultdict(list)
        for trace in self.of("TRACE", "trace"):
            if trace["type"] == "STREAM_STATUS":
                status = trace["stream_status"]
                statuses[name_of(status)].append(status["status"])
        return statuses

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [trace["error"] for trace in self.of("TRACE", "trace") if trace["type"] == "ERROR"]

    @property
    def configurations(self) -> list[dict[str, Any]]:
        return [control["connectorConfig"]["config"] for control in self.of("CONTROL", "control")]

    @property
    def log(self) -> str:
        return "\n".join(line["message"] for line in self.of("LOG", "log"))


def name_of(holder: dict[str, Any]) -> str:
    name: str = holder["stream_descriptor"]["name"]
    return name


def output_of(status: int, stdout: str) -> Output:
    return Output(status, [json.loads(line) for line in stdout.splitlines()])


@dataclass
class SourceCommand:
    """The source's command line, with files of its own."""

    folder: Path

    def settings(self, sandbox: Sandbox, **changed: Any) -> dict[str, Any]:
        return TapCommand(self.folder).settings(sandbox, **changed)

    def command(self, name: str, **files: Any) -> list[str]:
        """Write the files of a command, and return it."""
        command = [str(EXECUTABLE), name]
        for option, content in files.items():
            path = self.folder / f"{option}.json"
            path.write_text(json.dumps(content))
            command += [f"--{option}", str(path)]
        return command

    def run(self, name: str, *, env: dict[str, str] | None = None, **files: Any) -> Output:
        """Run a command in this process."""
        ended = run_main(main, self.command(name, **files), folder=self.folder, env=env)
        assert not ended.stderr
        return output_of(ended.status, ended.stdout)

    def check(self, config: dict[str, Any]) -> dict[str, Any]:
        output = self.run("check", config=config)
        assert output.status == 0
        return output.connection

    def read(
        self,
        config: dict[str, Any],
        streams: Iterable[str],
        state: list[dict[str, Any]] | None = None,
        full: Iterable[str] = (),
    ) -> Output:
        """Read streams as clients request them: incremental, except those in `full`."""
        given: dict[str, Any] = {} if state is None else {"state": state}
        return self.run("read", config=config, catalog=configured(streams, full), **given)


@dataclass
class SourceProcess(SourceCommand):
    """The source's command line; starts a process for each command."""

    processes: Processes

    def start(self, name: str, **files: Any) -> subprocess.Popen[str]:
        return self.processes.start(self.command(name, **files))


def configured(streams: Iterable[str], full: Iterable[str] = ()) -> dict[str, Any]:
    """Return a catalog in which streams are chosen."""
    return {
        "streams": [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": []},
                "sync_mode": "full_refresh" if name in full else "incremental",
                "destination_sync_mode": "append",
            }
            for name in streams
        ]
    }


def ids(rows: list[dict[str, Any]], name: str) -> set[tuple[Any, ...]]:
    return {tuple(row[key] for key in STREAMS[name].primary_keys) for row in rows}


@pytest.fixture
def source(tmp_path: Path) -> SourceCommand:
    return SourceCommand(tmp_path)


@pytest.fixture
def source_process(tmp_path: Path, processes: Processes) -> SourceProcess:
    return SourceProcess(tmp_path, processes)


# What it needs, and what it has.


def test_spec_has_the_settings_of_the_tap(source: SourceCommand) -> None:
    output = source.run("spec")
    (spec,) = output.of("SPEC", "spec")
    properties = spec["connectionSpecification"]["properties"]
    own = SETTINGS.to_dict()["properties"]
    assert list(properties) == [*own, "access_token_of"]
    for number, (name, schema) in enumerate(own.items()):
        assert properties[name]["title"] == schema["title"]
        assert properties[name]["order"] == number
        assert properties[name].get("airbyte_secret", False) == schema.get("secret", False)
        assert properties[name].get("default") == schema.get("default")
        assert isinstance(properties[name]["type"], str)
    assert output.status == 0
    assert [message["type"] for message in output.messages] == ["SPEC"]


def test_custom_stream_is_discovered_and_read(source: SourceCommand, sandbox: Sandbox) -> None:
    declared = {"name": "tags", "path": "/contact_tags", "primary_keys": ["tag_id"]}
    config = source.settings(sandbox, custom_streams=[{**declared, "records_path": "tags"}])
    entry = source.run("discover", config=config).streams["tags"]
    assert entry["source_defined_primary_key"] == [["tag_id"]]
    assert entry["json_schema"]["properties"].keys() == {"tag_id", "record"}
    output = source.read(config, ["tags", "contact_tags"])
    assert output.status == 0
    tags = {row["tag_id"] for row in output.records["tags"]}
    assert tags == {row["tag_id"] for row in output.records["contact_tags"]} != set()


def test_spec_describes_custom_streams(source: SourceCommand) -> None:
    (spec,) = source.run("spec").of("SPEC", "spec")
    declared = spec["connectionSpecification"]["properties"]["custom_streams"]["items"]
    assert declared["required"] == ["name", "path", "primary_keys"]
    assert all(isinstance(part["type"], str) for part in declared["properties"].values())


def test_spec_has_the_oauth_addresses_of_the_vendor(source: SourceCommand) -> None:
    (spec,) = source.run("spec").of("SPEC", "spec")
    oauth = spec["advanced_auth"]["oauth_config_specification"]
    sign_in = oauth["oauth_connector_input_specification"]
    assert sign_in["consent_url"].startswith("https://authz.constantcontact.com/oauth2/default/v1/")
    assert sign_in["access_token_url"].split("?")[0] == AUTH_URL
    assert "offline_access" in sign_in["scope"]
    # A single pair of braces would be an address that no platform fills in.
    assert sign_in["access_token_url"].count("{{") == sign_in["access_token_url"].count("}}") == 5
    known = spec["connectionSpecification"]["properties"]
    for part in ("output", "server_output"):
        for place in oauth[f"complete_oauth_{part}_specification"]["properties"].values():
            assert place["path_in_connector_config"][0] in known


def test_catalog_has_every_stream_with_its_key_and_cursor(source: SourceCommand) -> None:
    found = source.run("discover", config={}).streams
    assert list(found) == list(STREAMS)
    for name, stream in STREAMS.items():
        entry = found[name]
        assert entry["source_defined_primary_key"] == [[key] for key in stream.primary_keys]
        assert entry["json_schema"]["properties"] == stream.schema["properties"]
        modes = ["full_refresh", "incremental"] if name in INCREMENTAL else ["full_refresh"]
        assert entry["supported_sync_modes"] == modes
        assert entry.get("is_resumable", False) == (name in INCREMENTAL)
        cursor = entry.get("default_cursor_field", [None])
        assert cursor == [stream.replication_key]
        assert cursor == [None] or cursor[0] in entry["json_schema"]["properties"]


def test_configured_catalog_without_streams_fails(source: SourceCommand, sandbox: Sandbox) -> None:
    output = source.read(sandbox.settings, [])
    assert output.status == 1
    (error,) = output.errors
    assert "has no stream, so there is nothing to read" in error["message"]
    assert error["failure_type"] == "config_error"


def test_catalog_has_extra_column_with_keep_unknown_fields(
    source: SourceCommand,
) -> None:
    found = source.run("discover", config={"keep_unknown_fields": True}).streams
    assert all("_extra" in entry["json_schema"]["properties"] for entry in found.values())


# Check.


def test_check_succeeds_with_a_dozen_requests(source: SourceCommand, sandbox: Sandbox) -> None:
    output = source.run("check", config=source.settings(sandbox))
    assert output.of("CONNECTION_STATUS", "connectionStatus") == [{"status": "SUCCEEDED"}]
    assert 5 < len(sandbox.requests) <= 12
    logged = [log["message"] for log in output.of("LOG", "log")]
    assert "all: " not in "".join(logged)
    assert len("".join(logged).splitlines()) < 10


def test_check_names_streams_without_permission(
    source: SourceCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(privileges=("account:read", "contacts:read", "campaign:read"))
    connection = source.check(source.settings(sandbox))
    assert connection["status"] == "SUCCEEDED"
    assert "email_opens" in connection["message"]
    assert "the privilege ui:campaign:metrics" in connection["message"]
    assert "contact_lists" in connection["message"]
    assert "email_campaigns" not in re.split(r"[ ,;:]+", connection["message"])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"client_id": "nobody"}, "client_id and client_secret"),
        ({"client_secret": "guess"}, "client_id and client_secret"),
        ({"refresh_token": "spent"}, "Sign in again"),
        ({"refresh_token": ""}, "set client_id and refresh_token"),
        ({"start_date": "yesterday"}, "start_date: 'yesterday'"),
        ({"auth_url": "http://127.0.0.1:1/token"}, "Check the network"),
    ],
)
def test_check_explains_why_it_fails(
    source: SourceCommand, sandbox: Sandbox, wrong: dict[str, Any], says: str
) -> None:
    config = source.settings(sandbox, **wrong)
    connection = source.check(config)
    assert connection["status"] == "FAILED"
    assert says in connection["message"]
    for name in ("client_secret", "refresh_token"):
        assert not config[name] or config[name] not in connection["message"]


def test_check_fails_without_any_permission(
    source: SourceCommand, make_sandbox: MakeSandbox
) -> None:
    connection = source.check(source.settings(make_sandbox(scopes=("offline_access",))))
    assert connection["status"] == "FAILED"
    assert "the scope account_read" in connection["message"]


@pytest.mark.parametrize(("name", "value"), [("max_requests", "10,000"), ("start_date", "never")])
def test_check_and_discover_refuse_what_a_sync_refuses(
    source: SourceCommand, sandbox: Sandbox, name: str, value: str
) -> None:
    config = source.settings(sandbox, **{name: value})
    said = f"Invalid {name}: {value!r} (must be "
    connection = source.check(config)
    assert connection["status"] == "FAILED"
    assert said in connection["message"]
    found = source.run("discover", config=config)
    assert found.status == 1
    (error,) = found.errors
    assert said in error["message"]


def test_texts_have_the_values_of_their_settings(source: SourceCommand, sandbox: Sandbox) -> None:
    config = source.settings(sandbox, campaign_status="done", max_requests="99")
    output = source.read(config, ["email_campaigns"])
    assert output.status == 0
    assert {row["current_status"] for row in output.records["email_campaigns"]} == {"Done"}


def test_check_does_not_wait_for_the_quota_to_reset(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    sandbox.fail("/account/*", Fault.QUOTA_EXCEEDED)
    connection = source.check(source.settings(sandbox, on_quota_exceeded="wait"))
    assert connection["status"] == "FAILED"
    assert "00:00 UTC" in connection["message"]


# Tokens.


def test_new_token_is_sent_with_the_whole_configuration(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    config = source.settings(sandbox, start_date="2020-01-01")
    output = source.run("check", config=config)
    (handed,) = output.configurations
    assert handed["refresh_token"] == sandbox.refresh_token != config["refresh_token"]
    new = {"refresh_token": "", "access_token": "", "access_token_of": ""}
    assert {**handed, **new} == {**config, **new}
    types = [message["type"] for message in output.messages]
    assert types.index("CONTROL") < types.index("CONNECTION_STATUS")


def test_updated_configuration_needs_no_token_store_and_no_token_request(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    config = source.settings(sandbox)
    for number in range(3):  # each time on another disk, as in containers
        config["token_store"] = str(source.folder / f"disk{number}" / "tokens.json")
        output = source.read(config, ["account"])
        assert output.status == 0
        config = (output.configurations or [config])[-1]
    assert len([request for request in sandbox.requests if request.path == TOKEN_PATH]) == 1


def test_expired_access_token_is_refreshed_from_the_updated_configuration(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    config = source.settings(sandbox)
    for number in range(3):
        config["token_store"] = str(source.folder / f"disk{number}" / "tokens.json")
        sandbox.revoke_access_tokens()
        output = source.read(config, ["account"])
        assert output.status == 0
        (config,) = output.configurations
        assert config["refresh_token"] == sandbox.refresh_token


def test_job_whose_token_another_job_used_says_so(source: SourceCommand, sandbox: Sandbox) -> None:
    """Two jobs, each in a container of its own, are made from one configuration."""
    config = source.settings(sandbox)
    disks = [str(source.folder / name / "tokens.json") for name in ("one", "other")]
    (handed,) = source.read({**config, "token_store": disks[0]}, ["account"]).configurations
    late = source.read({**config, "token_store": disks[1]}, ["account"])
    assert late.status == 1
    message = late.errors[0]["message"]
    assert "Another sync or check with this configuration may have used it in the meant" in message
    assert "a long-lived one if several connections use it" in message
    assert source.read({**handed, "token_store": disks[1]}, ["account"]).status == 0


def test_jobs_with_a_long_lived_token_run_at_the_same_time(
    source: SourceCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(long_lived_tokens=True)
    config = source.settings(sandbox)
    for name in ("one", "other"):
        disk = str(source.folder / name / "tokens.json")
        assert source.read({**config, "token_store": disk}, ["account"]).status == 0


def test_new_refresh_token_is_not_used_with_an_access_token_of_another_sign_in(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    (handed,) = source.read(source.settings(sandbox), ["account"]).configurations
    handed["refresh_token"] = sandbox.replace_refresh_token()
    output = source.read(handed, ["account"])
    assert output.status == 0
    assert len([request for request in sandbox.requests if request.path == TOKEN_PATH]) == 2


def test_access_token_of_the_same_sign_in_saves_a_token_request(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    (handed,) = source.run("check", config=source.settings(sandbox)).configurations
    del handed["access_token_of"]  # as somebody fills in the form
    handed["token_store"] = str(source.folder / "elsewhere" / "tokens.json")
    output = source.run("check", config=handed)
    assert output.connection["status"] == "SUCCEEDED"
    assert not output.configurations


def test_token_store_serves_clients_that_ignore_configuration_updates(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    config = source.settings(sandbox)
    for _ in range(3):
        assert source.read(config, ["account"]).status == 0
        sandbox.revoke_access_tokens()


def test_token_store_in_redis_serves_jobs_with_the_same_configuration(
    source: SourceCommand, sandbox: Sandbox, redis: FakeRedis
) -> None:
    config = {**source.settings(sandbox), "token_store": redis.url}
    for _ in range(3):
        output = source.read(config, ["account"])
        assert output.status == 0, output.errors
        assert output.configurations[0]["refresh_token"] == sandbox.refresh_token
        sandbox.revoke_access_tokens()


def test_tokens_that_cannot_be_stored_are_sent_nevertheless(
    source: SourceCommand, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise LoginError("Can't write the token store")

    config = source.settings(sandbox)
    with monkeypatch.context() as patch:
        patch.setattr(FileTokenStore, "write", fail)
        output = source.read(config, ["account"])
    assert output.status == 1
    assert "Can't write the token store" in output.errors[0]["message"]
    (handed,) = output.configurations
    assert handed["refresh_token"] == sandbox.refresh_token
    assert source.read(handed, ["account"]).status == 0


@pytest.mark.parametrize("command", ["check", "read"])
def test_signal_waits_until_a_new_token_is_sent(
    source_process: SourceProcess, sandbox: Sandbox, command: str
) -> None:
    sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=2)
    files = {"config": source_process.settings(sandbox)}
    if command == "read":
        files["catalog"] = configured(["account"])
    run = source_process.start(command, **files)
    wait_until(lambda: any(request.path == TOKEN_PATH for request in sandbox.requests))
    run.terminate()
    stdout, _ = run.communicate(timeout=20)
    (handed,) = output_of(run.returncode, stdout).configurations
    assert handed["refresh_token"] == sandbox.refresh_token
    assert run.returncode == -signal.SIGTERM


def test_log_and_errors_have_no_secret(source: SourceCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contacts", Fault.BAD_REQUEST, message="the address ada@example.com is in use")
    config = source.settings(sandbox)
    catalog = configured(["account", "contacts"])
    output = source.run("read", env={"LOGLEVEL": "DEBUG"}, config=config, catalog=catalog)
    (handed,) = output.configurations
    said = output.log + json.dumps(output.errors)
    assert "<email address>" in said
    assert "ada@example.com" not in said
    for kept in (config, handed):
        for name in ("client_secret", "refresh_token", "access_token"):
            assert name not in kept or kept[name] not in said


# Read.


def test_read_returns_every_row_and_stream_statuses(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    output = source.read(source.settings(sandbox), DEFAULT)
    assert output.status == 0
    assert not output.errors
    expected = sandbox.expected(DEFAULT)
    for name in DEFAULT:
        assert len(output.records[name]) == len(expected[name]), name
        running = ["RUNNING"] if expected[name] else []
        assert output.statuses[name] == ["STARTED", *running, "COMPLETE"]


def test_stream_states_count_their_records(source: SourceCommand, sandbox: Sandbox) -> None:
    output = source.read(source.settings(sandbox), DEFAULT)
    states = output.of("STATE", "state")
    assert all(state["type"] == "STREAM" for state in states)
    counted: dict[str, float] = defaultdict(float)
    for state in states:
        counted[name_of(state["stream"])] += state["sourceStats"]["recordCount"]
    assert counted == {name: float(len(output.records[name])) for name in DEFAULT}
    assert {name for name, state in output.states.items() if state != NO_CURSOR} == {
        name for name in DEFAULT if name in INCREMENTAL
    }


def test_complete_stream_sends_nothing_more(source: SourceCommand, sandbox: Sandbox) -> None:
    complete = set()
    for message in source.read(source.settings(sandbox), DEFAULT).messages:
        if message["type"] == "RECORD":
            assert message["record"]["stream"] not in complete
        if message["type"] == "STATE":
            assert name_of(message["state"]["stream"]) not in complete
        status = message.get("trace", {}).get("stream_status", {})
        if status.get("status") == "COMPLETE":
            complete.add(name_of(status))
    assert complete == set(DEFAULT)


def test_next_read_returns_changed_rows(source: SourceCommand, sandbox: Sandbox) -> None:
    config = source.settings(sandbox)
    first = source.read(config, DEFAULT)
    quiet = source.read(config, DEFAULT, first.state)
    reports = [name for name in DEFAULT if "position" in first.states[name]]
    assert len(reports) == 8
    assert not any(quiet.records[name] for name in [*reports, "contacts"])
    changed = sandbox.change()
    second = source.read(config, DEFAULT, quiet.state)
    assert second.status == 0
    rows = second.records
    assert {row["contact_id"] for row in rows["contacts"]} >= set(changed["contacts_edited"])
    assert len(rows["contacts"]) < len(first.records["contacts"]) / 2
    read = {row["campaign_id"] for row in rows["email_opens"]}
    moved = {*changed["campaigns_added"], *changed["drafts_sent"], *changed["campaigns_engaged"]}
    assert read <= moved


@pytest.mark.parametrize("report", ["email_opens", "email_links"])
def test_single_report_keeps_the_change_log_in_its_state(
    source: SourceCommand, sandbox: Sandbox, report: str
) -> None:
    config = source.settings(sandbox)
    first = source.read(config, [report])
    assert first.records[report]
    asked = len(sandbox.requests)
    assert not source.read(config, [report], first.state).records[report]
    requests = [request.path for request in sandbox.requests[asked:]]
    assert not [path for path in requests if "/email_reports/" in path]


def test_added_or_cleared_streams_do_not_affect_others(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    config, streams = source.settings(sandbox), ["email_links", "email_opens", "email_clicks"]
    first = source.read(config, streams[:2])
    cleared = [state for state in first.state if name_of(state["stream"]) != "email_links"]
    second = source.read(config, streams, cleared)
    expected = sandbox.expected(streams)
    assert len(second.records["email_links"]) == len(expected["email_links"])
    assert len(second.records["email_clicks"]) == len(expected["email_clicks"])
    assert not second.records["email_opens"]


def test_state_of_another_change_log_is_read_again(source: SourceCommand, sandbox: Sandbox) -> None:
    """A stream is selected again with an old state, while the others have a new change log."""
    config = source.settings(sandbox)
    old = source.read(config, ["email_opens"])
    sandbox.change()
    new = source.read(config, ["email_links"])
    both = source.read(config, ["email_links", "email_opens"], [*old.state, *new.state])
    expected = sandbox.expected(["email_opens"])["email_opens"]
    assert len(both.records["email_opens"]) == len(expected)
    assert not both.records["email_links"]


@pytest.mark.parametrize("old", [set(), {"email_opens"}], ids=["one log", "another log"])
def test_states_of_version_1_are_taken_over(
    source: SourceCommand, sandbox: Sandbox, old: set[str]
) -> None:
    """The log was an object, and positions were spread over the state of the stream."""
    config, streams = source.settings(sandbox), ["email_links", "email_opens"]
    first = source.read(config, streams)
    states: list[dict[str, Any]] = json.loads(json.dumps(first.state))
    for message in states:
        state = message["stream"]["stream_state"]
        (log,), (position,) = state.pop("log"), state.pop("position")
        if name_of(message["stream"]) in old:
            log = {**log, "id": "other", "last_number": 1}
        del log["version"]
        position.pop("log")
        state |= {**position, "log": log}
    again = source.read(config, streams, states)
    assert {name for name in streams if again.records[name]} == old


def test_full_refresh_reads_everything(source: SourceCommand, sandbox: Sandbox) -> None:
    config, streams = source.settings(sandbox), ["contacts", "email_campaigns", "email_opens"]
    first = source.read(config, streams)
    again = source.read(config, streams, first.state, full=streams)
    for name in streams:
        assert ids(again.records[name], name) == ids(first.records[name], name)
        assert again.states[name] == NO_CURSOR


def test_full_refresh_keeps_states_of_other_streams(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    config, streams = source.settings(sandbox), ["email_opens", "email_clicks"]
    first = source.read(config, streams)
    second = source.read(config, streams, first.state, full=["email_opens"])
    assert len(second.records["email_opens"]) == len(first.records["email_opens"])
    assert not second.records["email_clicks"]


@pytest.mark.parametrize("seed", [1, 2])
def test_no_row_is_lost_for_any_selection_and_stored_states(
    source: SourceCommand, make_sandbox: MakeSandbox, seed: int
) -> None:
    """Streams come and go, budgets end runs, and states are cleared or not stored in time."""
    streams = ["contacts", "email_campaigns", "email_links", "email_opens", "email_clicks"]
    sandbox, rng = make_sandbox(campaigns=8, seed=seed), random.Random(seed)
    config = source.settings(sandbox, contacts_sweep_days=0)
    kept: dict[str, dict[str, Any]] = {}
    tables: dict[str, set[tuple[Any, ...]]] = {name: set() for name in streams}
    for last in (False, False, False, False, True):
        some = streams if last else rng.sample(streams, rng.randint(1, len(streams)))
        full = [name for name in some if rng.random() < 0.1]
        budget = {} if last else {"max_requests": rng.randint(5, 60)}
        output = source.read({**config, **budget}, some, list(kept.values()), full)
        assert output.status == (75 if output.errors else 0)
        for name, rows in output.records.items():
            tables[name] |= ids(rows, name)
        stored = [state for state in output.state if rng.random() < 0.8]
        kept = {name: state for name, state in kept.items() if rng.random() < 0.9}
        kept |= {name_of(state["stream"]): state for state in stored}
        if not last:
            sandbox.change()
    for name, expected in sandbox.expected(streams).items():
        arrived = {tuple(map(str, key)) for key in tables[name]}
        assert not {tuple(map(str, key)) for key in expected} - arrived


def state_of(name: str, state: dict[str, Any]) -> list[dict[str, Any]]:
    stream = {"stream_descriptor": {"name": name}, "stream_state": state}
    return [{"type": "STREAM", "stream": stream}]


@pytest.mark.parametrize(
    "state",
    [
        {"contacts": {}},
        [{"type": "GLOBAL", "global": {}}],
        [{"type": "STREAM"}],
        state_of("contacts", {"replication_key_value": 5}),
        state_of("contacts", {"replication_key_value": "2025-02-30T00:00:00Z"}),
        state_of("email_opens", {"log": {"last_number": "all"}}),
    ],
)
def test_invalid_state_is_refused(source: SourceCommand, sandbox: Sandbox, state: Any) -> None:
    output = source.read(source.settings(sandbox), ["account"], state)
    assert output.status == 1
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert "Reset the connection" in error["message"]
    assert not sandbox.requests


def test_a_state_with_a_change_log_of_a_newer_release_is_refused(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    state = state_of("email_opens", {"log": [{"version": 3, "last_number": 5}]})
    output = source.read(source.settings(sandbox), ["account"], state)
    assert output.status == 1
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert error["message"].startswith("Invalid state: its change log has version 3")
    assert not sandbox.requests


# What goes wrong.


def test_failing_stream_does_not_stop_others(source: SourceCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contact_tags", Fault.BAD_REQUEST)
    output = source.read(source.settings(sandbox), DEFAULT)
    assert output.status == 1
    (error,) = output.errors
    assert name_of(error) == "contact_tags"
    assert error["failure_type"] == "system_error"
    assert "/v3/contact_tags: 400" in error["message"]
    assert output.statuses["contact_tags"] == ["STARTED", "INCOMPLETE"]
    assert "contact_tags" not in output.states
    others = [name for name in DEFAULT if name != "contact_tags"]
    assert all(output.statuses[name][-1] == "COMPLETE" for name in others)


def test_failing_report_resumes_after_what_it_has_read(
    source: SourceCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(campaigns=12)
    opens = "/reports/email_reports/*/tracking/opens"
    sandbox.fail(opens, Fault.BAD_REQUEST, skip=4)
    config = source.settings(sandbox)
    first = source.read(config, ["email_opens", "email_clicks"])
    assert first.status == 1
    assert first.statuses["email_opens"][-1] == "INCOMPLETE"
    assert first.statuses["email_clicks"][-1] == "COMPLETE"
    sandbox.clear_faults()
    second = source.read(config, ["email_opens", "email_clicks"], first.state)
    assert second.status == 0
    rows = [*first.records["email_opens"], *second.records["email_opens"]]
    assert len(rows) == len(ids(rows, "email_opens")) == len(sandbox.expected()["email_opens"])
    assert first.records["email_opens"]
    assert not second.records["email_clicks"]


def test_stream_without_privilege_is_incomplete(
    source: SourceCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(privileges=("account:read", "contacts:read"))
    output = source.read(source.settings(sandbox), ["account", "contacts", "contact_lists"])
    assert output.status == 1
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert "contact_lists: requires the scope contact_data and the" in error["message"]
    assert output.statuses["contact_lists"] == ["STARTED", "INCOMPLETE"]
    assert output.statuses["contacts"][-1] == "COMPLETE"


def test_used_refresh_token_is_tried_once(source: SourceCommand, sandbox: Sandbox) -> None:
    config = source.settings(sandbox)
    sandbox.replace_refresh_token()
    output = source.read(config, ["account", "contacts", "segments"])
    assert output.status == 1
    assert len([request for request in sandbox.requests if request.path == TOKEN_PATH]) == 1
    assert {error["failure_type"] for error in output.errors} == {"config_error"}
    assert all("Sign in again" in error["message"] for error in output.errors)
    assert [statuses[-1] for statuses in output.statuses.values()] == ["INCOMPLETE"] * 3


def test_unreachable_redis_fails_before_any_stream_starts(
    source: SourceCommand, sandbox: Sandbox
) -> None:
    config = source.settings(sandbox, limits_url="redis://127.0.0.1:1/0")
    output = source.read(config, ["account", "contacts"])
    assert output.status == 1
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert "Can't use the Redis server of limits_url" in error["message"]
    assert not output.statuses


def test_unknown_stream_is_named(source: SourceCommand, sandbox: Sandbox) -> None:
    output = source.read(source.settings(sandbox), ["account", "letters"])
    assert output.status == 1
    (error,) = output.errors
    assert error["message"] == (
        "Unknown stream: letters. Refresh the schema of the connection "
        "[docs: troubleshooting#unknown-stream]"
    )
    assert output.statuses["account"][-1] == "COMPLETE"


@pytest.mark.parametrize(("on_quota_exceeded", "status"), [("fail", 75), ("stop", 0)])
def test_exhausted_budget_is_reported_and_the_next_read_resumes(
    source: SourceCommand, make_sandbox: MakeSandbox, on_quota_exceeded: str, status: int
) -> None:
    sandbox = make_sandbox(campaigns=12)
    config = source.settings(sandbox, max_requests=25, on_quota_exceeded=on_quota_exceeded)
    streams = ["account", "email_campaigns", "email_links", "email_opens"]
    first = source.read(config, streams)
    assert first.status == status
    (error,) = first.errors
    assert error["failure_type"] == "transient_error"
    assert "max_requests" in error["message"]
    assert "the next sync resumes from there" in error["message"]
    assert first.statuses["account"][-1] == "COMPLETE"
    assert first.statuses["email_opens"] == ["INCOMPLETE"]
    rows, state = first.records["email_opens"], first.state
    for _ in range(4):
        output = source.read(config, streams, state)
        rows, state = rows + output.records["email_opens"], output.state
        if not output.errors:
            break
    assert output.status == 0
    assert len(ids(rows, "email_opens")) == len(sandbox.expected()["email_opens"])


def test_read_names_invalid_settings(source: SourceCommand, sandbox: Sandbox) -> None:
    output = source.read(source.settings(sandbox, requests_per_second=0), ["account"])
    assert output.status == 1
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert "Invalid requests_per_second: 0" in error["message"]


# How it ends.


def start(source: SourceProcess, sandbox: Sandbox) -> subprocess.Popen[str]:
    catalog = configured(["account", "contacts"])
    return source.start("read", config=source.settings(sandbox), catalog=catalog)


def wait_for_contacts(sandbox: Sandbox) -> None:
    wait_until(lambda: any(request.path == "/v3/contacts" for request in sandbox.requests))


def test_signal_ends_a_source_with_a_full_pipe(
    source_process: SourceProcess, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=2000)
    run = start(source_process, sandbox)
    wait_for_contacts(sandbox)
    time.sleep(1)  # the pipe fills up
    began = time.monotonic()
    run.terminate()
    assert run.wait(timeout=20) == -signal.SIGTERM
    assert time.monotonic() - began < A_SECOND


def test_signal_leaves_a_stream_incomplete(source_process: SourceProcess, sandbox: Sandbox) -> None:
    sandbox.fail("/contacts", Fault.DELAY, seconds=10)
    run = start(source_process, sandbox)
    wait_for_contacts(sandbox)
    run.terminate()
    stdout, _ = run.communicate(timeout=20)
    output = output_of(run.returncode, stdout)
    assert output.status == -signal.SIGTERM
    assert output.statuses["account"][-1] == "COMPLETE"
    assert output.statuses["contacts"] == ["STARTED", "INCOMPLETE"]
    assert "replication_key_value" not in output.states.get("contacts", {})


def test_closed_pipe_ends_the_source(
    source_process: SourceProcess, make_sandbox: MakeSandbox
) -> None:
    run = start(source_process, make_sandbox(contacts=2000))
    assert run.stdout
    run.stdout.readline()
    run.stdout.close()
    assert run.wait(timeout=20) == 141


@pytest.mark.e2e
def test_help_describes_every_command() -> None:
    done = subprocess.run([EXECUTABLE, "--help"], capture_output=True, text=True, check=True)
    for command in ("spec", "check", "discover", "read"):
        assert re.search(rf"^    {command}  +\w", done.stdout, re.MULTILINE)
