"""The setting add_account_id, with which several accounts share tables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.in_process import run_main
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand

from sandbox import Fault, Sandbox
from tap_constantcontact.airbyte.__main__ import main as source_main

ACCOUNT = "p07e1l8cdif9dl"
SUMMARY = "/v3/account/summary"


def with_account(catalog: dict[str, Any]) -> dict[str, Any]:
    """Return the catalog's streams by their names."""
    return {stream["tap_stream_id"]: stream for stream in catalog["streams"]}


def discovered(tap: TapCommand, **settings: Any) -> dict[str, Any]:
    run = tap.run(settings, "--discover")
    assert run.status == 0, run.log
    catalog: dict[str, Any] = json.loads("\n".join(run.lines))
    return catalog


def sync(tap: TapCommand, sandbox: Sandbox, *select: str, **settings: Any) -> Run:
    """Sync streams with a catalog that was discovered with the setting on."""
    catalog = discovered(tap, add_account_id=True, **settings)
    for name, stream in with_account(catalog).items():
        (root,) = [entry for entry in stream["metadata"] if entry["breadcrumb"] == []]
        root["metadata"]["selected"] = name in select
    file = tap.folder / "selected.json"
    file.write_text(json.dumps(catalog))
    given = tap.settings(sandbox, add_account_id=True, **settings)
    return tap.run(given, "--catalog", str(file))


def test_discovery_adds_the_account_to_every_key(tap: TapCommand) -> None:
    streams = with_account(discovered(tap, add_account_id=True))
    assert streams.keys() == STREAMS.keys()
    for name, stream in streams.items():
        assert stream["key_properties"] == [*STREAMS[name].primary_keys, "account_id"]
        assert stream["schema"]["properties"]["account_id"]["type"] == "string"


def test_account_is_off_by_default(tap: TapCommand) -> None:
    for stream in with_account(discovered(tap)).values():
        assert "account_id" not in stream["key_properties"]
        assert "account_id" not in stream["schema"]["properties"]


def test_every_row_and_key_has_the_account(tap: TapCommand, sandbox: Sandbox) -> None:
    off = tap.run(tap.settings_of_all(sandbox), select=[*STREAMS])
    run = sync(tap, sandbox, *STREAMS, **sandbox.settings_of_all)
    assert run.status == 0, run.log
    assert set(run.records) == set(STREAMS) == set(off.records)
    for name, records in run.records.items():
        assert {record.pop("account_id") for record in records} == {ACCOUNT}, name
        assert len(records) == len(off.records[name])
    keys = {m["stream"]: m["key_properties"] for m in run.messages if m["type"] == "SCHEMA"}
    assert keys == {name: [*STREAMS[name].primary_keys, "account_id"] for name in STREAMS}
    assert run.state.keys() == off.state.keys()
    assert run.state["bookmarks"].keys() == off.state["bookmarks"].keys()


def test_account_takes_one_request(tap: TapCommand, sandbox: Sandbox) -> None:
    run = sync(tap, sandbox, "contacts", "contact_lists", "email_opens")
    assert run.status == 0, run.log
    assert [request.path for request in sandbox.requests].count(SUMMARY) == 1


def test_rows_are_those_of_a_run_without_the_account(tap: TapCommand, sandbox: Sandbox) -> None:
    """Details, occurrences and bookmarks don't depend on the column."""
    select = ["segments", "email_opens", "email_clicks", "social_connections"]
    plain = tap.sync(sandbox, *select)
    run = sync(tap, sandbox, *select)
    for name in select:
        rows = [{**record, "account_id": ACCOUNT} for record in plain.records[name]]
        assert run.records[name] == rows


def test_default_streams_have_the_account_without_a_catalog(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = tap.run(tap.settings(sandbox, add_account_id=True))
    assert run.status == 0, run.log
    assert {row["account_id"] for rows in run.records.values() for row in rows} == {ACCOUNT}


def test_account_without_permission_ends_the_run(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(scopes=("contact_data", "campaign_data", "offline_access"))
    run = sync(tap, sandbox, "contacts")
    assert run.status == 1
    assert "add_account_id requires the scope account_read and the privilege acc" in run.log
    assert "Sign in with the required permissions, or unset add_account_id" in run.log
    assert not run.records


def test_response_without_an_account_ends_the_run(tap: TapCommand, fake_server: FakeServer) -> None:
    fake_server["/v3/account/summary"] = {"organization_name": "Café"}
    run = tap.run({**fake_server.settings, "add_account_id": True})
    assert run.status == 1
    assert (
        "/account/summary returned no encoded_account_id, which add_account_id requires" in run.log
    )


def test_catalog_without_the_column_gets_it(tap: TapCommand, sandbox: Sandbox) -> None:
    file = tap.folder / "other.json"
    file.write_text(json.dumps(discovered(tap)))
    settings = tap.settings(sandbox, add_account_id=True)
    run = tap.run(settings, "--catalog", str(file), "--select", "segments")
    assert run.status == 0, run.log
    (schema,) = (message for message in run.messages if message["type"] == "SCHEMA")
    assert schema["key_properties"] == ["segment_id", "account_id"]
    assert all(record["account_id"] for record in run.records["segments"])
    assert "primary key" not in run.log


def test_catalog_with_the_column_is_refused_without_the_setting(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    file = tap.folder / "other.json"
    file.write_text(json.dumps(discovered(tap, add_account_id=True)))
    run = tap.run(tap.settings(sandbox), "--catalog", str(file))
    assert run.status == 1
    assert "The catalog was made with add_account_id, which is off: account has" in run.log
    assert not run.lines


CUSTOM = {"name": "things", "path": "/contact_lists", "records_path": "lists"}


def test_custom_stream_has_the_account(tap: TapCommand, sandbox: Sandbox) -> None:
    declaration = {**CUSTOM, "primary_keys": ["list_id"]}
    run = sync(tap, sandbox, "things", custom_streams=[declaration])
    assert run.status == 0, run.log
    assert run.records["things"]
    for record in run.records["things"]:
        assert record.keys() == {"list_id", "record", "account_id"}
        assert "account_id" not in record["record"]


@pytest.mark.parametrize(
    "declared",
    [
        {"primary_keys": ["account_id"]},
        {"primary_keys": ["list_id"], "replication_key": "account_id"},
        {
            "primary_keys": ["list_id"],
            "schema": {"properties": {"account_id": {"type": "string"}}},
        },
    ],
)
def test_custom_stream_with_that_column_is_refused(
    tap: TapCommand, declared: dict[str, Any]
) -> None:
    settings = {"access_token": "token", "custom_streams": [{**CUSTOM, **declared}]}
    assert tap.run(settings, "--discover").status == 0
    run = tap.run({**settings, "add_account_id": True}, "--discover")
    assert run.status == 1
    assert "Invalid column in custom_streams.0: 'account_id' (is the column of add_acc" in run.log


def test_airbyte_catalog_has_the_account_in_every_primary_key(tap: TapCommand) -> None:
    file = tap.folder / "source.json"
    file.write_text(json.dumps({"add_account_id": True}))
    ended = run_main(source_main, ["source", "discover", "--config", str(file)], folder=tap.folder)
    *_, last = ended.stdout.splitlines()
    for stream in json.loads(last)["catalog"]["streams"]:
        assert stream["source_defined_primary_key"][-1] == ["account_id"]
        assert "account_id" in stream["json_schema"]["properties"]


def test_airbyte_check_fails_without_the_permission(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(scopes=("contact_data", "campaign_data", "offline_access"))
    file = tap.folder / "source.json"
    file.write_text(json.dumps(tap.settings(sandbox, add_account_id=True)))
    ended = run_main(source_main, ["source", "check", "--config", str(file)], folder=tap.folder)
    *_, last = ended.stdout.splitlines()
    status = json.loads(last)["connectionStatus"]
    assert status["status"] == "FAILED"
    assert "add_account_id requires the scope account_read" in status["message"]


def test_failing_account_request_is_retried(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/account/summary", Fault.SERVER_ERROR, times=1)
    run = sync(tap, sandbox, "contact_lists")
    assert run.status == 0, run.log
    assert {row["account_id"] for row in run.records["contact_lists"]} == {ACCOUNT}
