"""docs/streams.md: what each stream is, how it is read, and what its columns hold."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import notes_of
from tap_constantcontact.permissions import required_permissions
from tap_constantcontact.streams import STREAMS
from tap_constantcontact.streams.bases import OldestChangeFirstStream
from tap_constantcontact.streams.campaign_stats import (
    CounterStream,
    EmailCampaignActivityStats,
    EmailCampaignStats,
)
from tap_constantcontact.streams.campaigns import ChangedCampaignsStream, EmailCampaigns
from tap_constantcontact.streams.contact_reports import PerContactStream
from tap_constantcontact.streams.contacts import Contacts
from tap_constantcontact.streams.engagement import ActivityReport
from tools.docs.diagram import mermaid
from tools.docs.entities import alone, name_of, properties_of, references_of, schema_of

Stream = type[ConstantContactStream]

_HEAD = """\
# Streams

What a row of each stream is, where it comes from, how it is read, and what its columns hold.
[How streams are read](behavior.md) explains the ways of reading, and what a whole run costs.

This page is made of the schemas and the stream classes by `make docs`.

- **Requests in a run**: a division is rounded up and is at least one, so that a list costs a
  request even if it is empty. "Changed" is what has changed since the bookmark, with the row that
  the bookmark was taken from. Requests to the token endpoint are not counted.
- **Not seen**: what the API does not show a run; [what tells rows that
  stay](behavior.md#all-streams).
- **Columns**: each can be null but those of the key. A point leads into an object, and into the
  objects of an array. Timestamps are in UTC.
"""
_DIAGRAM = """\
## How they belong together

An arrow leads from a stream to the one whose rows it names, by the column beside it; streams that
name the same others share a box. What follows from another arrow is left out: a report also names
the campaign of its activity. Each subject below has its part of it with all keys.

[![The streams, and how they refer to each other](streams.svg)](streams.svg)

"""
# None is the name of a stream, which is a heading too.
_TITLES = {
    "account": "The account",
    "contacts": "Contacts, lists and segments",
    "campaigns": "Email campaigns",
    "campaign_stats": "Counters of campaigns",
    "engagement": "Reports on campaigns",
    "sms": "SMS",
    "events": "Events and registrations",
    "automations": "Marketing automation",
    "social": "Social networks",
    "landing_pages": "Landing pages",
    "xrefs": "Ids of the V2 API",
    "partner": "Partners",
    "contact_reports": "Reports on single contacts",
}
# Where behavior.md says more; the first that fits.
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
    """Return what docs/streams.md has to hold."""
    lines = [_HEAD, *_overview(), "", _DIAGRAM.rstrip("\n"), ""]
    apart = ", ".join(map(_linked, alone()))
    lines += [f"These have nothing to do with others: {apart}.", ""]
    for subject, streams in _by_subject().items():
        lines += [f"## {_TITLES[subject]}", "", _introduction(subject), ""]
        lines += _relations([name_of(stream) for stream in streams])
        for stream in streams:
            lines += _section(stream)
    return "\n".join(lines).rstrip("\n") + "\n"


def _by_subject() -> dict[str, list[Stream]]:
    subjects: dict[str, list[Stream]] = {}
    for stream in STREAMS:
        subjects.setdefault(stream.__module__.rpartition(".")[2], []).append(stream)
    return subjects


def _introduction(subject: str) -> str:
    """Return what the file of a subject says of itself."""
    module = sys.modules[f"tap_constantcontact.streams.{subject}"]
    return _one_line(module.__doc__ or "")


def _overview() -> Iterator[str]:
    """Yield the table of all streams."""
    yield "| stream | key | replication | selected by default |"
    yield "|---|---|---|---|"
    for subject, streams in _by_subject().items():
        title = _TITLES[subject]
        yield f"| **[{title}](#{_anchor(title)})** | | | |"
        for stream in streams:
            keys = ", ".join(map(_code, stream.primary_keys))
            cells = (_linked(name_of(stream)), keys, _replication(stream), _default(stream))
            yield _row(*cells)


def _relations(names: list[str]) -> list[str]:
    """Return the diagram of the streams of a subject, where they refer to any."""
    if not any(map(references_of, names)):
        return []
    return ["```mermaid", mermaid(names).rstrip("\n"), "```", ""]


def _section(stream: Stream) -> Iterator[str]:
    """Yield what there is to say of a stream."""
    name = name_of(stream)
    schema, notes = schema_of(name), notes_of(stream)
    facts = {
        "endpoint": _endpoint(stream),
        "key": ", ".join(map(_code, stream.primary_keys)),
        "replication": _replication(stream),
        "reads": f"{notes.reads}{_more(stream)}",
        "requests in a run": cost_of(stream),
        "not seen": notes.limitations,
        "needs": _with_code(required_permissions(cast("Any", stream))),
        "selected by default": _default(stream),
    }
    yield from (f"### {name}", "", schema["description"], "")
    yield from ("| | |", "|---|---|")
    yield from (_row(fact, said) for fact, said in facts.items() if said)
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
    """Return the paths that are asked for, with the vendor's names of the operations."""
    own: str = cast("Any", stream).path  # the SDK declares it for instances
    ids = "/{ids}" if issubclass(stream, CounterStream) else ""
    paths = [path for path in (own + ids, stream.detail_path) if path]
    operations = re.search(r"\(([^()]+)\)\.$", _one_line((stream.__doc__ or "").split("\n\n")[0]))
    named = f" ({operations[1]})" if operations else ""
    return " and ".join(f"`GET {path}`" for path in paths) + named


def cost_of(stream: Stream) -> str:
    """Return what a stream costs: what its class says, or what follows from its attributes."""
    if cost := notes_of(stream).cost:
        return cost
    limit = stream.params.get("limit")
    kind = "changed rows" if getattr(stream, "since_param", None) else "rows"
    rows = f"1 for {limit:,} {kind}" if limit else "1"
    changed = " that has changed" if issubclass(stream, OldestChangeFirstStream) else ""
    return f"{rows}, and 1 for each{changed}" if stream.detail_path else rows


def _more(stream: Stream) -> str:
    for base, anchor in _MORE.items():
        if issubclass(stream, base):
            return f" ([more](behavior.md#{anchor}))"
    return ""


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a column, in a word or two."""
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
    return re.sub(r"\w+(?:[_:][\w:]+)+", r"`\g<0>`", text)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _one_line(text: str) -> str:
    return " ".join(text.split())
