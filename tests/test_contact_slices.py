"""Contact slices: which spans of time are requested, and which of them are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest

from tap_constantcontact.incremental.contact_slices import OLDEST, SECOND, CreatedAtSlicer, Span

NEWEST = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
ALL, EMPTY = Span(None, None), Span(None, OLDEST)


class Account:
    """Counts contacts by the filter, whose ends do not belong to it."""

    def __init__(self, times: Sequence[datetime], undated: int = 0) -> None:
        self.times = times
        self.undated = undated

    def count(self, span: Span) -> int:
        after, before = (span.after or OLDEST) - SECOND, span.before or NEWEST + SECOND
        dated = sum(after < time < before for time in self.times)
        return dated + (self.undated if span == ALL else 0)


class CountOfAccount(Account):
    """Counts all contacts, whatever the filter, which the contract allows for."""

    def count(self, span: Span) -> int:
        return len(self.times)


def steps(
    account: Account, size: int = 100, before: datetime | None = None
) -> list[tuple[Span, int, bool]]:
    """Return the requested spans in order, each with its count and whether it is a slice."""
    slicer = CreatedAtSlicer(size, NEWEST, before)
    found: list[tuple[Span, int, bool]] = []
    while slicer.current:
        count = account.count(slicer.current)
        found.append((slicer.current, count, slicer.is_slice(count)))
        slicer.record_count(count)
        assert len(found) < 1000, "no end"
    return found


def slices(account: Account, size: int = 100, before: datetime | None = None) -> list[Span]:
    return [span for span, _, is_slice in steps(account, size, before) if is_slice]


def evenly(count: int, days: float) -> list[datetime]:
    """Return times of creation over some days, the newest first, in whole seconds."""
    return [
        (NEWEST - DAY * days * number / count).replace(microsecond=0) for number in range(count)
    ]


def assert_seamless(spans: list[Span], start: datetime | None = None) -> None:
    """Check that each span starts where the one before has ended, down to the oldest contact."""
    assert [span.before for span in spans] == [start, *(span.after for span in spans[:-1])]
    assert spans[-1].after is None


def test_slicer_of_an_empty_account_ends_after_one_request() -> None:
    assert steps(Account([])) == [(ALL, 0, True)]


def test_slicer_takes_few_contacts_as_one_slice() -> None:
    assert steps(Account(evenly(200, days=900))) == [(ALL, 200, True)]


def test_slicer_checks_that_counts_follow_the_filter_before_it_cuts() -> None:
    assert steps(Account(evenly(201, days=900)))[:2] == [(ALL, 201, False), (EMPTY, 0, False)]


def test_slicer_ends_where_counts_are_of_the_whole_account() -> None:
    """It reads all contacts in one go: halving by such counts would never end."""
    account = CountOfAccount(evenly(5000, days=900))
    assert steps(account) == [(ALL, 5000, False), (EMPTY, 5000, False)]


def test_slicer_starts_with_a_window_of_thirty_days() -> None:
    spans = slices(Account(evenly(1000, days=300)))
    assert spans[0] == Span(NEWEST - 30 * DAY, None)
    assert_seamless(spans)


def test_slicer_adapts_the_width_to_the_number_of_contacts() -> None:
    account = Account(evenly(1000, days=3000))  # one in three days
    first, second, third = slices(account)[:3]
    assert first.after
    assert second.after
    assert third.after
    assert account.count(first) == 11
    assert first.after - second.after == 8 * 30 * DAY  # at most eight times as wide
    assert 90 < account.count(third) < 110
    assert second.after - third.after < 1.3 * (first.after - second.after)


def test_slicer_keeps_contacts_per_slice_within_bounds() -> None:
    account = Account([*evenly(3000, days=2), *evenly(3000, days=4000)])
    found = steps(account)
    assert_seamless([span for span, _, is_slice in found if is_slice])
    assert max(count for _, count, is_slice in found if is_slice) <= 200
    assert len(found) < 2 * 6000 / 100


def test_slicer_halves_a_window_of_too_many_contacts_the_newer_half_first() -> None:
    account = Account(evenly(300, days=30))
    whole, half = Span(NEWEST - 30 * DAY, None), Span(NEWEST - 15 * DAY, None)
    assert [span for span, _, _ in steps(account)[2:4]] == [whole, half]
    assert slices(account)[:2] == [half, Span(NEWEST - 30 * DAY, NEWEST - 15 * DAY)]


def test_slicer_halves_the_older_half_without_a_request_when_its_count_follows() -> None:
    """If the newer half has none of 1,000 contacts, the older one has all of them."""
    day_20 = NEWEST - 20 * DAY
    account = Account([day_20 + SECOND * number for number in range(1000)])
    requested = [span for span, _, _ in steps(account)]
    middle = NEWEST - 15 * DAY
    assert Span(middle, None) in requested
    assert Span(NEWEST - 30 * DAY, middle) not in requested


def test_slicer_takes_contacts_of_one_second_as_one_slice() -> None:
    account = Account([NEWEST - 500 * DAY] * 5000)
    found = steps(account)
    assert [count for _, count, is_slice in found if is_slice and count] == [5000]
    assert_seamless([span for span, _, is_slice in found if is_slice])
    assert len(found) < 60  # halving years down to a second


def test_slicer_with_undated_contacts_ends_at_the_oldest_contact() -> None:
    """They are in no span: the number of contacts left never falls to a slice's."""
    spans = slices(Account(evenly(500, days=100), undated=1000))
    assert_seamless(spans)
    assert spans[-2].after
    assert spans[-2].after <= OLDEST


@pytest.mark.parametrize("wrong", [0, 150])
def test_slicer_comes_to_an_end_with_wrong_counts(wrong: int) -> None:
    class WrongCounts(Account):
        def count(self, span: Span) -> int:
            return {ALL: 5000, EMPTY: 0}.get(span, wrong)

    found = steps(WrongCounts([]))
    assert_seamless([span for span, _, is_slice in found if is_slice])
    assert found[-1][2]


def test_slicer_reads_the_rest_even_if_it_is_larger_than_a_slice() -> None:
    slicer = CreatedAtSlicer(100, NEWEST)
    for count in (250, 0, 200):
        slicer.record_count(count)
    assert slicer.current == Span(None, NEWEST - 30 * DAY)
    assert slicer.is_slice(100_000)
    slicer.record_count(100_000)
    assert slicer.current is None


def test_slicer_resumes_before_a_moment() -> None:
    account = Account(evenly(1000, days=300))
    resumed = NEWEST - 200 * DAY
    found = steps(account, before=resumed)
    assert found[0] == (Span(None, resumed), account.count(Span(None, resumed)), False)
    assert found[2][0] == Span(resumed - 30 * DAY, resumed)
    assert_seamless([span for span, _, is_slice in found if is_slice], start=resumed)


def test_slicer_resumes_within_the_last_slice() -> None:
    resumed = NEWEST - 290 * DAY
    account = Account(evenly(1000, days=300))
    assert slices(account, before=resumed) == [Span(None, resumed)]


def test_slicer_at_its_end_stays_there() -> None:
    slicer = CreatedAtSlicer(100, NEWEST)
    slicer.record_count(3)
    slicer.record_count(3000)
    assert slicer.current is None
    assert not slicer.is_slice(3)


def test_span_filter_starts_a_second_earlier() -> None:
    span = Span(NEWEST - DAY, NEWEST)
    assert span.filter == {
        "created_after": "2026-11-25T11:59:59.000Z",
        "created_before": "2026-11-26T12:00:00.000Z",
    }
    assert ALL.filter == {}
