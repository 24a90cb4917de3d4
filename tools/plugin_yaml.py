"""The plugin definition for Meltano Hub: `make plugin` writes it to plugin.yaml.

It consists of the tap's `--about` and `--discover`, and of the fixed properties below.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent.parent / "plugin.yaml"

# The SDK's own settings, which every tap has.
SETTINGS_OF_THE_SDK = ("batch", "faker", "flattening", "stream_map")

HEAD = """\
# The definition of this plugin for Meltano; `make plugin` makes it of what the tap tells of itself.
# Whoever publishes it adds `repo` and `pip_url`, the repository's address.
"""

# The hub sets the quality; the variant is the name under which a repository is published there.
FIXED = {
    "domain_url": "https://developer.constantcontact.com/api_reference/index.html",
    "keywords": ["api", "meltano_sdk"],
    "label": "Constant Contact",
    "maintenance_status": "beta",
    "quality": "unknown",
    "settings_group_validation": [["client_id", "refresh_token"], ["access_token"]],
    "variant": "original",
}

FILES = ("token_store",)  # settings with the path of a file: to the tap they are strings


def definition() -> dict[str, Any]:
    """Return the definition, from the output of the tap's commands."""
    about = _output_of("--about", "--format=json")
    settings = about["settings"]["properties"]
    return {
        **FIXED,
        "name": about["name"],
        "namespace": about["name"].replace("-", "_"),
        "executable": about["name"],
        "description": about["description"],
        "capabilities": sorted(about["capabilities"]),
        "supported_python_versions": about["supported_python_versions"],
        "settings": [_setting(name, settings[name]) for name in sorted(settings)],
        "select": [f"{name}.*" for name in sorted(_selected_by_default())],
    }


def text() -> str:
    """Return the content of plugin.yaml."""
    return HEAD + yaml.safe_dump(definition(), allow_unicode=True, width=100)


def _setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    options = schema.get("enum", [])
    kind = "options" if options else "file" if name in FILES else schema["type"][0]
    found = {
        "name": name,
        "kind": kind,
        "value": schema.get("default"),
        "label": schema["title"],
        "description": schema["description"],
        "options": [{"label": option.capitalize(), "value": option} for option in options],
        "sensitive": schema.get("secret"),
    }
    return {key: value for key, value in found.items() if value not in (None, [])}


def _selected_by_default() -> list[str]:
    return [
        stream["tap_stream_id"]
        for stream in _output_of("--discover")["streams"]
        for entry in stream["metadata"]
        if entry["breadcrumb"] == [] and entry["metadata"]["selected-by-default"]
    ]


def _output_of(*arguments: str) -> Any:
    command = [sys.executable, "-m", "tap_constantcontact", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
