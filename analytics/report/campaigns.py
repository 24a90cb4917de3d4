"""What the report knows about campaigns: their rates, at the same age, and the usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from statistics import median

from analytics.warehouse import Row, Warehouse

SMALL = 100
"""With fewer emails delivered, a campaign does not count in medians."""

COMING_IN = timedelta(hours=48)
"""For so long after a campaign was sent, it is not compared with others."""

DAYS, PERIODS = 30, 12
"""The length of a period, and how many there are: the last one, and the usual ones before."""

RATES = {
    "open_rate": "Open rate",
    "click_rate": "Click rate",
    "opt_out_rate": "Unsubscribe rate",
    "bounce_rate": "Bounce rate",
}
"""The rates of a campaign. That of bounces is of the emails sent, others of those delivered."""

THRESHOLDS = {"failure_rate": 0.02, "opt_out_rate": 0.005, "spam_rate": 0.001}
"""Above these rates, mailbox providers and the vendor take offense."""

_PARTS = {
    "open_rate": ("unique_opens", "delivered"),
    "click_rate": ("unique_clicks", "delivered"),
    "opt_out_rate": ("opt_outs", "delivered"),
    "bounce_rate": ("bounces", "sends"),
    "failure_rate": ("failures", "sends"),
    "spam_rate": ("spam_reports", "delivered"),
}


@dataclass(frozen=True)
class Campaigns:
    """The campaigns of the last twelve months, the newest first.

    Attributes:
        rows: The campaigns. `sent_at` is in the time zone of the report, `age` the time since the
            last sending, `opened_early` the rate of those who opened within 48 hours, and
            `failures` the bounces that are no vacation replies.
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

    def above(self, rate: str) -> list[Row]:
        """Return the counted ones whose rate is above its threshold."""
        return [row for row in self.counted if (row[rate] or 0) > THRESHOLDS[rate]]

    @cached_property
    def periods(self) -> list[list[Row]]:
        """The settled ones by periods of 30 days, the last period first."""
        today = self.now.date()
        starts = [today - timedelta(DAYS * back) for back in range(PERIODS + 1)]
        return [self.between(start, end) for end, start in pairwise(starts)]

    def between(self, start: date, end: date) -> list[Row]:
        """Return the settled ones that were sent after a day, up to another."""
        return [row for row in self.settled if start < row["sent_at"].date() <= end]

    def usual(self, rate: str) -> float | None:
        """Return the median of a rate in the periods before the last."""
        # In their total, one bad campaign would make the next one look usual.
        rates = [self.rate_of(rate, rows) for rows in self.periods[1:]]
        known = [value for value in rates if value is not None]
        return median(known) if known else None

    def rate_of(self, rate: str, rows: Sequence[Row]) -> float | None:
        """Return the rate of several campaigns, in which each email counts the same."""
        part, whole = self.counts_of(rate, rows)
        return part / whole if whole else None

    def counts_of(self, rate: str, rows: Sequence[Row]) -> tuple[int, int]:
        """Return what a rate of several campaigns is the quotient of."""
        part, whole = _PARTS[rate]
        known = [row for row in rows if row[part] is not None and row[whole]]
        return sum(row[part] for row in known), sum(row[whole] for row in known)


def read(warehouse: Warehouse) -> Campaigns:
    """Read the campaigns of the last twelve months.

    Args:
        warehouse: Where the marts are.
    """
    rows = warehouse.rows(
        """
        with first_emails as (
            select campaign_id, max(delivered) as first_delivered
            from constantcontact__campaign_emails
            where role = 'primary_email'
            group by campaign_id
        ),

        early as (
            select recipients.campaign_id, sum(case
                when recipients.first_opened_at
                    < coalesce(campaigns.first_sent_at, campaigns.last_sent_at)
                    + interval '48 hours' then 1
                else 0
            end) as openers
            from constantcontact__recipients as recipients
            join constantcontact__campaigns as campaigns
                on recipients.campaign_id = campaigns.campaign_id
            where recipients.first_opened_at is not null
            group by recipients.campaign_id
        ),

        replies as (
            select campaign_id, count(*) as vacation_replies
            from constantcontact__bounces
            where is_delivered
            group by campaign_id
        )

        select campaigns.campaign_id, name, subject, type,
            coalesce(first_sent_at, last_sent_at) as first_sent_at, last_sent_at, sends, delivered,
            unique_opens, unique_clicks, bounces, opt_outs, spam_reports, open_rate, click_rate,
            click_to_open_rate, opt_out_rate, bounce_rate,
            coalesce(vacation_replies, 0) as vacation_replies,
            coalesce(first_delivered, delivered) as first_delivered,
            case
                when openers is not null then openers
                when coalesce(unique_opens, 0) = 0 then 0
            end as openers
        from constantcontact__campaigns as campaigns
        left join first_emails on campaigns.campaign_id = first_emails.campaign_id
        left join early on campaigns.campaign_id = early.campaign_id
        left join replies on campaigns.campaign_id = replies.campaign_id
        where delivered > 0 and not is_removed and last_sent_at is not null
            and last_sent_at > :today - interval '365 days'
        order by 5 desc, name
        """
    )
    now = warehouse.local(warehouse.data.read_at)
    for row in rows:
        row["name"] = row["name"] or "(no name)"
        row["sent_at"] = warehouse.local(row["first_sent_at"])
        row["age"] = now - warehouse.local(row["last_sent_at"])
        row["is_coming_in"] = row["age"] < COMING_IN
        row["is_small"] = row["delivered"] < SMALL
        row["opened_early"] = _rate(row["openers"], row["first_delivered"])
        row["failures"] = _without(row["bounces"], row["vacation_replies"])
        row["failure_rate"] = _rate(row["failures"], row["sends"])
        row["spam_rate"] = _rate(row["spam_reports"], row["delivered"])
    return Campaigns(rows, now)


def _rate(part: int | None, whole: int | None) -> float | None:
    return float(part) / whole if whole and part is not None else None


def _without(bounces: int | None, replies: int) -> int | None:
    # Reports and counters may have been read at different times.
    return None if bounces is None else max(bounces - replies, 0)
