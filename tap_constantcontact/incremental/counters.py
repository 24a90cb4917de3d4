"""The counters of campaigns and their activities, and what they tell about reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from tap_constantcontact.timestamps import parse_timestamp, to_hour


class Counters(NamedTuple):
    """The counters of a campaign or an activity; if any of them changes, there are rows to read.

    Opens and clicks are totals, the others count contacts (documented). If a campaign is sent
    again to the same contacts, only the time of its last send changes. Assumes:
    counters_show_new_rows.

    A negative counter can't be relied on: -1 if the API doesn't return it, and -1 - n for n
    contacts that opened or clicked, if a summary is all there is.

    Attributes:
        sent: Hour of the last send, since 1970; 0 if it is unknown, as for single activities.
    """

    sends: int
    opens: int
    clicks: int
    bounces: int
    optouts: int
    forwards: int
    sent: int = 0

    def covers(self, growth: Counters) -> bool:
        """Return whether no counter is smaller than that of another growth."""
        pairs = zip(self[:-1], growth[:-1], strict=True)
        return all(own >= other for own, other in pairs)

    def minus(self, other: Counters) -> Counters:
        """Return how much the counters have grown."""
        return Counters(*(now - earlier for now, earlier in zip(self, other, strict=True)))

    def is_measured_like(self, other: Counters) -> bool:
        """Return whether the counters that can be relied on are the same."""
        pairs = zip(self[:-1], other[:-1], strict=True)
        return all((own < 0) == (others < 0) for own, others in pairs)

    @classmethod
    def of_stats(cls, stats: Any) -> Counters:
        """Return the counters in the stats of a campaign or an activity."""
        stats = stats if isinstance(stats, dict) else {}
        # Responses with dots in the names were published as well.
        stats = {name.replace(".", "_"): count for name, count in stats.items()}
        names = ("sends", "opens_all", "clicks_all", "bounces", "optouts", "forwards")
        return cls(*(_number(stats.get(f"em_{name}")) for name in names))

    @classmethod
    def of_summary(cls, counts: Any, last_sent_date: Any) -> Counters:
        """Return the counters in a campaign's summary, all of which count contacts.

        Assumes: last_sent_date_is_the_last_send.
        """
        counts = counts if isinstance(counts, dict) else {}
        try:
            sent = to_hour(parse_timestamp(str(last_sent_date)))
        except ValueError:
            sent = 0
        own = cls(*(_number(counts.get(name)) for name in cls._fields[:-1]))
        totals = {name: -1 - max(0, getattr(own, name)) for name in ("opens", "clicks")}
        return own._replace(sent=sent, **totals)


#: The counters before the first comparison.
NO_COUNTERS = Counters(0, 0, 0, 0, 0, 0)
#: The names of the counters, without the last send.
COUNTED = Counters._fields[:-1]
#: Counters of contacts, which don't change if the same contact does it again.
COUNTED_ONCE = frozenset({"bounces", "optouts", "forwards"})


@dataclass(frozen=True)
class ReportKind:
    """What the counters tell about a kind of report.

    Attributes:
        counters: Those of which at least one changes when the report does.
        rows: `opens` or `clicks`, if that is the number of rows; None if no counter is.
        is_empty_at_zero: Whether the report has no rows while all its counters are 0. Assumes:
            zero_counters_mean_empty_reports.
    """

    counters: tuple[str, ...]
    rows: str | None = None
    is_empty_at_zero: bool = True

    def counts_nothing(self, counters: Counters) -> bool:
        """Return whether a report should be empty according to its counters."""
        return self.is_empty_at_zero and not any(getattr(counters, name) for name in self.counters)


SENDS = ReportKind(("sends",))
OPENS = ReportKind(("opens",), rows="opens")
CLICKS = ReportKind(("clicks",), rows="clicks")
BOUNCES = ReportKind(("bounces",))
OPTOUTS = ReportKind(("optouts",))
FORWARDS = ReportKind(("forwards",))
# The last open of each contact: its time changes with any open.
UNIQUE_OPENS = ReportKind(("opens",))
DID_NOT_OPENS = ReportKind(("sends", "opens", "bounces"))
SEND_HISTORY = ReportKind(("sends",), is_empty_at_zero=False)
# Links without clicks are rows too.
LINKS = ReportKind(("clicks",), is_empty_at_zero=False)
ACTIVITY_STATS = ReportKind(COUNTED, is_empty_at_zero=False)


def _number(value: Any) -> int:
    """Return a counter, which can come as a text (seen in a guide); -1 if it is missing."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1
