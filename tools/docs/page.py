"""docs/reference/streams/: what each stream contains, how it is read, and what its columns mean."""

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
from tap_constantcontact.streams.events import Events
from tools.docs.diagrams import diagram_markdown, subject_diagram
from tools.docs.entities import (
    TITLES,
    alone,
    name_of,
    page_of,
    properties_of,
    schema_of,
    subject_of,
)

Stream = type[ConstantContactStream]

_FOLDER = "docs/reference/streams"
_HEAD = """\
---
hide:
- toc
---

# Streams

Each subject has a page that describes its streams: what they contain, how they are read, and what
their columns mean. `make docs` generates these pages from the schemas and the stream classes.

<div id="stream-filter"></div>

"""
_NOTES = """\
## How to read the pages

- **Requests per run**: "1 for 500 rows" is rounded up and is at least 1, so an empty list costs one
  request. "Changed" means changed since the bookmark, and includes the row with its time.
  Requests to the token endpoint are not counted.
- **Limitations**: changes that the API doesn't show. See also [Deleted
  rows](../../concepts/architecture.md#deleted-rows).
- **Columns**: all columns can be null except those of the key. A dot leads into an object, or into
  the objects of an array. Timestamps are in UTC.
"""
_DIAGRAM = """\
## How the streams are related

The streams that matter most, and the columns by which they refer to each other. References that
follow from another one have no line: a report also names the campaign of its activity. The page of
each subject has its own diagram with all columns that join, and
[constantcontact.dbml](../../diagrams/constantcontact.dbml) has them for dbdiagram.io and similar
tools.
"""
# The part of the concepts on a kind of stream; the first match is used.
_MORE: Mapping[type, str] = {
    Contacts: "contacts.md",
    EmailCampaignStats: "campaigns-and-reports.md#the-change-log",
    ActivityReport: "campaigns-and-reports.md#the-change-log",
    EmailCampaignActivityStats: "campaigns-and-reports.md#the-change-log",
    ChangedCampaignsStream: "campaigns-and-reports.md#campaigns",
    EmailCampaigns: "campaigns-and-reports.md#campaigns",
    Events: "events.md",
    PerContactStream: "contacts.md#reports-on-single-contacts",
}


def pages() -> dict[str, str]:
    """Return the files in docs/reference/streams/, by their names."""
    subjects = _by_subject().items()
    return {
        "index.md": _index(),
        **{page_of(name_of(streams[0])): _page(subject, streams) for subject, streams in subjects},
    }


def _index() -> str:
    """Return the overview of all streams."""
    apart = ", ".join(map(_linked, alone()))
    diagram = diagram_markdown("overview", f"{_FOLDER}/index.md")
    apart = f"These streams refer to no others: {apart}.\n"
    return "\n".join([f"{_HEAD}{_overview()}", _NOTES, _DIAGRAM, diagram, "", apart])


def _page(subject: str, streams: list[Stream]) -> str:
    """Return the page of a subject."""
    diagram = diagram_markdown(subject_diagram(subject), f"{_FOLDER}/{subject}.md")
    lines = [f"# {TITLES[subject]}", "", _introduction(subject), "", diagram, ""]
    for stream in streams:
        lines += _section(stream)
    return "\n".join(lines).rstrip("\n") + "\n"


def _by_subject() -> dict[str, list[Stream]]:
    subjects: dict[str, list[Stream]] = {}
    for stream in STREAMS:
        subjects.setdefault(subject_of(stream), []).append(stream)
    return subjects


def _introduction(subject: str) -> str:
    """Return the docstring of a subject's module."""
    module = sys.modules[f"tap_constantcontact.streams.{subject}"]
    return _one_line(module.__doc__ or "")


def _overview() -> str:
    """Return the table of all streams."""
    rows = map(_overview_row, (each for streams in _by_subject().values() for each in streams))
    head = "| stream | subject | key | replication | default | scope |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows, ""])


def _overview_row(stream: Stream) -> str:
    name = name_of(stream)
    return _row(
        _linked(name),
        f"[{TITLES[subject_of(stream)]}]({page_of(name)})",
        ", ".join(map(_code, stream.primary_keys)),
        _replication(stream),
        _default(stream),
        ", ".join(map(_code, stream.scopes)) or stream.requires,
    )


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
    yield from (f"## {name}", "", schema["description"], "")
    yield from ("| | |", "|---|---|")
    yield from (_row(fact, text) for fact, text in facts.items() if text)
    yield from (
        "",
        '<div class="columns" markdown="1">',
        "",
        "| column | type | |",
        "|---|---|---|",
    )
    for path, inner in properties_of(schema):
        yield _row(_code(path), type_of(inner), inner["description"])
    yield from ("", "</div>", "")


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
    for base, part in _MORE.items():
        if issubclass(stream, base):
            return f" ([more](../../concepts/{part}))"
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
    """Return a link to a stream, from another page."""
    return f"[`{name}`]({page_of(name)}#{name})"


def _with_code(text: str) -> str:
    return re.sub(r"[\w-]+(?:[_:][\w:]+)+", r"`\g<0>`", text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
