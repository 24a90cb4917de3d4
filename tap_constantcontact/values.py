"""Values that every target takes, made from what the API sends.

A schema is turned once into a function that brings a record into the types it declares: UTC
timestamps that end in `Z`, ids as texts, numbers as numbers. It works in place: copies of all
records would cost as much as bringing them into their types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

Cleaner = Callable[[Any], Any]
#: Is told the path of a property, and its value.
Report = Callable[[str, Any], None]

# PostgreSQL refuses NUL in text, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_RELATIVE = re.compile(r"-(\d+)([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
# The form that the API sends nearly always; the rest takes more time.
_USUAL_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_MILLISECOND = 1000


class Misfit(ValueError):
    """A value that has no place in the type its schema declares."""


# An array or an object where a timestamp should be is refused by its cache.
_MISFITS = (Misfit, TypeError)


def cleaner(schema: Mapping[str, Any], misfit: Report, unknown: Report, path: str = "") -> Cleaner:
    """Return a function that brings a value into the type of its schema.

    Args:
        schema: a JSON Schema with one type beside null at every level.
        misfit: is told of each property whose value has another type and became null.
        unknown: is told of each property that the schema lacks, and that is left out.
        path: the path of the value within its record.
    """
    convert = _converter(schema, misfit, unknown, path)

    def clean(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except _MISFITS:
            _report_misfit(misfit, path, value)
            return None

    return clean


def timestamp(moment: datetime) -> str:
    """Return an aware moment in UTC with a `Z`: to the millisecond, finer only where it is finer.

    The API's times have milliseconds at most (seen), so that texts of one width keep the order of
    time, which is how the SDK compares them.
    """
    utc = moment if moment.tzinfo is timezone.utc else moment.astimezone(timezone.utc)
    finest = "microseconds" if utc.microsecond % _MILLISECOND else "milliseconds"
    return utc.isoformat(timespec=finest).removesuffix("+00:00") + "Z"


def parse_timestamp(text: str) -> datetime:
    """Return the moment that a text names; one without an offset is taken as UTC.

    Raises:
        Misfit: the text names no moment (empty, 30 February, …).
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise Misfit(text) from error


def parse_start(text: str, now: datetime) -> datetime:
    """Return the moment of a date, a timestamp, or a time before now such as `-30d`.

    Args:
        text: an ISO 8601 date or timestamp, or `-` with a number of hours, days or weeks.
        now: what a relative time counts from.

    Raises:
        Misfit: the text is none of these.
    """
    relative = _RELATIVE.fullmatch(text.strip())
    if relative is None:
        return parse_timestamp(text)
    try:
        return now - timedelta(**{_UNITS[relative[2]]: int(relative[1])})
    except OverflowError as error:
        raise Misfit(text) from error


def without_unstorable(value: Any) -> Any:
    """Return a value of any shape whose texts have no characters that databases refuse."""
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("", name): without_unstorable(value[name]) for name in value}
    if isinstance(value, list):
        return [without_unstorable(item) for item in value]
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else value


def _converter(schema: Mapping[str, Any], misfit: Report, unknown: Report, path: str) -> Cleaner:
    kind = next(kind for kind in _listed(schema["type"]) if kind != "null")
    if kind == "object" and "properties" in schema:
        return _object(schema["properties"], misfit, unknown, path)
    if kind == "array" and "items" in schema:
        if _converter(schema["items"], misfit, unknown, path) is _string:
            return _texts
        return _array(cleaner(schema["items"], misfit, unknown, path))
    if kind == "string" and schema.get("format") == "date-time":
        return _normal_timestamp
    return _CONVERTERS[kind]


def _object(properties: Mapping[str, Any], misfit: Report, unknown: Report, path: str) -> Cleaner:
    """Return what cleans an object in place: the part that most of the time of a run is spent in.

    Most values have the one type that needs no conversion, so that they cost no call.
    """
    prefix = f"{path}." if path else ""
    converters = {
        name: _converter(schema, misfit, unknown, prefix + name)
        for name, schema in properties.items()
    }
    fitting = {
        name: _FITTING[convert] for name, convert in converters.items() if convert in _FITTING
    }

    def clean_object(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Misfit
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
                except _MISFITS:
                    value[name] = None
                    _report_misfit(misfit, prefix + name, item)
        for name in others:
            item, column = value.pop(name), _snake_case(name)
            if column in converters:
                value.update(clean_object({column: item}))
            else:
                unknown(prefix + name, item)
        return value

    return clean_object


def _report_misfit(misfit: Report, path: str, value: Any) -> None:
    if value != "":  # an empty text says "none" and is no surprise
        misfit(path, value)


def _array(clean_item: Cleaner) -> Cleaner:
    def clean_array(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Misfit
        return [clean_item(item) for item in value]

    return clean_array


def _texts(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Misfit
    return [item if type(item) is str or item is None else _string(item) for item in value]


@lru_cache(maxsize=4096)
def _normal_timestamp(text: Any) -> str:
    """Return a timestamp in the form of `timestamp`; one record often has the same time often."""
    if not isinstance(text, str):
        raise Misfit
    try:
        moment = parse_timestamp(text)
        if usual := _USUAL_TIMESTAMP.fullmatch(text):
            return text if usual[1] else text.replace("Z", ".000Z")
        return timestamp(moment)
    except OverflowError as error:
        raise Misfit from error


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
        raise Misfit
    try:
        number = value if isinstance(value, int) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Misfit from error
    if isinstance(number, Decimal) and not number.is_finite():
        raise Misfit
    return number


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    number = _number(value)
    if number != int(number):
        raise Misfit
    return int(number)


def _boolean(value: Any) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise Misfit


_CONVERTERS: dict[str, Cleaner] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "object": _anything,
    "array": _anything,
}
#: The type whose values a converter leaves as they are.
_FITTING: dict[Cleaner, type] = {_string: str, _integer: int, _boolean: bool}


def _snake_case(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
