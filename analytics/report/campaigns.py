"""What the report knows about campaigns: their rates, at the same age, and the usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from statistics import median

from analytics.warehouse import Row, Warehouse

SMALL = 100
"""With fewer emails delivered, a campaign does not count in medians."""

COMING_IN = timedelta(hours=48)
"""For so long after a campaign was sent, it is not compared with others."""

RATES = {
    "open_rate": "Open rate",
    "click_rate": "Click rate",
    "opt_out_rate": "Unsubscribe rate",
    "bounce_rate": "Bounce rate",
}
"""The rates of a campaign. That of bounces is of the emails sent, others of those delivered."""

_PARTS = {
    "open_rate": ("unique_opens", "delivered"),
    "click_rate": ("unique_clicks", "delivered"),
    "opt_out_rate": ("opt_outs", "delivered"),
    "bounce_rate": ("bounces", "sends"),
}


@dataclass(frozen=True)
class Campaigns:
    """The campaigns of the last twelve months, the newest first.

    Attributes:
        rows: The campaigns. `sent_at` is in the time zone of the report, `opened_early` the rate of
            those who opened within 48 hours.
        now: When the data was read, in that time zone.
    """

    rows: Sequence[Row]
    now: datetime

    @cached_property
    def settled(self) -> list[Row]:
        """Those that are old enough to be compared with others."""
        return [row for row in self.rows if not row["is_coming_in"]]

    @cached_property
    def counted(self) -> list[Row]:
        """Those that medians are of."""
        return [row for row in self.settled if not row["is_small"]]

    def median(self, rate: str) -> float | None:
        """Return the median of a rate."""
        rates = [row[rate] for row in self.counted if row[rate] is not None]
        return median(rates) if rates else None

    def between(self, start: date, end: date) -> list[Row]:
        """Return the settled ones that were sent after a day, up to another."""
        return [row for row in self.settled if start < row["sent_at"].date() <= end]

    def rate_of(self, rate: str, rows: Sequence[Row]) -> float | None:
        """Return the rate of several campaigns, in which each email counts the same."""
        part, whole = _PARTS[rate]
        known = [row for row in rows if row[part] is not None and row[whole]]
        total = sum(row[whole] for row in known)
        return sum(row[part] for row in known) / total if total else None


def read(warehouse: Warehouse) -> Campaigns:
    """Read the campaigns of the last twelve months.

    Args:
        warehouse: Where the marts are.
    """
    rows = warehouse.rows(
        """
        with early as (
            select campaigns.campaign_id, count(distinct events.contact_id) as openers
            from constantcontact__campaigns as campaigns
            join constantcontact__engagement_events as events
                on campaigns.campaign_id = events.campaign_id
            where events.kind = 'open'
                and events.happened_at
                    < coalesce(campaigns.first_sent_at, campaigns.last_sent_at)
                    + interval '48 hours'
            group by campaigns.campaign_id
        )

        select campaigns.campaign_id, campaigns.name, subject, type,
            coalesce(first_sent_at, last_sent_at) as first_sent_at, last_sent_at, sends, delivered,
            unique_opens, unique_clicks, bounces, opt_outs, spam_reports, open_rate, click_rate,
            click_to_open_rate, opt_out_rate, bounce_rate, early.openers
        from constantcontact__campaigns as campaigns
        left join early on campaigns.campaign_id = early.campaign_id
        where delivered > 0 and not is_removed and last_sent_at is not null
            and last_sent_at > :today - interval '365 days'
        order by last_sent_at desc, name
        """
    )
    now = warehouse.local(warehouse.data.read_at)
    for row in rows:
        row["name"] = row["name"] or "(no name)"
        row["sent_at"] = warehouse.local(row["last_sent_at"])
        row["is_coming_in"] = now - row["sent_at"] < COMING_IN
        row["is_small"] = row["delivered"] < SMALL
        row["opened_early"] = row["openers"] / row["delivered"] if row["openers"] else None
    return Campaigns(rows, now)
