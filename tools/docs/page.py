"""docs/streams.md: what each stream contains, how it is read, and what its columns mean."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import notes_of
from tap_constantcontact.permissions import required_permissions
from tap_constantcontact.streams import STREAMS
from tap_constantcontact.streams.campaign_stats import (
    CounterStream,
    EmailCampaignActivityStats,
    EmailCampaignStats,
)
from tap_constantcontact.streams.campaigns import ChangedCampaignsStream, EmailCampaigns
from tap_constantcontact.streams.contact_reports import PerContactStream
from tap_constantcontact.streams.contacts import Contacts
from tap_constantcontact.streams.engagement import ActivityReport
from tools.docs.diagrams import diagram_markdown, subject_diagram
from tools.docs.entities import TITLES, alone, name_of, properties_of, schema_of

Stream = type[ConstantContactStream]

_PAGE = "docs/streams.md"
_HEAD = """\
# Streams

What each stream contains, where it comes from, how it is read, and what its columns mean.
[How streams are read](behavior.md) explains how changes are found, and what a whole run costs.

`make docs` generates this page from the schemas and the stream classes.

- **Requests per run**: "1 for 500 rows" is rounded up and is at least 1, so an empty list costs a
  request too. "Changed" means changed since the bookmark, and includes the row that the bookmark
  came from. Requests to the token endpoint are not counted.
- **Limitations**: changes that the API does not show. See [how to find rows that
  stay](behavior.md#all-streams).
- **Columns**: all columns can be null except those of the key. A dot leads into an object, or into
  the objects of an array. Timestamps are in UTC.
"""
_DIAGRAM = """\
## How the streams are related

The streams that matter most, and the columns by which they refer to each other. References that
follow from another one have no line: a report also names the campaign of its activity. Each subject
below has its own diagram with all columns that join, and
[constantcontact.dbml](diagrams/constantcontact.dbml) has them for dbdiagram.io and similar tools.
"""
# The section of behavior.md on a kind of stream; the first match is used.
_MORE: Mapping[type, str] = {
    Contacts: "contacts",
    EmailCampaignStats: "the-change-log",
    ActivityReport: "the-change-log",
    EmailCampaignActivityStats: "the-change-log",
    ChangedCampaignsStream: "campaigns",
    EmailCampaigns: "campaigns",
    PerContactStream: "cycles",
}


def markdown() -> str:
    """Return the content of docs/streams.md."""
    lines = [_HEAD, *_overview(), "", _DIAGRAM, diagram_markdown("overview", _PAGE), ""]
    apart = ", ".join(map(_linked, alone()))
    lines += [f"These streams refer to no others: {apart}.", ""]
    for subject, streams in _by_subject().items():
        lines += [f"## {TITLES[subject]}", "", _introduction(subject), ""]
        lines += [diagram_markdown(subject_diagram(subject), _PAGE), ""]
        for stream in streams:
            lines += _section(stream)
    return "\n".join(lines).rstrip("\n") + "\n"


def _by_subject() -> dict[str, list[Stream]]:
    subjects: dict[str, list[Stream]] = {}
    for stream in STREAMS:
        subjects.setdefault(stream.__module__.rpartition(".")[2], []).append(stream)
    return subjects


def _introduction(subject: str) -> str:
    """Return the docstring of a subject's module."""
    module = sys.modules[f"tap_constantcontact.streams.{subject}"]
    return _one_line(module.__doc__ or "")


def _overview() -> Iterator[str]:
    """Yield the table of all streams."""
    yield "| stream | key | replication | selected by default |"
    yield "|---|---|---|---|"
    for subject, streams in _by_subject().items():
        title = TITLES[subject]
        yield f"| **[{title}](#{_anchor(title)})** | | | |"
        for stream in streams:
            keys = ", ".join(map(_code, stream.primary_keys))
            cells = (_linked(name_of(stream)), keys, _replication(stream), _default(stream))
            yield _row(*cells)


def _section(stream: Stream) -> Iterator[str]:
    """Yield the section on a stream."""
    name = name_of(stream)
    schema, notes = schema_of(name), notes_of(stream)
    facts = {
        "endpoint": _endpoint(stream),
        "key": ", ".join(map(_code, stream.primary_keys)),
        "replication": _replication(stream),
        "reads": f"{notes.reads}{_more(stream)}",
        "requests per run": cost_of(stream),
        "limitations": notes.limitations,
        "requires": _with_code(required_permissions(cast("Any", stream))),
        "selected by default": _default(stream),
    }
    yield from (f"### {name}", "", schema["description"], "")
    yield from ("| | |", "|---|---|")
    yield from (_row(fact, text) for fact, text in facts.items() if text)
    yield from ("", "| column | type | |", "|---|---|---|")
    for path, inner in properties_of(schema):
        yield _row(_code(path), type_of(inner), inner["description"])
    yield ""


def _replication(stream: Stream) -> str:
    by = stream.replication_key
    return f"incremental by `{by}`" if isinstance(by, str) else "full table"


def _default(stream: Stream) -> str:
    return "yes" if stream.selected_by_default else "no"


def _endpoint(stream: Stream) -> str:
    """Return the requested paths, with the vendor's names of the operations."""
    own: str = cast("Any", stream).path  # the SDK declares it for instances
    ids = "/{ids}" if issubclass(stream, CounterStream) else ""
    paths = [path for path in (own + ids, stream.detail_path) if path]
    operations = re.search(r"\(([^()]+)\)\.$", _one_line((stream.__doc__ or "").split("\n\n")[0]))
    named = f" ({operations[1]})" if operations else ""
    return " and ".join(f"`GET {path}`" for path in paths) + named


def cost_of(stream: Stream) -> str:
    """Return the requests that a stream makes: from its notes, or derived from its attributes."""
    if cost := notes_of(stream).cost:
        return cost
    limit = stream.params.get("limit")
    lists_changed = bool(getattr(stream, "since_param", None))
    rows = f"1 for {limit:,} {'changed rows' if lists_changed else 'rows'}" if limit else "1"
    if not stream.detail_path:
        return rows
    return f"{rows}, and 1 for each {'of them' if lists_changed else 'changed row'}"


def _more(stream: Stream) -> str:
    for base, anchor in _MORE.items():
        if issubclass(stream, base):
            return f" ([more](behavior.md#{anchor}))"
    return ""


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a column in a few words."""
    kind: str = _kind(schema)
    if kind == "array":
        items = schema.get("items", {})
        return f"array of {_kind(items)}s" if items else "array"
    return "timestamp" if schema.get("format") == "date-time" else kind


def _kind(schema: Mapping[str, Any]) -> str:
    kinds: str | list[str] = schema["type"]
    listed = [kinds] if isinstance(kinds, str) else kinds
    return next(kind for kind in listed if kind != "null")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`"


def _linked(name: str) -> str:
    return f"[`{name}`](#{_anchor(name)})"


def _with_code(text: str) -> str:
    return re.sub(r"[\w-]+(?:[_:][\w:]+)+", r"`\g<0>`", text)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _one_line(text: str) -> str:
    return " ".join(text.split())
