"""Conversion of the API's values to the types that a schema declares.

A schema is compiled once into a function that converts a record: timestamps to UTC with a `Z`, IDs
to strings, numbers to numbers. It works in place, since copying every record would take as long as
converting it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

Converter = Callable[[Any], Any]
#: Called with the path of a property, and its value.
Report = Callable[[str, Any], None]

# The form that the API nearly always sends; other forms take longer.
_USUAL_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")


class ConversionError(ValueError):
    """Raised for a value that can't be converted to the type its schema declares."""


# TypeError comes from the cache of timestamps, for an array or an object.
_INVALID = (ConversionError, TypeError)


def converter(
    schema: Mapping[str, Any], invalid: Report, unknown: Report, path: str = ""
) -> Converter:
    """Return a function that converts a value to the type of its schema.

    Args:
        schema: A JSON Schema with one type, and possibly null, at every level.
        invalid: Called for each property whose value has another type and was replaced by null.
        unknown: Called for each property that isn't in the schema and was dropped.
        path: The path of the value within its record.
    """
    convert = _converter(schema, invalid, unknown, path)

    def convert_or_null(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except _INVALID:
            _report_invalid(invalid, path, value)
            return None

    return convert_or_null


def _converter(schema: Mapping[str, Any], invalid: Report, unknown: Report, path: str) -> Converter:
    kind = next(kind for kind in _listed(schema["type"]) if kind != "null")
    if kind == "object" and not _has_any_properties(schema):
        return _object(schema["properties"], invalid, unknown, path)
    if kind == "array" and "items" in schema:
        if _converter(schema["items"], invalid, unknown, path) is _string:
            return _strings
        return _array(converter(schema["items"], invalid, unknown, path))
    if kind == "string" and schema.get("format") == "date-time":
        return _timestamp
    return _CONVERTERS[kind]


def _has_any_properties(schema: Mapping[str, Any]) -> bool:
    """Return whether objects are kept whole: no property is declared, or none and any other."""
    if "properties" not in schema:
        return True
    return not schema["properties"] and schema.get("additionalProperties") is True


def _object(
    properties: Mapping[str, Any], invalid: Report, unknown: Report, path: str
) -> Converter:
    """Return a function that converts an object in place; a run spends most of its time here.

    Most values already have the right type, and cost no call.
    """
    prefix = f"{path}." if path else ""
    converters = {
        name: _converter(schema, invalid, unknown, prefix + name)
        for name, schema in properties.items()
    }
    # Removed below another object, since targets that flatten have no column for them.
    null_objects = _objects_in(properties) if path else frozenset()
    rename = _renamer(converters, unknown, prefix)
    unchanged = _unchanged_types(converters)

    def convert_object(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ConversionError
        others = []
        for name, item in value.items():
            if type(item) is unchanged.get(name):
                continue
            convert = converters.get(name)
            if convert is None or (item is None and name in null_objects):
                others.append(name)
            elif item is not None:
                try:
                    value[name] = convert(item)
                except _INVALID:
                    value[name] = None
                    _report_invalid(invalid, prefix + name, item)
        if others:
            rename(value, others, convert_object)
        return value

    return convert_object


def _renamer(
    converters: Mapping[str, Converter], unknown: Report, prefix: str
) -> Callable[[dict[str, Any], list[str], Converter], None]:
    """Return a function that renames properties to their columns, or takes them out."""

    def rename(value: dict[str, Any], names: list[str], convert_object: Converter) -> None:
        for name in names:
            item, column = value.pop(name), _snake_case(name)
            if column not in converters:
                unknown(prefix + name, item)
            elif item is not None:
                value.update(convert_object({column: item}))

    return rename


def _unchanged_types(converters: Mapping[str, Converter]) -> dict[str, type]:
    return {
        name: _UNCHANGED[convert] for name, convert in converters.items() if convert in _UNCHANGED
    }


def _objects_in(properties: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, schema in properties.items() if schema.get("properties"))


def _report_invalid(invalid: Report, path: str, value: Any) -> None:
    if value != "":  # the API's way to say "none"
        invalid(path, value)


def _array(convert_item: Converter) -> Converter:
    def convert_array(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ConversionError
        return [convert_item(item) for item in value]

    return convert_array


def _strings(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ConversionError
    return [item if type(item) is str or item is None else _string(item) for item in value]


@lru_cache(maxsize=4096)
def _timestamp(text: Any) -> str:
    """Return a timestamp as `format_timestamp` writes it; records often repeat the same one."""
    if not isinstance(text, str):
        raise ConversionError
    try:
        moment = parse_timestamp(text)
    except ValueError as error:
        raise ConversionError from error
    if usual := _USUAL_TIMESTAMP.fullmatch(text):
        return text if usual[1] else text.replace("Z", ".000Z")
    return format_timestamp(moment)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _any_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConversionError
    return value


def _any_array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ConversionError
    return value


def _number(value: Any) -> int | Decimal:
    if isinstance(value, bool):
        raise ConversionError
    try:
        number = value if isinstance(value, int) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ConversionError from error
    if isinstance(number, Decimal) and not number.is_finite():
        raise ConversionError
    return number


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    number = _number(value)
    if number != int(number):
        raise ConversionError
    return int(number)


def _boolean(value: Any) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ConversionError


_CONVERTERS: dict[str, Converter] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "object": _any_object,
    "array": _any_array,
}
#: The types that values can be converted to.
TYPES = _CONVERTERS.keys()
#: The type whose values a converter returns unchanged.
_UNCHANGED: dict[Converter, type] = {
    _string: str,
    _integer: int,
    _boolean: bool,
    _any_object: dict,
    _any_array: list,
}


def _snake_case(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
