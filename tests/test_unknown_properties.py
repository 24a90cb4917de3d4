"""Properties that no schema knows, a quick look, and what an account may read at all."""

from __future__ import annotations

import json
from typing import Any

from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand

from sandbox import Sandbox
from sandbox.server.options import PRIVILEGES

CONTACT = {
    "contact_id": "1",
    "mood": "good",
    "email_address": {"address": "ada@example.com", "score": {"of": 5}},
    "custom_fields": [
        {"custom_field_id": "a", "value": "x", "color": "red"},
        {"custom_field_id": "b", "value": "y", "color": "blue"},
    ],
    "updated_at": "2026-01-01T00:00:00Z",
}
UNKNOWN = ("custom_fields.color", "email_address.score", "mood")


def sync(
    tap: TapCommand,
    fake_server: FakeServer,
    discovered_with: dict[str, Any] | None = None,
    **settings: Any,
) -> Run:
    contacts = [CONTACT, {"contact_id": "2", "mood": "bad"}, {"contact_id": "3"}]
    fake_server["/v3/contacts"] = {"contacts": contacts}
    fake_server["/v3/contact_tags"] = {
        "tags": [{"tag_id": "t", "shade": "b\x00lue"}, {"tag_id": "u"}]
    }
    # Discovered with the same settings, as `meltano run` does, unless a test says otherwise.
    config = {**fake_server.settings, **settings}
    discovery = config if discovered_with is None else {**fake_server.settings, **discovered_with}
    catalog = json.loads("\n".join(tap.run(discovery, "--discover").lines))
    for stream in catalog["streams"]:
        stream["metadata"] = [{"breadcrumb": [], "metadata": {"selected": True}}]
    names = ("contacts", "contact_tags")
    catalog["streams"] = [row for row in catalog["streams"] if row["tap_stream_id"] in names]
    path = tap.folder / "catalog.json"
    path.write_text(json.dumps(catalog))
    run = tap.run(config, "--catalog", str(path))
    assert run.status == 0, run.log
    return run


def columns(run: Run, stream: str) -> dict[str, Any]:
    """Return the columns that the SCHEMA message of a stream declares."""
    (schema,) = [
        message["schema"]
        for message in run.messages
        if message["type"] == "SCHEMA" and message["stream"] == stream
    ]
    properties: dict[str, Any] = schema["properties"]
    return properties


def test_unknown_properties_are_named_once_per_stream_and_skipped(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    run = sync(tap, fake_server)
    warnings = [line for line in run.log.splitlines() if "dropped unknown properties" in line]
    assert len(warnings) == 2
    for names in (UNKNOWN, ("shade",)):
        assert run.log.count(", ".join(names)) == 1
    end_of_reading = run.log.rindex("METRIC")
    assert all(run.log.index(warning) > end_of_reading for warning in warnings)
    for stream in ("contacts", "contact_tags"):
        assert "_extra" not in columns(run, stream)
        assert not any("_extra" in record for record in run.records[stream])
    assert "mood" not in run.records["contacts"][0]
    assert "score" not in run.records["contacts"][0]["email_address"]


def test_unknown_properties_are_kept_with_keep_unknown_fields(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    run = sync(tap, fake_server, keep_unknown_fields=True)
    first, second, third = run.records["contacts"]
    assert first["_extra"] == {
        "mood": ["good"],
        "email_address.score": [{"of": 5}],
        "custom_fields.color": ["red", "blue"],
    }
    assert second["_extra"] == {"mood": ["bad"]}
    assert not third.get("_extra")
    assert first["email_address"] == {"address": "ada@example.com"}
    assert run.records["contact_tags"][0]["_extra"] == {"shade": ["blue"]}
    for stream in ("contacts", "contact_tags"):
        assert columns(run, stream)["_extra"]["type"] == ["object", "null"]
    assert run.log.count("unknown properties kept in _extra") == 2
    assert "dropped" not in run.log


def test_catalog_decides_whether_unknown_properties_are_kept(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    """A record has no property that its SCHEMA message lacks."""
    keep = {"keep_unknown_fields": True}
    for settings, discovered_with, kept in (({}, keep, True), (keep, {}, False)):
        run = sync(tap, fake_server, discovered_with, **settings)
        assert ("_extra" in columns(run, "contacts")) is kept
        assert any("_extra" in record for record in run.records["contacts"]) is kept


def test_max_records_run_loses_nothing_for_the_next_run(tap: TapCommand, sandbox: Sandbox) -> None:
    streams = ("contacts", "email_campaigns", "segments", "sms_campaign_summaries")
    look = tap.sync(sandbox, *streams, max_records_per_stream=2)
    assert look.status == 0, look.log
    rest = tap.sync(sandbox, *streams, state=look.state)
    for stream, expected in sandbox.expected(streams).items():
        (key,) = STREAMS[stream].primary_keys
        assert len(look.records[stream]) == 2
        assert len(expected) > 2
        arrived = {*look.keys(stream, key), *rest.keys(stream, key)}
        assert arrived == {id_ for (id_,) in expected}


def test_max_records_run_costs_few_requests(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(contacts=1100)
    run = tap.sync(
        sandbox, "contacts", "email_opens", "event_registrations", max_records_per_stream=3
    )
    streams = ("contacts", "email_opens", "event_registrations")
    assert [len(run.records[stream]) for stream in streams] == [3, 3, 3]
    assert len([request for request in sandbox.requests if request.path == "/v3/contacts"]) == 1


def test_connection_test_names_readable_streams(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    privileges = tuple(name for name in PRIVILEGES if name != "ui:campaign:metrics")
    sandbox = make_sandbox(privileges=privileges)
    run = tap.run(tap.settings(sandbox), "--test")
    assert run.status == 0, run.log
    said = [line.rpartition("| ")[2] for line in run.log.splitlines()]
    for name in STREAMS:
        found = ("readable", "not readable", "not tested (nothing to request)")
        assert {f"{name}: {each}" for each in found} & {*said}
    for name in ("account", "contacts", "email_campaigns", "email_campaign_previews", "events"):
        assert f"{name}: readable" in said
    for name in (
        *("email_opens", "email_links", "email_campaign_stats", "sms_campaign_summaries"),
        *("contact_activity_details", "contact_open_click_rates"),
    ):
        assert f"{name}: not readable" in said
        assert f"{name}: readable" not in said
    for name in ("landing_page_contact_opens", "contact_id_xrefs", "partner_accounts"):
        assert f"{name}: readable" not in said  # there was nothing to request


def test_max_records_run_keeps_the_bookmark_of_a_parent(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(campaigns=24)
    streams = ("email_campaigns", "email_campaign_activities")
    look = tap.sync(sandbox, *streams, max_records_per_stream=3)
    assert {name: len(look.records[name]) for name in streams} == dict.fromkeys(streams, 3)
    rest = tap.sync(sandbox, *streams, state=look.state)
    for name, rows in sandbox.expected(set(streams)).items():
        (key,) = STREAMS[name].primary_keys
        assert {(value,) for value in rest.keys(name, key)} == set(rows)
