"""How the rows that arrived are compared with the rows of the account."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timezone
from decimal import Decimal
from operator import itemgetter
from typing import Any

from sandbox.server.expected import OCCURRENCE, Rows

Key = tuple[Any, ...]
Row = dict[str, Any]

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:?00)?")


_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?[+-]\d\d:\d\d")
#: Columns of the tap: no response has such properties.
COMPUTED = frozenset(
    {
        *("account_id", "campaign_id", "campaign_updated_at", "channel_types", "counted_at"),
        *("start_at", "end_at", "report_start", "report_end", "last_changed_at", "_extra"),
    }
)
_OF_A_CONTACT = frozenset(
    {"email_address", "current_email_address", "first_name", "last_name", "deleted_at"}
)


def compare(
    rows: Iterable[Row], expected: Rows, key: Collection[str], hidden: Collection[str] = ()
) -> tuple[list[Key], list[str]]:
    """Compare the rows of a stream that arrived with those of the account.

    A row that the account no longer has, such as the draft of a resend, may stay.

    Args:
        rows: The rows that arrived; the last row with a key counts.
        expected: The rows of the account, by key.
        key: The properties of the stream's key.
        hidden: The ids of rows whose values may be older than the account's.

    Returns:
        The keys of the rows that are missing, and those of rows that differ, with the properties.
    """
    held = {tuple(normalize(row[name]) for name in key): row for row in rows}
    wanted = {tuple(map(normalize, key_of_row)): row for key_of_row, row in expected.items()}
    # The order of rows that differ in nothing else of their key does not matter.
    of_others = itemgetter(*(place for place, name in enumerate(key) if name != OCCURRENCE))
    alike = defaultdict[Any, list[Row]](list)
    for key_of_row, row in held.items():
        alike[of_others(key_of_row)].append(row)
    hidden_ids, ignored = set(hidden), {*volatile_properties(key), OCCURRENCE}
    differing = [
        f"{key_of_row} {_differing(held[key_of_row], row, ignored)}"
        for key_of_row, row in wanted.items()
        if key_of_row in held and hidden_ids.isdisjoint(key_of_row)
        if all(_differing(other, row, ignored) for other in alike[of_others(key_of_row)])
    ]
    return [key_of_row for key_of_row in wanted if key_of_row not in held], differing


def _differing(row: Row, wanted: Row, ignored: Collection[str]) -> list[str]:
    """Return the properties that differ, and the columns that have what the account lacks."""
    held = {column_of(name) for name, value in wanted.items() if value is not None}
    differing = [
        name
        for name, value in wanted.items()
        if name not in ignored and normalize(value) != normalize(row.get(column_of(name)))
    ]
    filled = [
        column
        for column, value in row.items()
        if value is not None and column not in held and not _is_computed(column, ignored)
    ]
    return list(dict.fromkeys([*differing, *filled]))


def _is_computed(column: str, ignored: Collection[str]) -> bool:
    """Return whether a column is the tap's or the loader's own, so that no response has it."""
    return column in COMPUTED or column in ignored or column.startswith("_sdc_")


def volatile_properties(key: Collection[str]) -> frozenset[str]:
    """Return the properties of a stream's rows that may change without a trace.

    A report on an email shows contacts as they are when it is read. Its events stay the same, and
    are not read again because a contact has a new name.

    Args:
        key: The properties of the stream's key.
    """
    is_report = {"campaign_activity_id", "contact_id"} <= set(key)
    return _OF_A_CONTACT | {"_links"} if is_report else frozenset({"_links"})


def column_of(name: str) -> str:
    """Return the column of a property of the API: checked_in for checkedIn."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _in_utc(text: str) -> str:
    """Return a timestamp with an offset in UTC, and any other text as it is."""
    if not _WITH_OFFSET.fullmatch(text):
        return text
    return datetime.fromisoformat(text).astimezone(timezone.utc).isoformat()


def normalize(value: Any) -> Any:
    """Return a value in one form, whether it comes from JSON or a database.

    In a database nested values may be JSON texts, times have no offset, empty texts are null, and
    ids that the API sends as numbers are texts.
    """
    if isinstance(value, dict):
        return {
            name: normalize(item) for name, item in value.items() if normalize(item) is not None
        }
    if isinstance(value, list):
        return [normalize(item) for item in value]
    if isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            return normalize(json.loads(value))
        if moment := _TIMESTAMP.fullmatch(_in_utc(value)):
            return f"{moment[1]} {moment[2]}{(moment[3] or '').rstrip('0').rstrip('.')}"
    if isinstance(value, (float, Decimal)):
        value = format(Decimal(str(value)).normalize(), "f")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return None if value == "" else value
