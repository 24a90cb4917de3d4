"""Values of settings that are given as text, as in the environment, or with another spelling.

A text that has no value of the setting's type stays as it is, so that the validation refuses it in
the same words as any other wrong value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from tap_constantcontact.settings.choices import CONTACT_STATUSES

_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "enabled", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "disabled", "0"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
# Lists of statuses in which "all" is the same as no list, as contact_status has it.
_FILTERS = ("campaign_status", "event_status")
_ALL = "all"


def convert_texts(config: MutableMapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Replace texts by the values that they stand for.

    Args:
        config: The settings as given.
        schema: The tap's whole schema of settings.
    """
    for name in config.keys() & schema["properties"].keys():
        config[name] = _converted(config[name], schema["properties"][name])
    for name in _FILTERS:
        if [*map(_spelled, config.get(name) or ())] == [_ALL]:
            del config[name]
    if "contact_status" in config:
        config["contact_status"] = _joined(config["contact_status"])


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type that a schema declares, except null."""
    declared = schema.get("type", [])
    types = [declared] if isinstance(declared, str) else declared
    return next((each for each in types if each != "null"), "")


def _converted(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return what a value stands for in a setting, or in an item of one."""
    type_ = type_of(schema)
    if isinstance(value, str):
        value = value.strip()
        if "enum" in schema:
            return _chosen(value, schema["enum"])
        if type_ == "boolean":
            return _BOOLEANS.get(value.lower(), value)
        if type_ == "integer":
            return int(value) if _INTEGER.fullmatch(value) else value
        if type_ == "object":
            return _parsed(value, dict)
        if type_ == "array":
            value = _list_of(value, schema["items"])
    if type_ == "array" and isinstance(value, list):
        return [_converted(item, schema["items"]) for item in value]
    return value


def _list_of(text: str, items: Mapping[str, Any]) -> Any:
    """Return the list that a text is, in JSON or with commas, or the text if it is not one."""
    if text.startswith(("[", "{")) or type_of(items) == "object":
        return _parsed(text, list)
    return [item.strip() for item in text.split(",") if item.strip()] or text


def _parsed(text: str, type_: type[object]) -> Any:
    """Return the value of a type that a text is in JSON, or the text if it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, type_) else text


def _joined(given: Any) -> Any:
    """Return the statuses of contacts, which may be a list, as a text with commas."""
    listed = _list_of(given, {}) if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return given
    return ",".join(_chosen(each, CONTACT_STATUSES) for each in listed)


def _chosen(text: str, accepted: Iterable[Any]) -> Any:
    """Return which accepted value a text means, or the text if it means none."""
    return next((each for each in accepted if _spelled(each) == _spelled(text)), text)


def _spelled(value: Any) -> str:
    """Return a value as text without case, and with underscores between words."""
    return re.sub(r"[\s-]+", "_", str(value).strip().lower())
