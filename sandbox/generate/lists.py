"""Generate what contacts are sorted by: lists, tags, custom fields and segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import day, stamp, stamp_ms
from sandbox.account.segments import write_criteria
from sandbox.generate import sample_values
from sandbox.generate.sampling import chance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.account import Account, Record

SMS_LISTS = (
    ("Text alerts", None, {"sms"}),
    ("Flash sale (mail & text)", None, {"sms", "email"}),
)
CHOICES = ("Apple", "Pear", "Crème brûlée", "Plum")
CUSTOM_FIELDS: tuple[tuple[str, str, Record], ...] = (
    ("Vehicle make and model", "string", {}),
    ("First visit", "date", {"display_format": "MM/DD/YYYY"}),
    ("Last booking", "datetime", {}),
    ("Number of guests", "number", {"integer": True, "decimal_places": 0, "allow_negative": False}),
    ("Yearly donation", "currency", {"currency_code": "USD", "decimal_places": 2}),
    ("Wants a call", "boolean", {}),
    ("Remarks", "text_area", {}),
    ("Favorite dessert", "single_select", {"display_type": "radio"}),
    ("Interests", "multi_select", {"display_type": "checkbox"}),
)


def add_list(
    account: Account, name: str, description: str | None, channels: set[str], created: int
) -> str:
    """Add a list for email, SMS or both.

    Returns:
        The `list_id`.
    """
    list_: Record = {
        "list_id": account.new_id(),
        "name": name,
        "favorite": chance(account.rng, 0.3),
    }
    if description:  # absent rather than null or empty (observed)
        list_["description"] = description
    list_.update(created_at=stamp(created), updated_at=stamp(created))
    account.lists[list_["list_id"]] = list_
    account.list_channels[list_["list_id"]] = frozenset(channels)
    return str(list_["list_id"])


def delete_list(account: Account, list_id: str, at: int) -> None:
    """Delete a list: it stays readable, with a date."""
    account.lists[list_id]["deleted_at"] = account.lists[list_id]["updated_at"] = stamp(at)


def add_tags(account: Account, names: Iterable[str], first: int, last: int) -> None:
    """Add tags, created between two moments."""
    for name in names:
        created = stamp_ms(account.rng.randrange(first, last))
        tag: Record = {"tag_id": account.new_id(), "name": name, "tag_source": "Contact"}
        account.tags[tag["tag_id"]] = {**tag, "created_at": created, "updated_at": created}


def add_custom_fields(
    account: Account,
    first: int,
    last: int,
    fields: Iterable[tuple[str, str, Record]] = CUSTOM_FIELDS,
    choices: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    """Add custom fields, created between two moments.

    Args:
        account: The account to add them to.
        first: The earliest moment.
        last: The latest moment.
        fields: Their labels, types and metadata.
        choices: The choices of fields, by label; the last one was deleted.
    """
    for label, type_, metadata in fields:
        created = account.rng.randrange(first, last)
        field: Record = {
            "custom_field_id": account.new_id(),
            "label": label,
            "name": label.replace(" ", "_"),
            "type": type_,
            "version": 1,
            "updated_at": stamp(created),
            "created_at": stamp(created),
        }
        if metadata:
            field["metadata"] = metadata
        if type_.endswith("_select"):
            field["choices"] = [
                {
                    "custom_field_id": field["custom_field_id"],
                    "choice_id": number,
                    "choice_label": choice,
                    "display_order": number,
                    "created_at": stamp_ms(created),
                    "updated_at": stamp_ms(created),
                }
                for number, choice in enumerate((choices or {}).get(label, CHOICES), start=1)
            ]
            field["choices"][-1]["deleted_at"] = day(created)  # which no contact chose
        account.custom_fields[field["custom_field_id"]] = field


def add_segments(account: Account, first: int, last: int) -> None:
    """Add segments, created between two moments."""
    for segment_id, (name, field, parameter) in enumerate(sample_values.SEGMENTS, start=14):
        created = account.rng.randrange(first, last)
        account.segments[segment_id] = {
            "name": name,
            "segment_criteria": write_criteria(field, parameter),
            "segment_id": segment_id,
            "created_at": stamp_ms(created),
            "edited_at": stamp_ms(account.rng.randrange(created, last)),
        }
