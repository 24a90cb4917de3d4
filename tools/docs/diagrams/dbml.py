"""The streams and their relations in DBML, for dbdiagram.io and other drawing programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.docs.entities import key_of, keys_of, references_of, schema_of, subjects

_HEAD = """\
// The streams of tap-constantcontact with the columns that join. `make docs` writes this file.
Project constantcontact {
  database_type: 'Generic'
}
"""


def text() -> str:
    """Return the content of the file."""
    names = [name for some in subjects().values() for name in some]
    lines = [_HEAD]
    for name in names:
        lines += _table(name)
    for name in names:
        lines += _references(name)
    for subject, some in subjects().items():
        lines += ["", f"TableGroup {subject} {{", *(f"  {name}" for name in some), "}"]
    return "\n".join(lines) + "\n"


def _table(name: str) -> Iterator[str]:
    """Yield a table with the key, and with the columns that refer to others."""
    keys, properties = keys_of(name), schema_of(name)["properties"]
    columns = dict.fromkeys([*keys, *(each.in_column for each in references_of(name))])
    yield f"Table {name} {{"
    for column in columns:
        marks = " [pk]" if [column] == [*keys] else " [not null]" if column in keys else ""
        yield f"  {column} {_type_of(properties[column])}{marks}"
    if len(keys) > 1:
        yield from ("", "  indexes {", f"    ({', '.join(keys)}) [pk]", "  }")
    yield from (f"  Note: '{_escaped(schema_of(name)['description'])}'", "}", "")


def _references(name: str) -> Iterator[str]:
    """Yield the relations of a stream: many to one, one to one, or many to many."""
    for each in references_of(name):
        sign = "<>" if each.is_many else "-" if each.is_key else ">"
        yield f"Ref: {name}.{each.in_column} {sign} {each.target}.{key_of(each.target)}"


def _type_of(schema: Mapping[str, Any]) -> str:
    kinds: str | list[str] = schema["type"]
    kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
    if kind == "array":
        return "array"
    return "timestamp" if schema.get("format") == "date-time" else kind


def _escaped(content: str) -> str:
    return " ".join(content.split()).replace("\\", "\\\\").replace("'", "\\'")
