"""The part of a record that is written: what the SCHEMA message of its stream declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tap_constantcontact.output.conversion import TYPES, Converter, Report, converter

Schema = Mapping[str, Any]


def nulls_of(schema: Schema) -> dict[str, None]:
    """Return a record in which every property that can be null is null."""
    return {name: None for name, each in schema["properties"].items() if "null" in _types(each)}


def lacking(own: Schema, given: Schema, path: str = "") -> Iterator[str]:
    """Yield the paths of properties that a schema has and another one lacks.

    Args:
        own: The schema.
        given: The other one. An object or an array without an inner schema lacks nothing.
        path: The path of the schemas within those of the record.
    """
    if "items" in own and "items" in given:
        yield from lacking(own["items"], given["items"], path)
    elif "properties" in own and "properties" in given:
        for name, each in own["properties"].items():
            if name in given["properties"]:
                yield from lacking(each, given["properties"][name], f"{path}{name}.")
            else:
                yield f"{path}{name}"


def projection(own: Schema, written: Schema, invalid: Report) -> Converter | None:
    """Return a function that returns the part of a record to write, or None if it is all of it.

    The record itself stays as it is: child streams and other streams need the rest, too.

    Args:
        own: The schema that records are converted to.
        written: The schema of the SCHEMA message. It may lack properties, have others (they are
            null), and have other types.
        invalid: Called for each property whose value does not fit another type.
    """
    others = written["properties"].keys() - own["properties"].keys()
    absent = {name: None for name in nulls_of(written) if name in others}
    project = _projection(own, written, invalid)
    if not absent:
        return project
    return lambda record: {**absent, **(project(record) if project else record)}


def without_null_objects(schema: Schema) -> Converter | None:
    """Return a function that leaves out objects that are null, or None if there are no objects.

    Targets that flatten with the SDK, such as target-csv, keep an object that is null under its own
    name, for which they have no column. A value that is missing is loaded as null.

    Args:
        schema: The schema of the records.
    """
    objects = [name for name, each in schema["properties"].items() if each.get("properties")]

    def leave_out(record: Any) -> Any:
        written = record
        for name in objects:
            if written.get(name, schema) is None:
                if written is record:
                    written = record.copy()
                del written[name]
        return written

    return leave_out if objects else None


def fitting(schema: Schema) -> Converter:
    """Return a function that returns a flattened record with exactly the columns of its schema.

    The SDK keeps an object that is null under its own name, and has no column below it.
    """
    columns, nulls = schema["properties"], nulls_of(schema)
    return lambda record: {
        **nulls,
        **{name: value for name, value in record.items() if name in columns},
    }


def _projection(own: Schema, written: Schema, invalid: Report, path: str = "") -> Converter | None:
    kinds = _types(written) - {"null"}
    if kinds and not kinds & _types(own):
        return converter(written, invalid, _ignore, path) if kinds <= TYPES else None
    if own.get("properties") and "properties" in written:
        return _object(own["properties"], written["properties"], invalid, path)
    if "items" in own and "items" in written:
        project = _projection(own["items"], written["items"], invalid, path)
        return project and (lambda value: value and [project(item) for item in value])
    return None


def _object(
    own: Mapping[str, Schema], written: Mapping[str, Schema], invalid: Report, path: str
) -> Converter | None:
    prefix = f"{path}." if path else ""
    inner = {
        name: _projection(own[name], each, invalid, prefix + name) if name in own else None
        for name, each in written.items()
    }
    never_null = {
        name
        for name in own.keys() & written.keys()
        if "null" in _types(own[name]) and "null" not in (_types(written[name]) or {"null"})
    }
    if own.keys() <= written.keys() and not never_null and not any(inner.values()):
        return None

    def project(value: Any) -> Any:
        if value is None:
            return None
        return {
            name: each(value[name]) if each else value[name]
            for name, each in inner.items()
            if name in value and not (value[name] is None and name in never_null)
        }

    return project


def _types(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    return {types} if isinstance(types, str) else {*types}


def _ignore(_: str, __: Any) -> None:
    """Ignore a property that the schema of another type lacks."""
