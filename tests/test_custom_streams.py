"""Streams that the settings declare: endpoints that the tap has no class for."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.loader_rules import refused
from support.sandboxes import MakeSandbox
from support.tap import Run, TapCommand

from sandbox import Sandbox
from tap_constantcontact.settings import validation
from tap_constantcontact.settings.custom_streams import schema_of
from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.streams import NAMES

LISTS = {
    "name": "sms_lists",
    "path": "/contact_lists",
    "records_path": "lists",
    "primary_keys": ["list_id"],
    "params": {"channel_type": "sms", "limit": 1},
}
CHANGED_CONTACTS = {
    "name": "changed_contacts",
    "path": "/contacts",
    "records_path": "contacts",
    "primary_keys": ["contact_id"],
    "replication_key": "updated_at",
    "params": {"status": "all", "updated_after": "{since}"},
    "schema": {
        "properties": {
            "first_name": {"type": "string"},
            "email_address": {
                "type": "object",
                "properties": {"address": {"type": ["string", "null"]}},
            },
        }
    },
}
DATE = {"type": "string", "format": "date-time"}
NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def read(tap: TapCommand, api: Any, *declared: dict[str, Any], **options: Any) -> Run:
    """Run the tap on declared streams alone, by the catalog that it discovers."""
    config = tap.settings(api, custom_streams=declared, **options.pop("settings", {}))
    catalog = discover(tap, config)
    names = {stream["name"] for stream in declared}
    catalog["streams"] = [each for each in catalog["streams"] if each["tap_stream_id"] in names]
    path = tap.folder / "catalog.json"
    path.write_text(json.dumps(catalog))
    return tap.run(config, "--catalog", str(path), **options)


def discover(tap: TapCommand, config: dict[str, Any]) -> dict[str, Any]:
    run = tap.run(config, "--discover")
    assert run.status == 0, run.log
    catalog: dict[str, Any] = json.loads("\n".join(run.lines))
    return catalog


def test_custom_stream_without_schema_has_whole_records(tap: TapCommand, sandbox: Sandbox) -> None:
    run = read(tap, sandbox, LISTS)
    assert run.status == 0, run.log
    lists = tap.sync(sandbox, "contact_lists").records["contact_lists"]
    of_sms = [each["list_id"] for each in lists if "sms" in each["channel_types"]]
    assert len(of_sms) > 1, "more than one page"
    assert sorted(run.keys("sms_lists", "list_id")) == sorted(of_sms)
    for row in run.records["sms_lists"]:
        assert row.keys() == {"list_id", "record"}
        assert row["record"]["list_id"] == row["list_id"]
        assert row["record"]["name"]


def test_custom_stream_is_discovered_without_login(tap: TapCommand) -> None:
    catalog = discover(tap, {"custom_streams": [LISTS]})
    (entry,) = [each for each in catalog["streams"] if each["tap_stream_id"] == "sms_lists"]
    assert entry["key_properties"] == ["list_id"]
    (root,) = [each["metadata"] for each in entry["metadata"] if each["breadcrumb"] == []]
    assert root["selected-by-default"]


def test_custom_stream_has_the_columns_of_its_schema(tap: TapCommand, sandbox: Sandbox) -> None:
    run = read(tap, sandbox, CHANGED_CONTACTS)
    assert run.status == 0, run.log
    assert len(run.records["changed_contacts"]) == 60
    for row in run.records["changed_contacts"]:
        assert row.keys() <= {"contact_id", "updated_at", "first_name", "email_address"}
    assert "properties that its schema in custom_streams does not declare: " in run.log
    assert " WARNING " not in run.log
    assert "email_address.permission_to_send" in run.log


def test_custom_stream_keeps_unknown_properties_on_request(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    run = read(tap, sandbox, CHANGED_CONTACTS, settings={"keep_unknown_fields": True})
    assert all("created_at" in row["_extra"] for row in run.records["changed_contacts"])


def test_custom_stream_reads_changes_incrementally(tap: TapCommand, sandbox: Sandbox) -> None:
    first = read(tap, sandbox, CHANGED_CONTACTS)
    changed = sandbox.change()
    second = read(tap, sandbox, CHANGED_CONTACTS, state=first.state)
    brought = set(second.keys("changed_contacts", "contact_id"))
    assert {*changed["contacts_added"], *changed["contacts_edited"]} <= brought
    assert len(brought) < 60
    asked = [each.query for each in sandbox.requests if each.path == "/v3/contacts"]
    assert "updated_after" not in asked[0]
    assert "updated_after" in asked[-1]


def test_custom_stream_without_parameter_skips_older_records(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    everything = {**CHANGED_CONTACTS, "params": {"status": "all"}}
    first = read(tap, sandbox, everything)
    sandbox.change()
    second = read(tap, sandbox, everything, state=first.state)
    assert 0 < len(second.records["changed_contacts"]) < 60


def test_custom_stream_compares_times_with_other_offsets(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    fake_server["/v3/changes"] = [
        {"id": 1, "at": "2026-01-02T00:30:00+02:00"},
        {"id": 1, "at": "2026-01-01T23:30:00-05:00"},
    ]
    changes = {"name": "changes", "path": "/changes", "primary_keys": ["id", "at"]}
    start = {"start_date": "2026-01-02"}
    run = read(tap, fake_server, {**changes, "replication_key": "at"}, settings=start)
    assert run.status == 0, run.log
    assert run.keys("changes", "at") == ["2026-01-02T04:30:00.000Z"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1899-12-30", "9999-12-31T00:00:00Z"])
def test_custom_stream_continues_from_times_that_stand_for_none(
    tap: TapCommand, fake_server: FakeServer, at: str
) -> None:
    fake_server["/v3/changes"] = [{"id": 1, "at": at}]
    changes = {"name": "changes", "path": "/changes", "primary_keys": ["id"]}
    changes["replication_key"] = "at"
    first = read(tap, fake_server, changes)
    second = read(tap, fake_server, changes, state=first.state)
    assert second.status == 0, second.log


def test_custom_stream_is_read_before_contact_reports(tap: TapCommand, sandbox: Sandbox) -> None:
    config = tap.settings(sandbox, custom_streams=[LISTS])
    names = [each["tap_stream_id"] for each in discover(tap, config)["streams"]]
    place = names.index("sms_lists")
    assert names[place - 1] == "partner_webhook_subscriptions"
    assert names[place + 1].startswith("contact_")


def test_custom_stream_without_permission_is_skipped(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(scopes=["account_read"])
    declared = {**LISTS, "scopes": ["contact_data"]}
    run = read(tap, sandbox, declared)
    assert "sms_lists is skipped" in run.log
    assert "Requires the scope contact_data. Sign in with the required permissions" in run.log


def test_custom_stream_names_a_missing_replication_key(tap: TapCommand, sandbox: Sandbox) -> None:
    run = read(tap, sandbox, {**LISTS, "replication_key": "changed_at"})
    assert run.status == 0, run.log
    assert run.log.count("sms_lists: a record has no changed_at; check replication_key") == 1
    assert "New replication value is null" not in run.log  # the SDK says it of each record
    assert run.records["sms_lists"]


def test_undeclared_custom_stream_of_the_catalog_is_named(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    catalog = discover(tap, {"custom_streams": [LISTS]})
    names = {"sms_lists", "contact_tags"}
    catalog["streams"] = [each for each in catalog["streams"] if each["tap_stream_id"] in names]
    path = tap.folder / "catalog.json"
    path.write_text(json.dumps(catalog))
    run = tap.run(tap.settings(sandbox), "--catalog", str(path))
    assert run.status == 0, run.log
    assert "The catalog contains unknown streams: sms_lists. Re-run discovery" in run.log
    assert run.records["contact_tags"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"path": "/nothing"}, "404 not_found: "),
        ({"path": "/nothing"}, "Check path and params of sms_lists in custom_streams"),
        ({"params": {"limit": 0}}, "Check path and params of sms_lists in custom_streams"),
        ({"records_path": "list"}, "the response has no list, but lists, "),
        ({"records_path": "_links"}, "Check primary_keys of sms_lists"),
        ({"records_path": "lists.name"}, "the response has no name, but an array. Check records"),
        ({"primary_keys": ["id"]}, "a record has no id, but list_id, "),
    ],
)
def test_custom_stream_that_does_not_match_responses_fails_with_a_remedy(
    tap: TapCommand, sandbox: Sandbox, changed: dict[str, Any], said: str
) -> None:
    run = read(tap, sandbox, {**LISTS, **changed})
    assert run.status == 1
    assert said in run.log
    assert "Traceback" not in run.log


def test_custom_stream_finds_records_at_any_depth(tap: TapCommand, fake_server: FakeServer) -> None:
    fake_server["/v3/one"] = {"id": 7, "name": "alone"}
    fake_server["/v3/deep"] = {"data": {"items": [{"id": "a"}, {"id": "b"}]}}
    fake_server["/v3/empty"] = {"data": {"items": None}}
    fake_server["/v3/emptier"] = {"data": None}
    one = {"name": "one", "path": "/one", "primary_keys": ["id"]}
    deep = {**one, "name": "deep", "path": "/deep", "records_path": "data.items"}
    empty = {**deep, "name": "empty", "path": "/empty"}
    emptier = {**deep, "name": "emptier", "path": "/emptier"}
    run = read(tap, fake_server, one, deep, empty, emptier)
    assert run.status == 0, run.log
    assert run.records["one"] == [{"id": "7", "record": {"id": 7, "name": "alone"}}]
    assert run.keys("deep", "id") == ["a", "b"]
    assert run.records["empty"] == run.records["emptier"] == []


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            {"name": "My lists"},
            "Invalid custom_streams.0.name: 'My lists' (must start with a lower",
        ),
        ({"name": "contacts"}, "a stream with this name already exists"),
        ({"path": "https://example.com/x"}, "must be a path below api_url"),
        ({"path": "/contacts/{contact_id}"}, "without placeholders"),
        ({"path": "/contacts?limit=1"}, "put query parameters in params"),
        ({"primary_keys": []}, "must name at least one property"),
        ({"primary_keys": ["record"]}, "declare a schema"),
        ({"primary_keys": "list_id"}, "custom_streams.0.primary_keys: 'list_id' (must be a list"),
        ({"params": {"since": "{since}"}}, "{since} requires a replication_key"),
        ({"params": {"lists": [1]}}, "custom_streams.0.params.lists: [1] (must be a string"),
        ({"schema": {"list_id": "string"}}, "'properties' is a required property"),
        (
            {"schema": {"properties": {"a": {}}}},
            "schema.properties.a: {} (must have exactly one type of string",
        ),
        (
            {"schema": {"properties": {"a": {"type": "array", "items": {"type": "date"}}}}},
            "properties.a.items: {'type': 'date'} (must have exactly one type",
        ),
        (
            {"schema": {"properties": {"a": {"type": "object", "properties": None}}}},
            "schema.properties.a.properties: None (must be an object",
        ),
        (
            {"schema": {"properties": {"list_id": {"type": "object"}}}},
            "must be of type string or integer",
        ),
        (
            {"replication_key": "at", "schema": {"properties": {"at": {"type": "integer"}}}},
            "must be a string with the format date-time",
        ),
        (
            {"schema": {"properties": {"a": {"type": "string", "anyOf": [{"type": "null"}]}}}},
            "(must have exactly one type of string",
        ),
        (
            {"schema": {"properties": {"my name": {"type": "string"}}}},
            "Invalid column in custom_streams.0: 'my name' (must start with a letter or underscore",
        ),
        (
            {"primary_keys": ["list-id"]},
            "Invalid column in custom_streams.0: 'list-id' (must start",
        ),
        (
            {"schema": {"properties": {"a": {"type": "object", "properties": {"b.c": DATE}}}}},
            "Invalid column in custom_streams.0.schema.properties.a: 'b.c' (must start with",
        ),
        (
            {"schema": {"properties": {"checkedIn": DATE, "checked_in": DATE}}},
            "0: 'checked_in' (must differ from 'checkedIn' in more than capitals)",
        ),
        (
            {"record_path": "lists"},
            "('record_path' was unexpected) (accepted properties: name, path, ",
        ),
    ],
)
def test_custom_stream_declaration_is_validated(declared: dict[str, Any], said: str) -> None:
    given = {"access_token": "any", "custom_streams": [{**LISTS, **declared}]}
    (problem,) = validation.problems(given, SETTINGS.to_dict(), NOW, NAMES)
    assert said in problem


def test_custom_stream_declaration_names_missing_and_unknown_parts() -> None:
    schema = SETTINGS.to_dict()
    declared: list[Any] = [{"name": "a", "path": "/a"}]
    given = {"access_token": "any", "custom_streams": declared}
    (problem,) = validation.problems(given, schema, NOW, NAMES)
    assert "'primary_keys' is a required property (accepted properties: name, path, " in problem
    given["custom_streams"] = [LISTS, LISTS]
    (problem,) = validation.problems(given, schema, NOW, NAMES)
    assert "Invalid custom_streams.1.name: 'sms_lists' (must be a new name" in problem


@pytest.mark.parametrize("arguments", [(), ("--discover",)])
def test_invalid_custom_stream_ends_every_command(tap: TapCommand, arguments: tuple[str]) -> None:
    run = tap.run({"access_token": "x", "custom_streams": [{**LISTS, "name": "a b"}]}, *arguments)
    assert run.status == 1
    assert "Invalid custom_streams.0.name: 'a b'" in run.log
    assert run.lines == []


def test_empty_parts_of_a_custom_stream_are_not_set() -> None:
    config: dict[str, Any] = {
        "custom_streams": [{**LISTS, "schema": {}, "records_path": None, "replication_key": ""}]
    }
    validation.tidy(config)
    assert config["custom_streams"][0].keys() == LISTS.keys() - {"records_path"}


def test_custom_stream_columns_are_nullable_except_keys() -> None:
    schema = schema_of(
        {
            "primary_keys": ["id", "kind"],
            "replication_key": "at",
            "schema": {
                "properties": {
                    "id": {"type": "integer"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "place": {"type": "object", "properties": {"city": {"type": "string"}}},
                }
            },
        }
    )
    city = {"type": ["string", "null"]}
    assert schema["required"] == ["id", "kind"]
    assert schema["properties"] == {
        "id": {"type": "integer"},
        "kind": {"type": "string"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "tags": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
        "place": {"type": ["object", "null"], "properties": {"city": city}},
    }


def test_no_loader_refuses_custom_streams(tap: TapCommand, fake_server: FakeServer) -> None:
    thing = {
        "id": "2d5c-4bd1",
        "tasks": [{"name": "wait", "next": [{"name": "send"}]}],
        "rule": {"any": 1},
        "place": {"tags": [{"key": "a"}], "position": [[1.5, 2], [3, 4]]},
    }
    fake_server["/v3/things"] = [thing]
    tags = {"type": "array", "items": {"type": "object", "properties": {}}}
    numbers = {"type": "array", "items": {"type": "number"}}
    properties = {
        "id": {"type": "string", "format": "uuid"},
        "tasks": {"type": "array", "items": {"type": "object"}},
        "rule": {"type": "object", "properties": {}},
        "place": {
            "type": "object",
            "properties": {"tags": tags, "position": {"type": "array", "items": numbers}},
        },
    }
    things = {"name": "things", "path": "/things", "primary_keys": ["id"]}
    whole = {**things, "name": "whole_things"}
    run = read(tap, fake_server, {**things, "schema": {"properties": properties}}, whole)
    sent = [each for each in run.messages if each["type"] == "SCHEMA"]
    assert len(sent) == 2, run.log
    assert [problem for message in sent for problem in refused(message)] == []
    assert run.records["things"] == [thing]
    assert run.records["whole_things"] == [{"id": thing["id"], "record": thing}]


def test_204_response_to_a_custom_stream_has_no_rows(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    fake_server["/v3/contact_lists"] = (204, b"")
    config = {**fake_server.settings, "custom_streams": [LISTS]}
    catalog = discover(tap, config)
    catalog["streams"] = [each for each in catalog["streams"] if each["stream"] == "sms_lists"]
    path = tap.folder / "catalog.json"
    path.write_text(json.dumps(catalog))
    run = tap.run(config, "--catalog", str(path))
    assert run.status == 0, run.log
    assert run.records["sms_lists"] == []
