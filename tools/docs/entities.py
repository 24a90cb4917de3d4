"""What the rows of one stream have to do with those of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.schema import SCHEMAS
from tap_constantcontact.streams import STREAMS

#: Columns, and properties in them, that hold the key of another stream's row, or a list of keys.
TARGETS = {
    "contact_id": "contacts",
    "list_id": "contact_lists",
    "list_memberships": "contact_lists",
    "contact_list_ids": "contact_lists",
    "tag_id": "contact_tags",
    "taggings": "contact_tags",
    "custom_field_id": "contact_custom_fields",
    "segment_id": "segments",
    "segment_ids": "segments",
    "campaign_id": "email_campaigns",
    "campaign_activity_id": "email_campaign_activities",
    "event_id": "events",
    "registration_id": "event_registrations",
    "encoded_account_id": "partner_accounts",
}
#: Columns with such a name that are no references. Most are keys of something else.
OTHERS = {
    ("account", "encoded_account_id"),
    ("email_campaigns", "campaign_activities.campaign_activity_id"),  # activities refer back
    ("events", "campaign_id"),  # the event's own
    ("events", "default_track.campaign_activity_id"),
    ("events", "event_promotions.campaign_activity_id"),
    ("sms_campaign_summaries", "campaign_id"),
}
_OF_LANDING_PAGES = "landing_page_"
# Deeper properties (in the definitions of automations) are not about the row.
_DEEPEST = 2


class Reference(NamedTuple):
    """A column, or a property in it, that refers to a row of another stream.

    Attributes:
        column: Its path.
        target: The other stream.
        is_many: Whether a row can refer to several rows.
        is_key: Whether it is the whole key, so that no two rows refer to the same row.
    """

    column: str
    target: str
    is_many: bool
    is_key: bool


class Group(NamedTuple):
    """Streams that refer to the same others in the same way.

    Attributes:
        streams: Their names.
        references: Their references.
    """

    streams: tuple[str, ...]
    references: tuple[Reference, ...]


@cache
def schema_of(name: str) -> dict[str, Any]:
    """Return the schema of a stream."""
    schema: dict[str, Any] = SCHEMAS.fetch_schema(name)
    return schema


def name_of(stream: type[ConstantContactStream]) -> str:
    """Return the name of a stream."""
    name: str = vars(stream)["name"]
    return name


def properties_of(
    schema: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield all properties of a schema, at every depth, with their paths."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}{name}", inner
        yield from properties_of(inner, f"{path}{name}.")
        yield from properties_of(inner.get("items", {}), f"{path}{name}.")


@cache
def references_of(name: str) -> tuple[Reference, ...]:
    """Return the references of a stream, at most one to each other stream."""
    found: dict[str, Reference] = {}
    keys = schema_of(name)["required"]
    for path, schema in properties_of(schema_of(name)):
        target = _target_of(name, path)
        if target and target not in found:
            column = path.partition(".")[0]
            kinds = (schema["type"], schema_of(name)["properties"][column]["type"])
            is_many = any("array" in kind for kind in kinds)
            found[target] = Reference(path, target, is_many, is_key=[path] == keys)
    return tuple(found.values())


def direct_references_of(name: str) -> tuple[Reference, ...]:
    """Return the references of a stream, except those that follow from another one.

    A report refers to an activity and to a campaign, which is the activity's.
    """
    references = references_of(name)
    through = {further.target for each in references for further in references_of(each.target)}
    return tuple(each for each in references if each.target not in through)


def groups() -> list[Group]:
    """Return the related streams in groups. A stream that others refer to is a group alone."""
    names = [name_of(stream) for stream in STREAMS]
    targets = {reference.target for name in names for reference in references_of(name)}
    grouped: dict[Any, list[str]] = {}
    for name in names:
        references = direct_references_of(name)
        if name in targets:
            grouped[name] = [name]
        elif references:
            alike = frozenset((each.target, each.is_many, each.is_key) for each in references)
            grouped.setdefault(alike, []).append(name)
    return [Group(tuple(some), direct_references_of(some[0])) for some in grouped.values()]


def alone() -> list[str]:
    """Return the streams that are not related to others."""
    related = {name for group in groups() for name in group.streams}
    return [name for name in map(name_of, STREAMS) if name not in related]


def _target_of(name: str, path: str) -> str | None:
    """Return the stream that a property refers to, if any."""
    parts = path.split(".")
    target = TARGETS.get(parts[-1])
    is_other = (name, path) in OTHERS or (
        name.startswith(_OF_LANDING_PAGES) and target == "email_campaign_activities"
    )
    return None if is_other or target == name or len(parts) > _DEEPEST else target
