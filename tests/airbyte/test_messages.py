"""Every line that the source writes is a message of the protocol, as its models have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airbyte_protocol.models import AirbyteMessage
from conftest import run, settings_of_all
from pydantic import BaseModel

from sandbox import Fault, Sandbox

TYPES = {"SPEC", "CONNECTION_STATUS", "CATALOG", "CONTROL", "LOG", "RECORD", "STATE", "TRACE"}


def undeclared(model: Any, where: str = "") -> list[str]:
    """Return the properties that the models let in without knowing them, but in free objects."""
    found = []
    if isinstance(model, BaseModel):
        if type(model).__name__ != "AirbyteStateBlob":
            found += [f"{where}.{name}" for name in model.model_extra or ()]
        for name in type(model).model_fields:
            found += undeclared(getattr(model, name), f"{where}.{name}")
    if isinstance(model, list):
        for item in model:
            found += undeclared(item, where)
    return found


def test_each_line_is_a_message(sandbox: Sandbox, folder: Path) -> None:
    config = settings_of_all(sandbox, folder)
    lines = run(folder, "spec").stdout.splitlines()
    lines += run(folder, "check", config=config).stdout.splitlines()
    lines += run(folder, "check", config={}).stdout.splitlines()
    discovered = run(folder, "discover", config=config).stdout.splitlines()
    catalog = AirbyteMessage.model_validate_json(discovered[-1]).catalog
    assert catalog
    chosen = {
        "streams": [
            {
                "stream": stream.model_dump(mode="json", exclude_none=True),
                "sync_mode": "incremental",
                "destination_sync_mode": "append_dedup",
            }
            for stream in catalog.streams
        ]
    }
    read = run(folder, "read", config=config, catalog=chosen).stdout.splitlines()
    sandbox.fail("/contact_tags", Fault.BAD_REQUEST)
    few = {**config, "max_requests": 10}
    ends = run(folder, "read", config=few, catalog=chosen).stdout.splitlines()
    messages = [
        AirbyteMessage.model_validate_json(line) for line in lines + discovered + read + ends
    ]
    assert {message.type.value for message in messages} == TYPES
    assert not [name for message in messages for name in undeclared(message)]


@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_a_command_without_its_files_writes_none(folder: Path, command: str) -> None:
    done = run(folder, command)
    assert done.returncode == 2
    assert not done.stdout
