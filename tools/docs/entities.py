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
#: The subjects of the streams in words. No title is the name of a stream: these are headings too.
TITLES = {
    "account": "The account",
    "contacts": "Contacts, lists and segments",
    "campaigns": "Email campaigns",
    "campaign_stats": "Counters of campaigns",
    "engagement": "Reports on campaigns",
    "sms": "SMS campaigns",
    "events": "Events and registrations",
    "automations": "Marketing automation",
    "social": "Social networks",
    "landing_pages": "Landing pages",
    "xrefs": "IDs of the V2 API",
    "partner": "Partners",
    "contact_reports": "Reports on single contacts",
}
# The pages that are not named as their modules are.
_PAGES = {
    "campaign_stats": "campaign-counters",
    "engagement": "campaign-reports",
    "xrefs": "v2-ids",
    "partner": "partners",
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

    @property
    def in_column(self) -> str:
        """The column, without the path in it."""
        return self.column.partition(".")[0]


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


def key_of(name: str) -> str:
    """Return the column of a stream that other streams refer to."""
    return next(key for key in keys_of(name) if TARGETS.get(key) == name)


@cache
def keys_of(name: str) -> tuple[str, ...]:
    """Return the primary key of a stream."""
    return next(stream.primary_keys for stream in STREAMS if name_of(stream) == name)


@cache
def is_default(name: str) -> bool:
    """Return whether a stream is selected by default."""
    return any(name_of(stream) == name and stream.selected_by_default for stream in STREAMS)


@cache
def subjects() -> dict[str, list[str]]:
    """Return the names of the streams by their subjects, which are the modules of the streams."""
    found: dict[str, list[str]] = {}
    for stream in STREAMS:
        found.setdefault(subject_of(stream), []).append(name_of(stream))
    return found


def subject_of(stream: type[ConstantContactStream]) -> str:
    """Return the subject of a stream."""
    return stream.__module__.rpartition(".")[2]


@cache
def page_of(name: str) -> str:
    """Return the name of the page in docs/reference/streams/ that a stream is on."""
    subject = next(subject for subject, names in subjects().items() if name in names)
    return _PAGES.get(subject, subject.replace("_", "-")) + ".md"


@cache
def alone() -> tuple[str, ...]:
    """Return the streams that are not related to others."""
    names = [name_of(stream) for stream in STREAMS]
    related = {each.target for name in names for each in references_of(name)}
    return tuple(name for name in names if name not in related and not references_of(name))


def _target_of(name: str, path: str) -> str | None:
    """Return the stream that a property refers to, if any."""
    parts = path.split(".")
    target = TARGETS.get(parts[-1])
    is_other = (name, path) in OTHERS or (
        name.startswith(_OF_LANDING_PAGES) and target == "email_campaign_activities"
    )
    return None if is_other or target == name or len(parts) > _DEEPEST else target
