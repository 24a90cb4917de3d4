"""meltano.yml says about the settings what the tap itself says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import STREAMS

from tap_constantcontact.tap import TapConstantContact

PROJECT = yaml.safe_load((Path(__file__).parent.parent / "meltano.yml").read_text("utf-8"))
(EXTRACTOR,) = PROJECT["plugins"]["extractors"]
SETTINGS = {setting["name"]: setting for setting in EXTRACTOR["settings"]}
PROPERTIES: dict[str, dict[str, Any]] = {
    name: schema
    for name, schema in TapConstantContact.config_jsonschema["properties"].items()
    if name in SETTINGS or not name.startswith(("batch", "faker", "flattening", "stream_map"))
}
KINDS = {"boolean": "boolean", "integer": "integer", "array": "array", "string": "string"}


def test_every_setting_is_there_in_alphabetical_order() -> None:
    assert list(SETTINGS) == sorted(PROPERTIES)


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_a_setting_is_described_as_the_tap_does(name: str) -> None:
    setting, schema = SETTINGS[name], PROPERTIES[name]
    assert setting["label"] == schema["title"]
    assert setting["description"] == schema["description"]
    assert setting.get("value") == schema.get("default")
    assert setting.get("sensitive", False) == schema.get("secret", False)
    options = [option["value"] for option in setting.get("options", [])]
    assert options == schema.get("enum", [])
    specific = {"token_store": "file", "on_quota_exceeded": "options"}
    assert setting["kind"] == specific.get(name, KINDS[schema["type"][0]])


def test_the_default_selection_is_that_of_the_tap() -> None:
    selected = [name for name, stream in STREAMS.items() if stream.selected_by_default]
    assert EXTRACTOR["select"] == [f"{name}.*" for name in sorted(selected)]


def test_capabilities_are_those_of_the_tap() -> None:
    capabilities = [str(capability.value) for capability in TapConstantContact.capabilities]
    assert EXTRACTOR["capabilities"] == sorted(capabilities)


def test_no_plugin_needs_the_hub() -> None:
    plugins = [plugin for kind in PROJECT["plugins"].values() for plugin in kind]
    assert all(plugin["namespace"] and plugin["pip_url"] for plugin in plugins)


def test_env_example_names_settings() -> None:
    lines = (Path(__file__).parent.parent / ".env.example").read_text("utf-8").splitlines()
    names = [line.split("=")[0] for line in lines if line and not line.startswith("#")]
    assert names
    assert {name.removeprefix("TAP_CONSTANTCONTACT_").lower() for name in names} <= SETTINGS.keys()
