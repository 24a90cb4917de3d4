"""When the café writes: about once a week, seldom in summer, and before its events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

from sandbox.account.clock import HOUR
from sandbox.generate.cafe.texts import EVENTS, SUBJECTS

CAMPAIGNS = 60
WEEKS = 78
THURSDAY, FRIDAY, SUNDAY = 3, 4, 6
SUMMER = (7, 8)
BAD_SEND = 7
"""Which campaign went to an old customer file as well, counted from the last one."""
AB_TESTS = (11, 34)
RESENT = (5, 14, 23, 38, 52)
LAST_HOUR = 3 * HOUR  # so long a campaign has been out when the account starts


@dataclass(frozen=True)
class Event:
    """An event of the café: its name, when it starts, and whether it is a class for few."""

    name: str
    day: date
    starts: int
    is_class: bool


@dataclass(frozen=True)
class Letter:
    """One campaign: when it is sent, what it says, and which event it invites to."""

    at: int
    name: str
    subject: str
    event: Event | None = None
    is_bad: bool = False
    is_ab_test: bool = False
    is_resent: bool = False


def eastern(day: date, hour: int) -> int:
    """Return a time of day in Boston as seconds since 1970."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=timezone.utc)
    return int(noon.timestamp()) + (hour - 12 - _offset(day)) * HOUR


def in_boston(at: int) -> datetime:
    """Return a moment as the time of day in Boston, without a zone."""
    moment = datetime.fromtimestamp(at, timezone.utc)
    return moment.replace(tzinfo=None) + timedelta(hours=_offset(moment.date()))


def _offset(day: date) -> int:
    """Return the hours that Boston is ahead of UTC: no machine needs a time zone database."""
    begins = _next(date(day.year, 3, 8), SUNDAY)
    ends = _next(date(day.year, 11, 1), SUNDAY)
    return -4 if begins <= day < ends else -5


def events(now: int) -> list[Event]:
    """Return the events of about three years, up to a year from now."""
    year = in_boston(now).year
    found = [
        Event(name, day, eastern(day, hour), is_class)
        for each in range(year - 2, year + 2)
        for name, month, first, weekday, hour, is_class in EVENTS
        for day in [_next(date(each, month, first), weekday)]
    ]
    return sorted(found, key=lambda event: event.starts)


def letters(now: int) -> list[Letter]:
    """Return the campaigns up to now, oldest first."""
    today = in_boston(now).date()
    last = today - timedelta(days=(today.weekday() - THURSDAY) % 7)
    if eastern(last, 10) > now - LAST_HOUR:
        last -= timedelta(weeks=1)
    invitations = {_thursday_of(event.day - timedelta(days=21)): event for event in events(now)}
    weeks = [last - timedelta(weeks=number) for number in reversed(range(WEEKS))]
    weeks = [week for week in weeks if week in invitations or not _is_pause(week)]
    # It began with a letter every other week.
    early = [week for week in weeks[1:40:2] if week not in invitations]
    weeks = sorted(set(weeks) - set(early[: len(weeks) - CAMPAIGNS]))
    written: list[Letter] = []
    used = Counter[int]()
    for number, week in enumerate(weeks):
        if event := invitations.get(week):
            written.append(_invitation(week, event))
            continue
        day, hour = _day_and_hour(number, week)
        subjects = SUBJECTS[day.month]
        subject = subjects[used[day.month] % len(subjects)]
        used[day.month] += 1
        again = used[day.month] > len(subjects)
        name = f"{subject} ({day.year})" if again else subject
        written.append(Letter(eastern(day, hour), name, subject))
    return _with_specials(written)


def _with_specials(written: list[Letter]) -> list[Letter]:
    """Mark the bad send, the A/B tests and what is resent."""
    count = len(written)
    bad = next(number for number in range(count - BAD_SEND, 0, -1) if not written[number].event)
    subject = "PLEASE READ: we miss you!! 10% off everything"
    day = in_boston(written[bad].at).date()
    sent_at = eastern(_next(day - timedelta(days=4), FRIDAY), 17)
    written[bad] = Letter(
        min(sent_at, written[bad].at + 2 * 24 * HOUR), subject, subject, is_bad=True
    )
    for number in AB_TESTS:
        written[count - number] = replace(written[count - number], is_ab_test=True)
    for number in RESENT:
        written[count - number] = replace(written[count - number], is_resent=True)
    return written


def _invitation(week: date, event: Event) -> Letter:
    """Invite on a Tuesday: in the evening to classes, in the morning to all else."""
    day = week - timedelta(days=2)
    subject = f"You're invited: {event.name} on {event.day:%B} {event.day.day}"
    name = f"Invitation: {event.name} {event.day.year}"
    return Letter(eastern(day, 18 if event.is_class else 9), name, subject, event)


def _day_and_hour(number: int, week: date) -> tuple[date, int]:
    """Return Thursday at ten, and now and then Sunday evening or Monday morning."""
    if week == _next(date(week.year, 11, 22), THURSDAY):  # Thanksgiving
        return week - timedelta(days=3), 10
    if number % 9 == 4:  # noqa: PLR2004
        return week - timedelta(days=4), 18
    if number % 11 == 7:  # noqa: PLR2004
        return week - timedelta(days=3), 8
    return week, (10, 10, 9, 11)[number % 4]


def _is_pause(week: date) -> bool:
    """Return whether the café does not write: every other week in summer, and at Christmas."""
    holidays = (week.month, week.day) >= (12, 24) or (week.month, week.day) <= (1, 3)
    return holidays or (week.month in SUMMER and week.isocalendar()[1] % 2 == 1)


def _thursday_of(day: date) -> date:
    return day + timedelta(days=THURSDAY - day.weekday())


def _next(day: date, weekday: int) -> date:
    """Return the day itself or the first one after it with a weekday."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)
