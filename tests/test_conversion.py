"""Conversion into values that every target accepts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tap_constantcontact.output.conversion import converter
from tap_constantcontact.timestamps import format_timestamp, parse_start

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def clean(schema: dict[str, Any], value: Any) -> tuple[Any, list[str]]:
    """Return the converted value, and the properties that do not fit or are unknown."""
    reported: list[str] = []
    converted = converter(
        schema,
        invalid=lambda path, _: reported.append(path),
        unknown=lambda path, value: reported.append(f"{path}={value}"),
    )(value)
    return converted, reported


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2024-10-30T18:56:35Z", "2024-10-30T18:56:35.000Z"),
        ("2024-11-01T19:19:34.456Z", "2024-11-01T19:19:34.456Z"),
        ("2026-02-05T07:32:49.766+0000", "2026-02-05T07:32:49.766Z"),
        ("2025-09-25T20:06:50.020+00:00", "2025-09-25T20:06:50.020Z"),
        ("2015-03-17T11:13:28-04:00", "2015-03-17T15:13:28.000Z"),
        ("2024-10-30T18:56:35", "2024-10-30T18:56:35.000Z"),
        ("2024-10-30T18:56:35.123456Z", "2024-10-30T18:56:35.123456Z"),
        ("2016-07-08", "2016-07-08T00:00:00.000Z"),
    ],
)
def test_timestamp_in_every_form_becomes_utc(sent: str, kept: str) -> None:
    assert clean({"type": ["string", "null"], "format": "date-time"}, sent) == (kept, [])


@pytest.mark.parametrize("sent", ["2025-02-30T00:00:00Z", "01/31/2025", "soon", 7, {}])
def test_invalid_timestamp_becomes_null_and_is_reported(sent: Any) -> None:
    schema = {"properties": {"at": {"type": ["string", "null"], "format": "date-time"}}}
    assert clean({"type": "object", **schema}, {"at": sent}) == ({"at": None}, ["at"])


def test_empty_timestamp_becomes_null_without_report() -> None:
    assert clean({"type": ["string", "null"], "format": "date-time"}, "") == (None, [])


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        ("integer", 7, 7),
        ("integer", "3129", 3129),
        ("integer", Decimal("3.0"), 3),
        ("integer", 4374642855454351379, 4374642855454351379),
        ("number", "43.0", Decimal("43.0")),
        ("number", Decimal("0.1000"), Decimal("0.1000")),
        ("number", 40, 40),
        ("boolean", "false", False),
        ("boolean", True, True),
        ("string", 4374642855454351379, "4374642855454351379"),
        ("string", Decimal("1.50"), "1.50"),
        ("string", False, "false"),
        ("string", "José 🎉", "José 🎉"),
        ("string", "", ""),
        ("integer", "", None),
    ],
)
def test_values_are_converted_to_their_type(kind: str, sent: Any, kept: Any) -> None:
    assert clean({"type": [kind, "null"]}, sent) == (kept, [])


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("integer", "3.5"),
        ("integer", Decimal("3.5")),
        ("integer", True),
        ("number", "many"),
        ("number", Decimal("NaN")),
        ("boolean", "perhaps"),
    ],
)
def test_values_of_another_type_become_null_and_are_reported(kind: str, sent: Any) -> None:
    assert clean({"type": [kind, "null"]}, sent) == (None, [""])


def test_nested_values_are_converted_and_unknown_ones_reported() -> None:
    schema = {
        "type": "object",
        "properties": {
            "notes": {
                "type": ["array", "null"],
                "items": {
                    "type": ["object", "null"],
                    "properties": {"count": {"type": ["integer", "null"]}},
                },
            },
            "free": {"type": ["object", "null"]},
        },
    }
    sent = {
        "notes": [{"count": "1", "new": 2}, {"count": "x"}, None],
        "free": {"text": ["a"]},
        "unknown": "kept",
    }
    assert clean(schema, sent) == (
        {"notes": [{"count": 1}, {"count": None}, None], "free": {"text": ["a"]}},
        ["notes.new=2", "notes.count", "unknown=kept"],
    )


def test_property_names_become_snake_case() -> None:
    schema = {"type": "object", "properties": {"checked_in_tickets": {"type": ["integer", "null"]}}}
    assert clean(schema, {"checkedIn_tickets": 2}) == ({"checked_in_tickets": 2}, [])


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=timezone.utc)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=timezone.utc)),
        ("-30d", NOW - timedelta(days=30)),
        ("-12h", NOW - timedelta(hours=12)),
        ("-4w", NOW - timedelta(weeks=4)),
    ],
)
def test_start_date_is_a_date_or_a_time_before_now(text: str, start: datetime) -> None:
    assert parse_start(text, NOW) == start


@pytest.mark.parametrize("text", ["31/01/2026", "-30", "30d", "-3m", "-99999999999d", ""])
def test_invalid_start_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text or "isoformat"):
        parse_start(text, NOW)


def test_timestamps_sort_as_texts() -> None:
    moments = [NOW + timedelta(milliseconds=step) for step in range(0, 3000, 250)]
    texts = [format_timestamp(moment) for moment in moments]
    assert texts == sorted(texts)
