"""plugin.yaml says of the plugin what the tap says of itself, in the words of Meltano Hub."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from importlib.metadata import entry_points

import pytest
import yaml

from tap_constantcontact.settings import validation
from tap_constantcontact.settings.schema import SETTINGS
from tools import plugin_yaml as plugin

MELTANO = (plugin.FILE.parents[1] / "docs" / "guides" / "meltano.md").read_text("utf-8")
DEFINITION = yaml.safe_load(plugin.FILE.read_text("utf-8"))

# What the hub's schema of extractors allows.
KINDS = {
    *("array", "boolean", "date_iso8601", "decimal", "email", "file", "hidden", "integer"),
    *("oauth", "object", "options", "password", "string"),
}
CAPABILITIES = {
    *("about", "activate-version", "batch", "catalog", "discover", "log-based", "properties"),
    *("schema-flattening", "state", "stream-maps", "structured-logging", "test"),
}
REQUIRED = {"name", "namespace", "variant", "label", "quality"}
# Texts of the plugin's page on the hub.
TEXTS = ("prereq", "settings_preamble", "next_steps", "usage")


@pytest.mark.e2e
def test_plugin_yaml_is_what_make_plugin_writes() -> None:
    assert plugin.FILE.read_text("utf-8") == plugin.text(), "run make plugin"


def test_plugin_yaml_has_the_form_of_the_hub() -> None:
    assert DEFINITION.keys() >= REQUIRED
    assert set(DEFINITION["capabilities"]) <= CAPABILITIES
    assert all(DEFINITION[text].strip() for text in TEXTS)
    names = [setting["name"] for setting in DEFINITION["settings"]]
    assert names == sorted(names)
    for setting in DEFINITION["settings"]:
        assert setting["kind"] in KINDS
        assert setting["label"]
        assert setting["description"]


def test_plugin_yaml_texts_name_settings_and_commands_that_exist() -> None:
    named = re.findall("`([a-z][a-z_-]+)`", " ".join(DEFINITION[text] for text in TEXTS))
    commands = entry_points(group="console_scripts").names
    assert {*named} <= {*SETTINGS.to_dict()["properties"], "select", *commands}


def test_plugin_yaml_takes_the_address_of_the_repository_from_pyproject() -> None:
    pyproject = (plugin.FILE.parents[1] / "pyproject.toml").read_text("utf-8")
    urls = '[project.urls]\nRepository = "https://example.com/tap"\n'
    assert plugin.addresses(pyproject.replace("[project.urls]\n", urls)) == {
        "repo": "https://example.com/tap",
        "pip_url": "git+https://example.com/tap.git",
    }


@pytest.mark.parametrize("group", DEFINITION["settings_group_validation"], ids="+".join)
def test_plugin_yaml_setting_groups_are_sufficient(group: list[str]) -> None:
    given = dict.fromkeys(group, "any")
    now = datetime.now(timezone.utc)
    assert list(validation.problems(given, SETTINGS.to_dict(), now, ())) == []


def test_settings_without_login_are_refused() -> None:
    now = datetime.now(timezone.utc)
    assert list(validation.problems({}, SETTINGS.to_dict(), now, ())) != []


def test_docs_have_what_meltano_drops_from_a_reference() -> None:
    """`meltano add --from-ref` keeps neither the selection nor an address."""
    section = MELTANO.partition("## In your own project")[2]
    pasted = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])
    assert pasted["select"] == DEFINITION["select"]
    assert pasted["pip_url"]
