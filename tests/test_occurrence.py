"""The number that tells apart rows that agree in all other columns of their key."""

from __future__ import annotations

from typing import Any

from tap_constantcontact.streams.engagement import with_occurrences

KEY = ("contact_id", "created_time", "occurrence")


def occurrences(*rows: dict[str, Any]) -> list[int]:
    return [row["occurrence"] for row in with_occurrences(iter(rows), KEY)]


def row(contact_id: str, minute: int, **others: Any) -> dict[str, Any]:
    return {"contact_id": contact_id, "created_time": f"2026-01-31T08:{minute:02}:00Z", **others}


def test_occurrence_is_zero_for_different_keys() -> None:
    assert occurrences(row("ada", 1), row("ada", 2), row("bob", 1)) == [0, 0, 0]


def test_occurrence_counts_rows_of_the_same_key() -> None:
    assert occurrences(row("ada", 1), row("ada", 1), row("ada", 1)) == [0, 1, 2]


def test_occurrence_ignores_rows_between() -> None:
    assert occurrences(row("ada", 1), row("bob", 1), row("ada", 1), row("bob", 1)) == [0, 0, 1, 1]


def test_occurrence_ignores_other_columns() -> None:
    assert occurrences(row("ada", 1, device_type="mobile"), row("ada", 1)) == [0, 1]


def test_occurrence_of_older_rows_is_stable() -> None:
    before = [row("ada", 1), row("ada", 1)]
    assert occurrences(row("ada", 9), *before)[1:] == occurrences(*before)


def test_occurrence_keeps_rows_and_their_order() -> None:
    rows = [row("bob", 1, device_type="mobile"), row("ada", 1)]
    assert list(with_occurrences(iter(rows), KEY)) == [{**one, "occurrence": 0} for one in rows]


def test_occurrence_accepts_missing_key_columns() -> None:
    assert occurrences({"contact_id": "ada"}, {"contact_id": "ada"}, {}) == [0, 1, 0]
