"""Stream maps and flattening: rules hold for what is selected, and records fit their schema."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from singer_sdk.helpers._flattening import flatten_record, flatten_schema
from support.fake_server import FakeServer
from support.tap import PROJECT, STREAMS, Run, TapCommand

from sandbox import Sandbox

ADDRESS = "ada@example.com"
CONTACTS = [
    {"contact_id": "1", "email_address": {"address": ADDRESS}, "first_name": "Ada"},
    {"contact_id": "2", "deleted_at": "2026-01-01T00:00:00Z", "email_address": None},
    {"contact_id": "3"},
]


@pytest.fixture
def server(fake_server: FakeServer) -> FakeServer:
    fake_server["/v3/contacts"] = {"contacts": CONTACTS}
    fake_server["/v3/contact_tags"] = {"tags": [{"tag_id": "t", "name": "VIP"}]}
    return fake_server


def with_maps(tap: TapCommand, server: FakeServer, *select: str, **stream_maps: Any) -> Run:
    """Run with stream maps; `all_streams` stands for the wildcard."""
    if "all_streams" in stream_maps:
        stream_maps["*"] = stream_maps.pop("all_streams")
    settings = {**server.settings, "stream_maps": stream_maps}
    return tap.run(settings, select=[*select] or ["contacts", "contact_tags"])


def schemas_of(run: Run) -> dict[str, dict[str, Any]]:
    return {each["stream"]: each["schema"] for each in run.messages if each["type"] == "SCHEMA"}


def unlike_their_schemas(run: Run) -> Iterator[str]:
    """Yield the properties of records that their schema lacks, and nullable columns they lack."""
    schemas = schemas_of(run)
    for name, records in run.records.items():
        columns = schemas[name]["properties"]
        nullable = {
            column
            for column, each in columns.items()
            if "null" in each["type"] and not each.get("properties")
        }
        for record in records:
            yield from (f"{name} has {column}" for column in record.keys() - columns.keys())
            yield from (f"{name} lacks {column}" for column in nullable - record.keys())


def undeclared_if_flattened(run: Run, depth: int) -> Iterator[str]:
    """Yield the columns that a target finds without a place in the schema that it has flattened."""
    for name, schema in schemas_of(run).items():
        flat = flatten_schema(schema, max_level=depth)
        for record in run.records[name]:
            columns = flatten_record(record, flattened_schema=flat, max_level=depth)
            yield from (f"{name}.{column}" for column in columns.keys() - flat["properties"].keys())


class TestRules:
    """Rules hold for what is selected, and one that holds for nothing is refused."""

    def test_wildcard_rule_holds_for_the_selected_streams(
        self, tap: TapCommand, server: FakeServer
    ) -> None:
        run = with_maps(tap, server, all_streams={"first_name": "__NULL__", "account": "'ours'"})
        assert run.status == 0, run.log
        assert [record["account"] for record in run.records["contacts"]] == ["ours"] * 3
        assert run.records["contact_tags"][0]["account"] == "ours"
        assert not any("first_name" in record for record in run.records["contacts"])
        assert "first_name" not in schemas_of(run)["contacts"]["properties"]
        assert [*unlike_their_schemas(run)] == []

    def test_wildcard_rule_with_the_default_selection(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        maps = {"*": {"account": "'ours'"}}
        run = tap.sync(sandbox, stream_maps=maps)
        assert run.status == 0, run.log
        assert all(record["account"] == "ours" for rows in run.records.values() for record in rows)
        assert [*unlike_their_schemas(run)] == []

    def test_rules_for_streams_that_are_off_do_nothing(
        self, tap: TapCommand, server: FakeServer
    ) -> None:
        run = with_maps(
            tap,
            server,
            email_sends={"email_address": "__NULL__", "hash": "md5(email_address)"},
            **{"email_did_*": {"email_address": None}, "segment_contacts": None, "segment*": None},
        )
        assert run.status == 0, run.log
        assert len(run.records["contacts"]) == 3

    def test_rule_for_a_parent_that_is_read_for_its_children_only(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        expected = tap.sync(sandbox, "event_registrations").records["event_registrations"]
        rules = {"events": {"name": "__NULL__", "title": "md5(title)"}}
        run = tap.sync(sandbox, "event_registrations", stream_maps=rules)
        assert run.status == 0, run.log
        assert [*run.records] == ["event_registrations"]
        assert len(run.records["event_registrations"]) == len(expected) > 0

    def test_other_streams_can_be_left_out(self, tap: TapCommand, server: FakeServer) -> None:
        run = with_maps(tap, server, contact_tags={}, __else__="__NULL__")
        assert run.status == 0, run.log
        assert [*run.records] == ["contact_tags"]

    def test_copies_and_other_names(self, tap: TapCommand, server: FakeServer) -> None:
        run = with_maps(
            tap,
            server,
            contacts={"__alias__": "people"},
            emails={
                "__source__": "contacts",
                "__else__": "__NULL__",
                "contact_id": "contact_id",
                "name": "first_name",
            },
        )
        assert run.status == 0, run.log
        assert len(run.records["people"]) == len(run.records["emails"]) == 3
        assert run.records["emails"][0] == {"contact_id": "1", "name": "Ada"}
        assert [*unlike_their_schemas(run)] == []

    def test_connection_test_and_schemas_have_rules(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        settings = tap.settings_of_all(sandbox)
        settings["stream_maps"] = {"*": {"account": "'ours'"}}
        for option in ("--test", "--test=schema"):
            run = tap.run(settings, option)
            assert run.status == 0, run.log
            schemas = schemas_of(run)
            assert schemas.keys() == STREAMS.keys()
            for name, schema in schemas.items():
                assert schema["properties"].keys() == {
                    *STREAMS[name].schema["properties"],
                    "account",
                }
            assert [*unlike_their_schemas(run)] == []

    @pytest.mark.parametrize(
        ("maps", "said"),
        [
            (
                {"contact": {"email_address": "__NULL__"}},
                "Invalid stream_maps.contact: no stream is called contact (did you mean contacts?)",
            ),
            ({"nope_*": None}, "Invalid stream_maps.nope_*: no stream is called nope_*"),
            (
                {"copy": {"__source__": "contct_tags"}},
                "Invalid stream_maps.copy: no stream is called contct_tags (did you mean",
            ),
            (
                {"contacts": {"email_adress": "__NULL__"}},
                "no property email_adress (did you mean email_address?) to remove",
            ),
            (
                {"contacts": {"email_address": "__NULL__"}, "*": {"account": "'ours'"}},
                "Invalid stream_maps.contacts: contacts has the rules of * as well",
            ),
            (
                {"contacts": {"email_address__address": None}},
                "before flattening",
            ),
        ],
    )
    def test_rules_that_hold_for_nothing_are_refused(
        self, tap: TapCommand, server: FakeServer, maps: dict[str, Any], said: str
    ) -> None:
        """Otherwise a typing error would let out what was to be removed."""
        run = with_maps(tap, server, **maps)
        assert run.status == 1
        assert said in run.log
        assert "Traceback" not in run.log
        assert run.lines == []

    def test_extra_can_be_removed_whether_it_is_kept_or_not(
        self, tap: TapCommand, server: FakeServer
    ) -> None:
        assert with_maps(tap, server, all_streams={"_extra": "__NULL__"}).status == 0


def test_documented_rules_leave_no_personal_data(tap: TapCommand, sandbox: Sandbox) -> None:
    page = (PROJECT / "docs" / "guides" / "stream-maps.md").read_text("utf-8")
    example = yaml.safe_load(page.partition("```yaml")[2].partition("```")[0])["config"]
    streams = [
        name
        for name, stream in STREAMS.items()
        if name.startswith("email_")
        or (stream.selected_by_default and not name.startswith("account"))
    ]
    assert "event_registrations" in streams
    plain = tap.sync(sandbox, *streams)
    personal = {
        text
        for records in plain.records.values()
        for record in records
        for text in _texts([record.get("first_name"), record.get("email_address")])
        if "@" in text or text == record["first_name"]
    }
    assert len(personal) > 50
    run = tap.sync(sandbox, *streams, **example)
    assert run.status == 0, run.log
    assert {name: len(rows) for name, rows in run.records.items()} == {
        name: len(rows) for name, rows in plain.records.items()
    }
    left = {name: {*_texts(rows)} & personal for name, rows in run.records.items()}
    assert {name: texts for name, texts in left.items() if texts} == {}
    hashes = [record["email_hash"] for record in run.records["contacts"]]
    assert len({*hashes}) > 50


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


class TestExpressions:
    """An expression can use every selected property, and what fails is named."""

    def test_lacking_properties_are_null(self, tap: TapCommand, server: FakeServer) -> None:
        run = with_maps(
            tap,
            server,
            "contacts",
            contacts={
                "email_address": "__NULL__",
                "email_hash": "md5(email_address['address']) if email_address else None",
                "__filter__": "deleted_at is None",
            },
        )
        assert run.status == 0, run.log
        hashes = {row["contact_id"]: row["email_hash"] for row in run.records["contacts"]}
        assert hashes == {"1": hashlib.md5(ADDRESS.encode()).hexdigest(), "3": None}
        assert ADDRESS not in "\n".join(run.lines)

    @pytest.mark.parametrize("name", STREAMS)
    def test_every_selected_property_is_there(self, name: str) -> None:
        stream = STREAMS[name]
        row: dict[str, Any] = {
            key: "2026-01-01T00:00:00Z" if each.get("format") else 1
            for key in stream.primary_keys
            for each in [stream.schema["properties"][key]]
        }
        record = stream.post_process(row)
        assert record is not None
        assert record.keys() == stream.schema["properties"].keys()

    def test_loaders_can_set_a_column_back_to_null(
        self, tap: TapCommand, server: FakeServer
    ) -> None:
        run = with_maps(tap, server)
        assert [row["deleted_at"] for row in run.records["contacts"]] == [
            *(None, "2026-01-01T00:00:00Z", None)
        ]

    @pytest.mark.parametrize(
        ("rules", "expression"),
        [
            ({"a": "no_such_property"}, "no_such_property"),
            ({"a": "md5(first_name)"}, "md5(first_name)"),
            ({"a": "int(first_name)"}, "int(first_name)"),
            ({"a": "email_address['nope']"}, "email_address['nope']"),
            ({"a": "email_address.nope"}, "email_address.nope"),
            ({"__filter__": "first_name > 3"}, "first_name > 3"),
            ({"a": "open('x')"}, "open('x')"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_errors_name_stream_and_expression(
        self, tap: TapCommand, server: FakeServer, rules: dict[str, Any], expression: str
    ) -> None:
        run = with_maps(tap, server, "contacts", contacts=rules)
        assert run.status == 1
        last = run.log.splitlines()[-1]
        assert f"stream_maps for contacts: can't evaluate {expression!r}" in last
        assert "Traceback" not in run.log
        assert "Ada" not in run.log
        assert ADDRESS not in run.log

    @pytest.mark.parametrize(
        "rules",
        [
            {"contact_id": "__NULL__"},
            {"__key_properties__": ["nope"]},
            {"__else__": "x"},
            {"a": ["b"]},
            {"a": {"b": "c"}},
            {"a": 3},
            {"a": ""},
            {"a": "first_name +"},
            {"a": "b = 3"},
            {"__filtr__": "first_name"},
            {"__alias__": ""},
            {"__filter__": "("},
            {"__filter__": 3},
            {"__filter__": ""},
            {"__key_properties__": 3},
            "x",
            3,
            [],
        ],
        ids=str,
    )
    def test_wrong_rules_name_their_stream(
        self, tap: TapCommand, server: FakeServer, rules: Any
    ) -> None:
        run = with_maps(tap, server, "contacts", contacts=rules)
        assert run.status == 1
        assert re.search(r"(ERROR|CRITICAL) .* stream_maps\b.* ?contacts\b", run.log) or re.search(
            r"(ERROR|CRITICAL) .*Invalid stream_maps\.contacts", run.log
        )
        assert "Unexpected" not in run.log
        assert "Traceback" not in run.log
        assert run.lines == []


class TestFlattening:
    """A flattened record has the columns of its schema, also where an object is null."""

    FLAT = {"flattening_enabled": True, "flattening_max_depth": 1}

    @pytest.mark.parametrize("depth", [1, 2, 5])
    def test_all_streams_have_the_columns_of_their_schemas(
        self, tap: TapCommand, sandbox: Sandbox, depth: int
    ) -> None:
        settings = {**tap.settings_of_all(sandbox), **self.FLAT, "flattening_max_depth": depth}
        run = tap.run(settings, select=[*STREAMS])
        assert run.status == 0, run.log
        assert {*run.records} >= {*sandbox.expected()}
        assert [*unlike_their_schemas(run)] == []

    @pytest.mark.parametrize("value", ["null", "absent"])
    def test_null_objects_leave_no_column(
        self, tap: TapCommand, fake_server: FakeServer, value: str
    ) -> None:
        objects = {
            name: [
                column
                for column, schema in STREAMS[name].schema["properties"].items()
                if "properties" in schema
            ]
            for name in ("account", "contacts", "events", "email_campaign_activities")
        }
        assert all(objects.values())

        def row(name: str, **columns: Any) -> dict[str, Any]:
            return {**(dict.fromkeys(objects[name]) if value == "null" else {}), **columns}

        campaign = {"campaign_id": "c", "updated_at": "2026-01-01T00:00:00Z"}
        activity = {"campaign_activity_id": "a", "role": "primary_email"}
        fake_server["/v3/account/summary"] = row("account", encoded_account_id="x")
        fake_server["/v3/contacts"] = {"contacts": [row("contacts", contact_id="1")]}
        fake_server["/v3/events"] = {"records": [row("events", event_id="e")]}
        fake_server["/v3/events/e"] = row("events", event_id="e")
        fake_server["/v3/emails"] = {"campaigns": [campaign]}
        fake_server["/v3/emails/c"] = {**campaign, "campaign_activities": [activity]}
        fake_server["/v3/emails/activities/a"] = row("email_campaign_activities", **activity)
        plain = tap.run(fake_server.settings, select=[*objects])
        assert len(plain.records) == 4
        assert [*undeclared_if_flattened(plain, 1)] == []
        assert [*unlike_their_schemas(plain)] == []
        run = tap.run({**fake_server.settings, **self.FLAT}, select=[*objects])
        assert run.status == 0, run.log
        for name, columns in objects.items():
            (record,) = run.records[name]
            assert not record.keys() & {*columns}
            assert {column.partition("__")[0] for column in record} >= {*columns}
        assert [*unlike_their_schemas(run)] == []

    @pytest.mark.parametrize("depth", [1, 2, 5])
    def test_targets_that_flatten_find_only_columns(
        self, tap: TapCommand, sandbox: Sandbox, depth: int
    ) -> None:
        """As target-csv does, with the SDK's functions."""
        rules = {
            "contacts": {"account": "'ours'"},
            "events": {"is_paid": "default_track is not None"},
        }
        settings = tap.settings_of_all(sandbox)
        run = tap.run({**settings, "stream_maps": rules}, select=[*STREAMS])
        assert run.status == 0, run.log
        assert {*run.records} >= {*sandbox.expected()}
        assert [*undeclared_if_flattened(run, depth)] == []

    def test_null_objects_in_objects_leave_no_column(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        inner = {"type": "object", "properties": {"c": {"type": "string"}}}
        outer = {"type": "object", "properties": {"b": inner, "d": {"type": "string"}}}
        stream = {
            "name": "things",
            "path": "/things",
            "primary_keys": ["id"],
            "schema": {"properties": {"id": {"type": "string"}, "a": outer}},
        }
        fake_server["/v3/things"] = [{"id": "1", "a": {"b": None, "d": None}}, {"id": "2"}]
        settings = {**fake_server.settings, "custom_streams": [stream]}
        catalog = json.loads("\n".join(tap.run(settings, "--discover").lines))
        catalog["streams"] = [each for each in catalog["streams"] if each["stream"] == "things"]
        path = tap.folder / "given.json"
        path.write_text(json.dumps(catalog))
        run = tap.run(settings, "--catalog", str(path))
        assert run.records["things"] == [{"id": "1", "a": {"d": None}}, {"id": "2"}]
        assert [*undeclared_if_flattened(run, 2)] == []

    def test_rules_and_flattening_together(self, tap: TapCommand, server: FakeServer) -> None:
        rules = {
            "contacts": {"hash": "md5(email_address['address']) if email_address else None"},
            "copy": {"__source__": "contacts", "email_address": "__NULL__"},
        }
        settings = {**server.settings, **self.FLAT, "stream_maps": rules}
        run = tap.run(settings, select=["contacts"])
        assert run.status == 0, run.log
        assert [row["email_address__address"] for row in run.records["contacts"]] == [
            *(ADDRESS, None, None)
        ]
        assert "email_address__address" not in run.records["copy"][0]
        assert [*unlike_their_schemas(run)] == []

    def test_flattening_and_a_catalog_that_lacks_properties(
        self, tap: TapCommand, server: FakeServer
    ) -> None:
        catalog = tap.catalog(["contacts"])
        (entry,) = [each for each in catalog["streams"] if each["tap_stream_id"] == "contacts"]
        del entry["schema"]["properties"]["email_address"]["properties"]["address"]
        path = tap.folder / "given.json"
        path.write_text(json.dumps(catalog))
        run = tap.run({**server.settings, **self.FLAT}, "--catalog", str(path))
        assert ADDRESS not in "\n".join(run.lines)
        assert [*unlike_their_schemas(run)] == []
