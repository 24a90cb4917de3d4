"""Timestamps in requests and records."""

from __future__ import annotations

import pytest
from sandbox_accounts import NOW

from sandbox.account.clock import comparable, parse, stamp, stamp_ms


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2018-3-31", "2018-03-31T00:00:00"),
        ("2022-03-11T22:09:02Z", "2022-03-11T22:09:02"),
        ("2022-03-11T22:09:02.000Z", "2022-03-11T22:09:02"),
        ("2022-03-11T22:09:02.5Z", "2022-03-11T22:09:02.500000"),
        ("2022-03-11T22:09:02+02:00", "2022-03-11T20:09:02"),
        ("2022-03-11T22:09:02-0500", "2022-03-12T03:09:02"),
    ],
)
def test_parse_accepts_dates_and_date_times(text: str, meaning: str) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2022-13-01", "2022-03-11T22:09:02", "2022-03-11T22:09:02 00:00"],
)
def test_parse_rejects_invalid_texts(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse(text)


def test_comparable_unifies_all_forms() -> None:
    assert comparable(stamp(NOW)) == comparable(stamp_ms(NOW)) == parse("2026-03-01T12:00:00Z")
    assert comparable(stamp(NOW)) < parse("2026-03-01T12:00:00.500Z") < comparable(stamp(NOW + 1))
