"""No SCHEMA message of the tap has what a loader refuses or changes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from support.loader_rules import RESERVED, refused, reserved
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand

#: Columns that are reserved words where nobody has to quote them: the loaders do.
ACCEPTED = {
    "accessible": {"MySQL", "MariaDB"},
    "explicit": {"Redshift"},
    "rank": {"MySQL"},
    "role": {"MySQL"},
    "type": {"Redshift"},
}
#: A name that only `show … in account` means.
ACCEPTED_STREAMS = {"account": {"Snowflake"}}

GOOD: dict[str, Any] = {
    "type": "SCHEMA",
    "stream": "things",
    "key_properties": ["id"],
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "at": {"type": ["string", "null"], "format": "date-time"},
            "place": {
                "type": ["object", "null"],
                "properties": {"city": {"type": ["string", "null"]}},
            },
            "steps": {
                "type": ["array", "null"],
                "items": {
                    "type": ["object", "null"],
                    "properties": {},
                    "additionalProperties": True,
                },
            },
        },
    },
}
TEXT = {"type": ["string", "null"]}


def schemas(run: Run) -> dict[str, dict[str, Any]]:
    assert run.status == 0, run.log
    return {each["stream"]: each for each in run.messages if each["type"] == "SCHEMA"}


@pytest.mark.parametrize(
    "settings", [{}, {"add_account_id": True, "keep_unknown_fields": True}], ids=str
)
def test_no_loader_refuses_a_stream(
    tap: TapCommand, make_sandbox: MakeSandbox, settings: dict[str, Any]
) -> None:
    sandbox = make_sandbox(contacts=3, campaigns=1)
    run = tap.sync(sandbox, *STREAMS, **sandbox.settings_of_all, **settings)
    found = schemas(run)
    assert found.keys() == STREAMS.keys()
    assert [problem for message in found.values() for problem in refused(message)] == []


def test_reserved_words_are_the_known_ones() -> None:
    columns = {name for stream in STREAMS.values() for name in stream.schema["properties"]}
    assert {name: reserved(name) for name in sorted(columns) if reserved(name)} == ACCEPTED
    assert {name: reserved(name) for name in STREAMS if reserved(name)} == ACCEPTED_STREAMS
    assert len(RESERVED) == 10
    assert all("select" in words for words in RESERVED.values())


def test_tasks_of_automations_are_whole(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    run = tap.sync(make_sandbox(contacts=3, campaigns=1), "automations")
    assert run.records["automations"]
    for row in run.records["automations"]:
        tasks = row["draft_definition"]["workflow"]["workflow_def"]["tasks"]
        assert [task["kind"] for task in tasks] == ["TIMER", "CONDITION"]
        assert tasks[1]["else"][0]["child_tasks"]


def changed(path: list[str], value: Any) -> dict[str, Any]:
    message = deepcopy(GOOD)
    *parts, last = path
    place = message
    for part in parts:
        place = place[part]
    place[last] = value
    return message


def test_a_good_schema_is_not_refused() -> None:
    assert refused(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["stream"], "my-things", "characters"),
        (["key_properties"], [], "no key"),
        (["key_properties"], ["id", "kind"], "keys without a column: ['kind']"),
        (["schema", "properties", "id"], TEXT, ".id: a nullable key"),
        (["schema", "properties", "my name"], TEXT, ".my name: characters"),
        (["schema", "properties", "a" * 64], TEXT, "too long"),
        (["schema", "properties", "place", "properties", "a" * 60], TEXT, "too long"),
        (["schema", "properties", "place__city"], TEXT, "several properties for one column"),
        (["schema", "properties", "at", "format"], "uuid", ".at: a format"),
        (["schema", "properties", "at", "anyOf"], [TEXT], ".at: ['anyOf']"),
        (["schema", "properties", "at", "maxLength"], 9, ".at: ['maxLength']"),
        (["schema", "properties", "at", "type"], ["null", "string"], "not one type and null"),
        (["schema", "properties", "at", "type"], ["string", "integer", "null"], "not one type"),
        (["schema", "properties", "place", "properties"], {}, ".place: an object without a column"),
        (
            ["schema", "properties", "steps", "items"],
            {"type": ["object", "null"]},
            ".steps[]: objects without properties",
        ),
        (
            ["schema", "properties", "steps", "items"],
            {"type": ["object", "null"], "properties": {}},
            ".steps[]: an object without a column",
        ),
        (
            ["schema", "properties", "steps", "items"],
            {"type": ["array", "null"], "items": TEXT},
            ".steps: an array of arrays",
        ),
    ],
    ids=str,
)
def test_every_rule_finds_what_it_is_for(path: list[str], value: Any, said: str) -> None:
    assert any(said in problem for problem in refused(changed(path, value)))
