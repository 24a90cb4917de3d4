"""Values that every target takes, made from what the API sends.

A schema is turned once into a function that brings a record into the types it declares: UTC
timestamps that end in `Z`, ids as texts, numbers as numbers. It works in place: copies of all
records would cost as much as bringing them into their types.
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
#: Is told the path of a property, and its value.
Report = Callable[[str, Any], None]

# The form that the API sends nearly always; the rest takes more time.
_USUAL_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")


class ConversionError(ValueError):
    """A value that has no place in the type its schema declares."""


# An array or an object where a timestamp should be is refused by its cache.
_INVALID = (ConversionError, TypeError)


def converter(
    schema: Mapping[str, Any], invalid: Report, unknown: Report, path: str = ""
) -> Converter:
    """Return a function that brings a value into the type of its schema.

    Args:
        schema: a JSON Schema with one type beside null at every level.
        invalid: is told of each property whose value has another type and became null.
        unknown: is told of each property that the schema lacks, and that is left out.
        path: the path of the value within its record.
    """
    convert = _converter(schema, invalid, unknown, path)

    def clean(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except _INVALID:
            _report_invalid(invalid, path, value)
            return None

    return clean


def _converter(schema: Mapping[str, Any], invalid: Report, unknown: Report, path: str) -> Converter:
    kind = next(kind for kind in _listed(schema["type"]) if kind != "null")
    if kind == "object" and "properties" in schema:
        return _object(schema["properties"], invalid, unknown, path)
    if kind == "array" and "items" in schema:
        if _converter(schema["items"], invalid, unknown, path) is _string:
            return _texts
        return _array(converter(schema["items"], invalid, unknown, path))
    if kind == "string" and schema.get("format") == "date-time":
        return _normal_timestamp
    return _CONVERTERS[kind]


def _object(
    properties: Mapping[str, Any], invalid: Report, unknown: Report, path: str
) -> Converter:
    """Return what cleans an object in place: the part that most of the time of a run is spent in.

    Most values have the one type that needs no conversion, so that they cost no call.
    """
    prefix = f"{path}." if path else ""
    converters = {
        name: _converter(schema, invalid, unknown, prefix + name)
        for name, schema in properties.items()
    }
    fitting = {
        name: _FITTING[convert] for name, convert in converters.items() if convert in _FITTING
    }

    def clean_object(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ConversionError
        others = []
        for name, item in value.items():
            if type(item) is fitting.get(name):
                continue
            convert = converters.get(name)
            if convert is None:
                others.append(name)
            elif item is not None:
                try:
                    value[name] = convert(item)
                except _INVALID:
                    value[name] = None
                    _report_invalid(invalid, prefix + name, item)
        for name in others:
            item, column = value.pop(name), _snake_case(name)
            if column in converters:
                value.update(clean_object({column: item}))
            else:
                unknown(prefix + name, item)
        return value

    return clean_object


def _report_invalid(invalid: Report, path: str, value: Any) -> None:
    if value != "":  # an empty text says "none" and is no surprise
        invalid(path, value)


def _array(clean_item: Converter) -> Converter:
    def clean_array(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ConversionError
        return [clean_item(item) for item in value]

    return clean_array


def _texts(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ConversionError
    return [item if type(item) is str or item is None else _string(item) for item in value]


@lru_cache(maxsize=4096)
def _normal_timestamp(text: Any) -> str:
    """Return a timestamp in the form of `timestamp`; one record often has the same time often."""
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


def _anything(value: Any) -> Any:
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
    "object": _anything,
    "array": _anything,
}
#: The type whose values a converter leaves as they are.
_FITTING: dict[Converter, type] = {_string: str, _integer: int, _boolean: bool}


def _snake_case(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
