"""meltano.yml says of the tap what plugin.yaml says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools import plugin_yaml as plugin

PROJECT = yaml.safe_load((Path(__file__).parent.parent / "meltano.yml").read_text("utf-8"))
(EXTRACTOR,) = PROJECT["plugins"]["extractors"]
SETTINGS = {setting["name"]: setting for setting in EXTRACTOR["settings"]}
DEFINITION = yaml.safe_load(plugin.FILE.read_text("utf-8"))
DEFINED = {
    setting["name"]: setting
    for setting in DEFINITION["settings"]
    if setting["name"] in SETTINGS or not setting["name"].startswith(plugin.SETTINGS_OF_THE_SDK)
}


def test_every_setting_is_there_in_alphabetical_order() -> None:
    assert list(SETTINGS) == list(DEFINED)


@pytest.mark.parametrize("name", DEFINED)
def test_a_setting_is_that_of_the_definition(name: str) -> None:
    assert SETTINGS[name] == DEFINED[name]


@pytest.mark.parametrize(
    "part",
    ["name", "namespace", "executable", "capabilities", "settings_group_validation", "select"],
)
def test_the_rest_is_that_of_the_definition(part: str) -> None:
    assert EXTRACTOR[part] == DEFINITION[part]


def test_no_plugin_needs_the_hub() -> None:
    plugins = [plugin for kind in PROJECT["plugins"].values() for plugin in kind]
    assert all(plugin["namespace"] and plugin["pip_url"] for plugin in plugins)


def test_env_example_names_settings() -> None:
    lines = (Path(__file__).parent.parent / ".env.example").read_text("utf-8").splitlines()
    names = [line.split("=")[0] for line in lines if line and not line.startswith("#")]
    assert names
    assert {name.removeprefix("TAP_CONSTANTCONTACT_").lower() for name in names} <= SETTINGS.keys()
