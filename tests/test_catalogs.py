"""Catalogs as people have them: older ones, written by hand, from other tools, with their rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.tap import STREAMS, Run, TapCommand

from sandbox import Sandbox

ALL = list(STREAMS)
KEYS = {name: list(stream.primary_keys) for name, stream in STREAMS.items()}
CONTACT = {
    "contact_id": "1",
    "first_name": "Ada",
    "email_address": {"address": "ada@example.com", "permission_to_send": "implicit"},
    "custom_fields": [{"custom_field_id": "a", "value": "x"}],
    "updated_at": "2026-01-01T00:00:00Z",
}

Catalog = dict[str, Any]
Entry = dict[str, Any]


def run_with(tap: TapCommand, settings: dict[str, Any], catalog: Catalog) -> Run:
    """Run the tap with a catalog."""
    path = tap.folder / "given.json"
    path.write_text(json.dumps(catalog))
    return tap.run(settings, "--catalog", str(path))


def entry_of(catalog: Catalog, name: str) -> Entry:
    entry: Entry = next(each for each in catalog["streams"] if each["tap_stream_id"] == name)
    return entry


def metadata_of(entry: Entry, *breadcrumb: str) -> dict[str, Any]:
    """Return the metadata of a breadcrumb, which is added if there is none."""
    for each in entry["metadata"]:
        if each["breadcrumb"] == [*breadcrumb]:
            found: dict[str, Any] = each["metadata"]
            return found
    entry["metadata"].append({"breadcrumb": [*breadcrumb], "metadata": {}})
    return metadata_of(entry, *breadcrumb)


def remove(schema: dict[str, Any], path: str) -> None:
    """Take a property out of a schema."""
    *parents, name = path.split(".")
    for parent in parents:
        schema = schema["properties"][parent]
        schema = schema.get("items", schema)
    del schema["properties"][name]


def schemas_of(run: Run) -> dict[str, dict[str, Any]]:
    """Return the SCHEMA messages by stream."""
    return {each["stream"]: each for each in run.messages if each["type"] == "SCHEMA"}


def undeclared(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths of properties that a schema lacks."""
    if isinstance(value, list):
        for item in value:
            yield from undeclared(item, schema.get("items", {}), path)
    elif isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from undeclared(inner, schema["properties"][name], f"{path}{name}.")
            elif not schema.get("additionalProperties"):
                yield f"{path}{name}"


def undeclared_in(run: Run) -> set[str]:
    """Return the properties of records that the SCHEMA message of their stream lacks."""
    schemas = schemas_of(run)
    return {
        f"{name}.{path}"
        for name, records in run.records.items()
        for record in records
        for path in undeclared(record, schemas[name]["schema"])
    }


class TestLackingProperties:
    """A record has no property that its SCHEMA message lacks."""

    REMOVED = ("first_name", "email_address.address", "custom_fields.value")

    def test_removed_properties_are_not_written(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        fake_server["/v3/contacts"] = {"contacts": [CONTACT]}
        catalog = tap.catalog(["contacts"])
        for path in self.REMOVED:
            remove(entry_of(catalog, "contacts")["schema"], path)
        run = run_with(tap, fake_server.settings, catalog)
        assert run.status == 0, run.log
        (contact,) = run.records["contacts"]
        assert undeclared_in(run) == set()
        assert contact["email_address"] == {"permission_to_send": "implicit"}
        assert contact["custom_fields"] == [{"custom_field_id": "a"}]
        assert not {"Ada", "ada@example.com", '"x"'} & {*"\n".join(run.lines).split()}
        (warning,) = [line for line in run.log.splitlines() if "The catalog lacks" in line]
        assert "contacts (custom_fields.value, email_address.address, first_name)" in warning
        assert "--refresh-catalog" in warning

    def with_extra(
        self, tap: TapCommand, server: FakeServer
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return settings that keep unknown properties, and a catalog of contacts for them."""
        server["/v3/contacts"] = {"contacts": [{**CONTACT, "mood": "good"}]}
        settings = {**server.settings, "keep_unknown_fields": True}
        catalog = json.loads("\n".join(tap.run(settings, "--discover").lines))
        return settings, {**catalog, "streams": [entry_of(catalog, "contacts")]}

    def test_removed_properties_are_not_kept_in_extra(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        settings, catalog = self.with_extra(tap, fake_server)
        for path in self.REMOVED:
            remove(entry_of(catalog, "contacts")["schema"], path)
        run = run_with(tap, settings, catalog)
        assert run.records["contacts"][0]["_extra"] == {"mood": ["good"]}

    def test_extra_that_is_deselected_is_not_written(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        settings, catalog = self.with_extra(tap, fake_server)
        metadata_of(entry_of(catalog, "contacts"), "properties", "_extra")["selected"] = False
        for given in (settings, fake_server.settings):
            run = run_with(tap, given, catalog)
            assert "_extra" not in run.records["contacts"][0]

    def test_deselected_properties_are_no_case_for_a_warning(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        fake_server["/v3/contacts"] = {"contacts": [CONTACT]}
        catalog = tap.catalog(["contacts"])
        contacts = entry_of(catalog, "contacts")
        metadata_of(contacts, "properties", "first_name")["selected"] = False
        address = ("properties", "email_address", "properties", "address")
        metadata_of(contacts, *address)["selected"] = False
        run = run_with(tap, fake_server.settings, catalog)
        (contact,) = run.records["contacts"]
        assert "first_name" not in contact
        assert contact["email_address"] == {"permission_to_send": "implicit"}
        assert undeclared_in(run) == set()
        assert "The catalog lacks" not in run.log

    @pytest.mark.parametrize("how", ["removed", "deselected"])
    def test_what_other_streams_need_is_still_read(
        self, tap: TapCommand, sandbox: Sandbox, how: str
    ) -> None:
        """The context of a child and the details that streams share have all properties."""
        names = ("events", "event_registrations", "email_campaigns", "email_campaign_activities")
        expected = {name: len(tap.sync(sandbox, *names).records[name]) for name in names}
        catalog = tap.catalog([*names])
        for stream, paths in {
            "events": ("default_track",),
            "email_campaigns": ("campaign_activities", "current_status", "type_code"),
        }.items():
            for path in paths:
                if how == "removed":
                    remove(entry_of(catalog, stream)["schema"], path)
                else:
                    metadata_of(entry_of(catalog, stream), "properties", path)["selected"] = False
        run = run_with(tap, tap.settings(sandbox), catalog)
        assert {name: len(run.records[name]) for name in names} == expected
        assert undeclared_in(run) == set()

    def test_shared_details_are_not_changed_by_what_is_written_of_them(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        names = ("email_campaigns", "email_campaign_activities")
        whole = tap.sync(sandbox, *names)
        catalog = tap.catalog([*names])
        for path in ("campaign_activities.role", "campaign_activities.campaign_activity_id"):
            remove(entry_of(catalog, "email_campaigns")["schema"], path)
        run = run_with(tap, tap.settings(sandbox), catalog)
        activities = "email_campaign_activities"
        assert run.records[activities] == whole.records[activities]
        assert undeclared_in(run) == set()

    def test_a_property_of_another_type_fits_the_catalog(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        """As the schema extra of Meltano declares it."""
        fake_server["/v3/contacts"] = {"contacts": [CONTACT]}
        catalog = tap.catalog(["contacts"])
        properties = entry_of(catalog, "contacts")["schema"]["properties"]
        properties["custom_fields"] = {"type": ["string", "null"]}
        properties["mood"] = {"type": ["string", "null"]}
        properties["weight"] = {"type": "number"}
        (contact,) = run_with(tap, fake_server.settings, catalog).records["contacts"]
        assert json.loads(contact["custom_fields"]) == CONTACT["custom_fields"]
        assert contact["mood"] is None
        assert "weight" not in contact

    def test_streams_of_any_catalog_have_no_undeclared_property(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        catalog = tap.catalog(ALL)
        for entry in catalog["streams"]:
            properties = entry["schema"]["properties"]
            for name in [*properties][1::2]:
                properties[name].get("items", properties[name]).get("properties", {}).clear()
            for name in [*properties][::2]:
                del properties[name]
        run = run_with(tap, tap.settings_of_all(sandbox), catalog)
        assert run.status == 0, run.log
        assert undeclared_in(run) == set()
        assert len([line for line in run.log.splitlines() if "The catalog lacks" in line]) == 1
        assert {name for name, _ in sandbox.expected().items()} <= {*run.records, "contact_counts"}


class TestKeys:
    """Keys are the tap's own."""

    def test_entries_without_keys_and_metadata_have_those_of_the_tap(
        self, tap: TapCommand, sandbox: Sandbox
    ) -> None:
        settings = tap.settings_of_all(sandbox)
        expected = tap.run(settings, select=ALL)
        catalog = tap.catalog(ALL)
        catalog["streams"] = [
            {"tap_stream_id": each["tap_stream_id"], "schema": each["schema"]}
            for each in catalog["streams"]
        ]
        run = run_with(tap, settings, catalog)
        assert run.status == 0, run.log
        given, full = schemas_of(run), schemas_of(expected)
        for name in ALL:
            assert given[name]["key_properties"] == KEYS[name], name
            assert given[name].get("bookmark_properties") == full[name].get("bookmark_properties")
            assert len(run.records[name]) == len(expected.records[name]), name
        assert run.state["bookmarks"].keys() == expected.state["bookmarks"].keys()

    @pytest.mark.parametrize("how", ["removed", "deselected", "other keys"])
    def test_catalog_cannot_take_keys_away(
        self, tap: TapCommand, sandbox: Sandbox, how: str
    ) -> None:
        catalog = tap.catalog(["contacts", "email_opens", "segments"])
        for name in ("contacts", "email_opens", "segments"):
            entry = entry_of(catalog, name)
            columns = {*KEYS[name], STREAMS[name].replication_key}
            if how == "other keys":
                entry["key_properties"] = ["name"]
                metadata_of(entry)["table-key-properties"] = ["name"]
            for column in columns if how != "other keys" else ():
                if how == "removed":
                    del entry["schema"]["properties"][column]
                    entry["metadata"] = [
                        each for each in entry["metadata"] if each["breadcrumb"][1:] != [column]
                    ]
                else:
                    metadata_of(entry, "properties", column).clear()
                    metadata_of(entry, "properties", column)["selected"] = False
        run = run_with(tap, tap.settings(sandbox), catalog)
        assert run.status == 0, run.log
        for name in ("contacts", "email_opens", "segments"):
            schema = schemas_of(run)[name]
            assert schema["key_properties"] == KEYS[name]
            assert {*KEYS[name], STREAMS[name].replication_key} <= {*schema["schema"]["properties"]}
            assert run.records[name]
            assert all({*KEYS[name]} <= {*record} for record in run.records[name])
        assert undeclared_in(run) == set()
        assert ("key" in run.log and "ignored" in run.log) == (how == "other keys")

    def test_metadata_of_some_properties_only_deselects_only_them(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        fake_server["/v3/contacts"] = {"contacts": [CONTACT]}
        catalog = tap.catalog(["contacts"])
        entry = entry_of(catalog, "contacts")
        entry["metadata"] = []
        metadata_of(entry, "properties", "first_name")["selected"] = False
        metadata_of(entry, "properties", "email_address")["selected"] = True
        metadata_of(entry, "properties", "contact_id")["inclusion"] = "automatic"
        catalog["streams"] = [entry]
        run = run_with(tap, fake_server.settings, catalog)
        (contact,) = run.records["contacts"]
        assert contact["contact_id"] == "1"
        assert contact["email_address"] == CONTACT["email_address"]
        assert "first_name" not in contact


class TestNothingSelected:
    """A run that has nothing to read fails, and says why."""

    def test_all_deselected(self, tap: TapCommand, fake_server: FakeServer) -> None:
        run = run_with(tap, fake_server.settings, tap.catalog([]))
        assert run.status == 1
        assert "The catalog selects no stream, so there is nothing to read" in run.log
        assert "meltano select" in run.log
        assert "Traceback" not in run.log
        assert run.lines == []

    def test_empty_catalog(self, tap: TapCommand, fake_server: FakeServer) -> None:
        run = run_with(tap, fake_server.settings, {"streams": []})
        assert run.status == 1
        assert "The catalog selects no stream" in run.log

    @pytest.mark.parametrize("where", ["schema", "entry"])
    def test_selected_in_its_old_place(
        self, tap: TapCommand, fake_server: FakeServer, where: str
    ) -> None:
        catalog = tap.catalog([])
        for name in ("contacts", "segments"):
            entry = entry_of(catalog, name)
            (entry["schema"] if where == "schema" else entry)["selected"] = True
        run = run_with(tap, fake_server.settings, catalog)
        assert run.status == 1
        assert "The catalog selects no stream" in run.log
        assert "contacts, segments" in run.log
        assert "metadata with the breadcrumb []" in run.log

    def test_selected_in_its_old_place_beside_others(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        fake_server["/v3/contacts"] = {"contacts": [CONTACT]}
        catalog = tap.catalog(["contacts"])
        entry_of(catalog, "contacts")["schema"]["selected"] = True
        entry_of(catalog, "segments")["schema"]["selected"] = True
        run = run_with(tap, fake_server.settings, catalog)
        assert run.status == 0, run.log
        (warning,) = [line for line in run.log.splitlines() if "breadcrumb []" in line]
        assert "segments" in warning
        assert "contacts" not in warning.partition("|")[2].rpartition("|")[2]

    def test_near_misses_are_named(self, tap: TapCommand, fake_server: FakeServer) -> None:
        catalog = tap.catalog([])
        wrong = json.loads(json.dumps(entry_of(catalog, "contacts")))
        wrong["tap_stream_id"] = wrong["stream"] = "contact"
        metadata_of(wrong)["selected"] = True
        for streams in ([*catalog["streams"], wrong], [wrong]):
            run = run_with(tap, fake_server.settings, {"streams": streams})
            assert run.status == 1
            assert "contact (did you mean contacts?)" in run.log
            assert "Traceback" not in run.log

    def test_unknown_streams_beside_others_are_named_with_near_misses(
        self, tap: TapCommand, fake_server: FakeServer
    ) -> None:
        fake_server["/v3/contacts"] = {"contacts": [CONTACT]}
        catalog = tap.catalog(["contacts"])
        wrong = json.loads(json.dumps(entry_of(catalog, "contacts")))
        wrong["tap_stream_id"] = "segmentz"
        catalog["streams"].append(wrong)
        run = run_with(tap, fake_server.settings, catalog)
        assert run.status == 0, run.log
        assert "segmentz (did you mean segments?)" in run.log


class TestReplication:
    """What the tap can't do is ignored with a warning, and never adds a column."""

    def test_advice_for_all_streams(self, tap: TapCommand, sandbox: Sandbox) -> None:
        settings = tap.settings_of_all(sandbox)
        expected = tap.run(settings, select=ALL)
        catalog = tap.catalog(ALL)
        for entry in catalog["streams"]:
            root = metadata_of(entry)
            root["replication-key"], root["replication-method"] = "updated_at", "INCREMENTAL"
        run = run_with(tap, settings, catalog)
        assert run.status == 0, run.log
        assert schemas_of(run) == schemas_of(expected)
        assert _counts(run) == _counts(expected)
        assert undeclared_in(run) == set()
        key, method = [line for line in run.log.splitlines() if "a replication" in line]
        assert "don't have: updated_at (account, " in key
        assert "email_campaigns" not in key
        assert "don't have: INCREMENTAL (account, " in method

    @pytest.mark.parametrize("place", ["replication-method", "forced-replication-method", "entry"])
    @pytest.mark.parametrize("method", ["LOG_BASED", "incremental?", "INCREMENTAL"])
    def test_methods_that_a_stream_does_not_have(
        self, tap: TapCommand, fake_server: FakeServer, place: str, method: str
    ) -> None:
        fake_server["/v3/contact_tags"] = {"tags": [{"tag_id": "t"}]}
        fake_server["/v3/segments"] = {"segments": []}
        catalog = tap.catalog(["contact_tags", "segments"])
        for name in ("contact_tags", "segments"):
            entry = entry_of(catalog, name)
            if place == "entry":
                entry["replication_method"] = method
            else:
                metadata_of(entry)[place] = method
        run = run_with(tap, fake_server.settings, catalog)
        assert run.status == 0, run.log
        (warning,) = [line for line in run.log.splitlines() if "replication method" in line]
        assert method in warning
        assert "contact_tags" in warning
        assert ("segments" in warning) == (method != "INCREMENTAL")
        assert "in full_table mode" in _line(run, "Beginning sync of 'contact_tags'")
        assert "in incremental mode" in _line(run, "Beginning sync of 'segments'")

    @pytest.mark.parametrize("place", ["replication-method", "forced-replication-method", "entry"])
    def test_full_table_is_obeyed(self, tap: TapCommand, sandbox: Sandbox, place: str) -> None:
        first = tap.sync(sandbox, "segments")
        catalog = tap.catalog(["segments"])
        entry = entry_of(catalog, "segments")
        if place == "entry":
            entry["replication_method"] = "FULL_TABLE"
        else:
            metadata_of(entry)[place] = "FULL_TABLE"
        path = tap.folder / "given.json"
        path.write_text(json.dumps(catalog))
        run = tap.run(tap.settings(sandbox), "--catalog", str(path), state=first.state)
        assert run.status == 0, run.log
        assert len(run.records["segments"]) == len(first.records["segments"]) > 1
        assert "ignored" not in run.log

    @pytest.mark.parametrize("key", ["name", "no_such_column"])
    def test_replication_keys_that_a_stream_does_not_have(
        self, tap: TapCommand, sandbox: Sandbox, key: str
    ) -> None:
        names = ["contacts", "email_campaigns", "email_opens", "segments", "contact_tags"]
        expected = tap.sync(sandbox, *names)
        catalog = tap.catalog(names)
        for name in names:
            entry_of(catalog, name)["replication_key"] = key
            metadata_of(entry_of(catalog, name))["replication-key"] = key
        run = run_with(tap, tap.settings(sandbox), catalog)
        assert run.status == 0, run.log
        assert schemas_of(run) == schemas_of(expected)
        assert _counts(run) == _counts(expected)
        (warning,) = [line for line in run.log.splitlines() if "replication key" in line]
        assert f"{key} (contacts, contact_tags, segments, email_campaigns, email_opens)" in warning


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("properties", ["contact_id"]),
        ("properties", {"contact_id": None}),
        ("properties", {"contact_id": "string"}),
        ("metadata", {}),
        ("metadata", [{"breadcrumb": None, "metadata": {}}]),
        ("metadata", [{"breadcrumb": [], "metadata": []}]),
        ("tap_stream_id", 3),
    ],
)
def test_catalogs_of_another_shape_are_explained(
    tap: TapCommand, fake_server: FakeServer, part: str, value: Any
) -> None:
    catalog = tap.catalog(["contacts"])
    entry = entry_of(catalog, "contacts")
    (entry["schema"] if part == "properties" else entry)[part] = value
    run = run_with(tap, fake_server.settings, catalog)
    assert run.status == 1
    assert "Invalid catalog" in run.log
    assert "Unexpected" not in run.log


def test_unusual_schemas_of_a_catalog_are_passed_on(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    """Schemas without a type, or with several, restrict nothing."""
    fake_server["/v3/contacts"] = {"contacts": [CONTACT]}
    catalog = tap.catalog(["contacts"])
    properties = entry_of(catalog, "contacts")["schema"]["properties"]
    properties["first_name"] = {}
    properties["email_address"] = {"type": ["object", "string", "null"]}
    properties["custom_fields"] = {"anyOf": [{"type": "array"}, {"type": "null"}]}
    (contact,) = run_with(tap, fake_server.settings, catalog).records["contacts"]
    for name in ("first_name", "email_address", "custom_fields"):
        assert contact[name] == CONTACT[name]


def _line(run: Run, text: str) -> str:
    return next(line for line in run.log.splitlines() if text in line)


def _counts(run: Run) -> dict[str, int]:
    return {name: len(rows) for name, rows in run.records.items()}
