"""How rows that arrived are compared with the account's: what is the same, and what is not."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from checks.support.comparison import compare

KEY = ["contact_id"]
SENT = {
    "contact_id": "1",
    "first_name": "Ольга 🌷",
    "notes": [{"content": "a"}],
    "checkedIn": True,
    "sent_at": "2026-01-31T08:00:00.000Z",
    "rate": 12.5,
    "_links": {"self": "/contacts/1"},
}
HELD = {
    "contact_id": "1",
    "first_name": "Ольга 🌷",
    "notes": '[{"content": "a"}]',
    "checked_in": True,
    "sent_at": datetime(2026, 1, 31, 8),  # noqa: DTZ001 - as databases have it
    "rate": Decimal("12.50"),
}
EXPECTED = {("1",): SENT}


def test_row_is_equal_in_the_types_of_a_database() -> None:
    assert compare([HELD], EXPECTED, KEY) == ([], [])


def test_time_is_equal_in_any_time_zone() -> None:
    sent = {("1",): {**SENT, "sent_at": "2026-01-31T04:00:00.000-04:00"}}
    assert compare([HELD], sent, KEY) == ([], [])


def test_absent_row_is_missing() -> None:
    assert compare([{**HELD, "contact_id": "2"}], EXPECTED, KEY) == ([("1",)], [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_name", "Ольга"),
        ("first_name", None),
        ("notes", "[]"),
        ("notes", '[{"content": "b"}]'),
        ("checkedIn", None),
        ("sent_at", datetime(2026, 1, 31, 10)),  # noqa: DTZ001
        ("sent_at", "2026-01-31T08:00:00.000-04:00"),
        ("rate", Decimal("12.51")),
    ],
)
def test_different_value_is_named(name: str, value: Any) -> None:
    row = {**HELD, {"checkedIn": "checked_in"}.get(name, name): value}
    assert compare([row], EXPECTED, KEY) == ([], [f"('1',) ['{name}']"])
    assert compare([row], EXPECTED, KEY, hidden={"1"}) == ([], [])


@pytest.mark.parametrize("value", [0, "", False, "[]", datetime(1970, 1, 1)])  # noqa: DTZ001
@pytest.mark.parametrize("name", ["last_name", "opens"])
def test_null_that_became_a_value_is_named(name: str, value: Any) -> None:
    expected = {("1",): {**SENT, "last_name": None}}
    assert compare([{**HELD, name: None}], expected, KEY) == ([], [])
    assert compare([{**HELD, name: value}], expected, KEY) == ([], [f"('1',) ['{name}']"])


def test_empty_text_may_be_null() -> None:
    expected = {("1",): {**SENT, "last_name": ""}}
    for value in ("", None):
        assert compare([{**HELD, "last_name": value}], expected, KEY) == ([], [])


def test_columns_of_the_tap_and_the_loader_may_have_values() -> None:
    row = {**HELD, "_sdc_sequence": 1, "campaign_updated_at": "2026-01-31T08:00:00.000Z"}
    assert compare([row], EXPECTED, KEY) == ([], [])


def test_last_row_of_a_key_counts() -> None:
    old = {**HELD, "first_name": "Olga"}
    assert compare([old, HELD], EXPECTED, KEY) == ([], [])
    assert compare([HELD, old], EXPECTED, KEY)[1] != []


def test_rows_of_the_same_time_may_have_another_order() -> None:
    key = ["contact_id", "occurrence"]
    sent: list[dict[str, Any]] = [
        {"contact_id": "1", "occurrence": 0, "device_type": each} for each in ("a", "b")
    ]
    sent[1]["occurrence"] = 1
    expected = {("1", row["occurrence"]): row for row in sent}
    swapped = [{**row, "occurrence": 1 - row["occurrence"]} for row in sent]
    assert compare(sent, expected, key) == compare(swapped, expected, key) == ([], [])
    other = [sent[0], {**sent[1], "device_type": "c"}]
    assert compare(other, expected, key) == ([], ["('1', '1') ['device_type']"])
    filled = [{**row, "opens": 0} for row in sent]
    assert len(compare(filled, expected, key)[1]) == 2
