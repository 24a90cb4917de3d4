"""The counters of campaigns and their activities, which show that a report has new rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from tap_constantcontact.timestamps import parse_timestamp, to_hour


class Counters(NamedTuple):
    """The counters of a campaign or an activity; if any of them changes, there are rows to read.

    Opens and clicks are totals, the others count contacts (documented). If a campaign is sent
    again to the same contacts, only the time of its last send changes. Assumes:
    counters_show_new_rows.

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
        return cls(*(_number(counts.get(name)) for name in cls._fields[:-1]))._replace(sent=sent)


#: The counters before the first comparison.
NO_COUNTERS = Counters(0, 0, 0, 0, 0, 0)


def _number(value: Any) -> int:
    """Return a counter, which can come as a text (seen in a guide), or be missing."""
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0
