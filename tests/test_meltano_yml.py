"""meltano.yml says of the tap what plugin.yaml says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tools import plugin_yaml as plugin
from tools.lock import FOLDER

PROJECT = yaml.safe_load((Path(__file__).parent.parent / "meltano.yml").read_text("utf-8"))
(EXTRACTOR,) = PROJECT["plugins"]["extractors"]
SETTINGS = {setting["name"]: setting for setting in EXTRACTOR["settings"]}
DEFINITION = yaml.safe_load(plugin.FILE.read_text("utf-8"))
DEFINED = {
    setting["name"]: setting
    for setting in DEFINITION["settings"]
    if setting["name"] in SETTINGS or not setting["name"].startswith(plugin.SETTINGS_OF_THE_SDK)
}


def test_meltano_yml_has_every_setting_in_alphabetical_order() -> None:
    assert list(SETTINGS) == list(DEFINED)


def test_meltano_yml_settings_are_those_of_plugin_yaml() -> None:
    assert [name for name in DEFINED if SETTINGS[name] != DEFINED[name]] == []


def test_meltano_yml_facts_are_those_of_plugin_yaml() -> None:
    parts = [
        "name",
        "namespace",
        "executable",
        "capabilities",
        "settings_group_validation",
        "select",
    ]
    assert {part: EXTRACTOR[part] for part in parts} == {part: DEFINITION[part] for part in parts}


def test_meltano_yml_plugins_do_not_need_the_hub() -> None:
    plugins = [plugin for kind in PROJECT["plugins"].values() for plugin in kind]
    assert all(plugin["namespace"] and plugin["pip_url"] for plugin in plugins)


def test_loaders_are_pinned_to_the_versions_that_the_checks_install() -> None:
    installed = [path.read_text("utf-8").splitlines() for path in FOLDER.glob("target-*.txt")]
    compared = 0
    for loader in PROJECT["plugins"]["loaders"]:
        pins = loader["pip_url"].split()
        assert [pin for pin in pins if not re.fullmatch(r"[\w-]+==[\w.]+", pin)] == []
        package = pins[0].partition("==")[0]
        for lines in installed:
            if any(line.startswith(f"{package}==") for line in lines):
                assert {*pins} <= {*lines}
                compared += 1
    assert compared > 1
