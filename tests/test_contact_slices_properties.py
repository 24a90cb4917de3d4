"""Properties of contact slices, whatever the times at which contacts were created."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tap_constantcontact.incremental.contact_slices import OLDEST, CreatedAtSlicer, Span

# What these properties are about, under the names that they use.


class Slice(NamedTuple):
    """The contacts created from a moment on (None: all older ones) and before another."""

    after: datetime | None
    before: datetime | None
    query: dict[str, str]

    def has(self, created: datetime) -> bool:
        begins = self.after is None or created >= self.after
        return begins and (self.before is None or created < self.before)


Announce = Callable[[dict[str, str]], int]


def slices(size: int, newest: datetime, before: datetime | None, announce: Announce) -> list[Slice]:
    """Return the slices that are read, newest first.

    Args:
        size: how many contacts a slice has, roughly.
        newest: when the newest contacts were created, roughly.
        before: only contacts created before are sliced.
        announce: returns how many contacts the API announces for a query.
    """
    slicer = CreatedAtSlicer(size, newest, before)
    whole = Span(None, before)
    slicer.record_count(announce(whole.filter))
    read: list[Slice] = []
    while span := slicer.current:
        count = announce(span.filter)
        if slicer.is_slice(count):
            read.append(of_span(span))
        slicer.record_count(count)
    return read or [of_span(whole)]


def of_span(span: Span) -> Slice:
    return Slice(span.after, span.before, span.filter)


# The properties.

NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
SPAN = int((NOW - OLDEST).total_seconds())
#: Seconds before now: spread over the years, in bursts (imports), or all in one second.
AGES = st.lists(st.integers(0, SPAN - 1), max_size=40) | st.lists(
    st.tuples(st.integers(0, SPAN - 200), st.lists(st.integers(0, 99), min_size=5, max_size=40)),
    max_size=3,
).map(lambda bursts: [begin + offset for begin, offsets in bursts for offset in offsets])


def created(ages: list[int]) -> list[datetime]:
    return [NOW - timedelta(seconds=age) for age in ages]


def matches(query: dict[str, str], moment: datetime, *, with_ends: bool) -> bool:
    """Return whether the API's filter lets a contact in; its ends may belong to it or not."""
    after, before = (
        datetime.fromisoformat(query[name].replace("Z", "+00:00")) if name in query else None
        for name in ("created_after", "created_before")
    )
    if with_ends:
        return (after is None or moment >= after) and (before is None or moment <= before)
    return (after is None or moment > after) and (before is None or moment < before)


@given(
    ages=AGES,
    size=st.integers(1, 10),
    before=st.none() | st.integers(0, SPAN // 2).map(lambda age: NOW - timedelta(seconds=age)),
    with_ends=st.booleans(),
)
def test_slices_have_every_contact_exactly_once(
    ages: list[int], size: int, before: datetime | None, with_ends: bool
) -> None:
    contacts = created(ages)

    def announce(query: dict[str, str]) -> int:
        return sum(matches(query, moment, with_ends=with_ends) for moment in contacts)

    found = slices(size, NOW, before, announce)
    for moment in contacts:
        if before is None or moment < before:
            assert sum(each.has(moment) for each in found) == 1
            assert any(matches(each.query, moment, with_ends=with_ends) for each in found)


@given(ages=AGES, size=st.integers(1, 10))
def test_slices_follow_each_other_from_the_newest_to_the_oldest(ages: list[int], size: int) -> None:
    contacts = created(ages)
    found = slices(
        size, NOW, None, lambda query: sum(matches(query, at, with_ends=True) for at in contacts)
    )
    assert found[0].before is None
    assert found[-1].after is None
    assert [each.after for each in found[:-1]] == [each.before for each in found[1:]]


@given(ages=AGES, size=st.integers(1, 10))
def test_slices_are_small_unless_contacts_were_created_at_once(ages: list[int], size: int) -> None:
    """The oldest one takes what is left, which is known to be little by then."""
    contacts = created(ages)
    found = slices(
        size, NOW, None, lambda query: sum(matches(query, at, with_ends=False) for at in contacts)
    )
    for each in found[:-1]:
        moments = [moment for moment in contacts if each.has(moment)]
        if len(moments) > 2 * size:
            assert max(moments) - min(moments) <= timedelta(seconds=2)


@given(size=st.integers(1, 10), announced=st.integers(0, 10**6))
def test_slices_are_one_if_the_api_announces_the_same_number_for_every_query(
    size: int, announced: int
) -> None:
    """The numbers may be those of the account, which say nothing of the filter."""
    (whole,) = slices(size, NOW, None, lambda _: announced)
    assert (whole.after, whole.before) == (None, None)
