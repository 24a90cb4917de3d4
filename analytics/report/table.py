"""The table of campaigns, with each rate as a dot around the median."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.report import charts
from analytics.report.campaigns import RATES, SMALL, Campaigns
from analytics.report.section import csv_link
from analytics.report.text import day, number, percent
from analytics.warehouse import Row

SHOWN = 10
"""The newest are shown first; a box on the page shows all."""

_CSV = {
    "sent_at": "sent", "name": "campaign", "subject": "subject", "delivered": "delivered",
    "unique_opens": "opened", "unique_clicks": "clicked", "opt_outs": "unsubscribed",
    "bounces": "bounced", "vacation_replies": "vacation replies",
    **{rate: name.lower() for rate, name in RATES.items()},
    "click_to_open_rate": "click-to-open rate",
}  # fmt: skip


@dataclass
class Cell:
    """A cell of the table: its text, its key for sorting, its chart, its head, and a hint."""

    text: str
    key: str
    chart: str
    head: str
    hint: str


@dataclass
class Line:
    """A campaign of the table.

    Attributes:
        name: The name.
        subject: The subject, if it is another text.
        note: Why it is not compared, if so.
        sent: When it was sent.
        key: That for sorting.
        delivered: How many emails arrived.
        cells: Its rates.
        level: Class of the line: `hatched`, `small`, or none.
    """

    name: str
    subject: str
    note: str
    sent: str
    key: int
    delivered: int
    cells: list[Cell]
    level: str


def lines(campaigns: Campaigns) -> list[Line]:
    """Return the lines of the table, the newest first."""
    return [_line(campaigns, row) for row in campaigns.rows]


def rules(campaigns: Campaigns) -> list[str]:
    """Return the medians as drawings, which the cells refer to."""
    return [
        charts.median_rule(_id(rate), usual, _top(campaigns, rate))
        for rate in RATES
        if (usual := campaigns.median(rate)) is not None
    ]


def _id(rate: str) -> str:
    return f"m{list(RATES).index(rate)}"


def _top(campaigns: Campaigns, rate: str) -> float:
    return max((row[rate] or 0 for row in campaigns.rows if not row["is_small"]), default=0) or 1


def _line(campaigns: Campaigns, row: Row) -> Line:
    level, note = "", ""
    if row["is_coming_in"]:
        again = "again " if row["age"] < campaigns.now - row["sent_at"] else ""
        hours = int(row["age"].total_seconds() // 3600)
        level, note = "hatched", f"sent {again}{_ago(hours)}, still coming in"
    elif row["is_small"]:
        level, note = "small", f"fewer than {SMALL} delivered, not in the median"
    cells = [_cell(campaigns, row[rate], rate) for rate in RATES]
    return Line(
        row["name"],
        row["subject"] if row["subject"] and row["subject"] != row["name"] else "",
        note,
        day(row["sent_at"], today=campaigns.now.date()),
        int(row["sent_at"].timestamp()),
        row["delivered"],
        cells,
        level,
    )


def _cell(campaigns: Campaigns, value: float | None, rate: str) -> Cell:
    if value is None:
        return Cell(percent(value), "-1", "", RATES[rate], "not known")
    usual = campaigns.median(rate)
    chart = charts.dot(value, _id(rate), usual, _top(campaigns, rate))
    return Cell(percent(value), f"{value:.4g}", chart, RATES[rate], f"Median {percent(usual)}")


def _ago(hours: int) -> str:
    return "less than an hour ago" if hours < 1 else f"{hours} hour{'' if hours == 1 else 's'} ago"


def medians(campaigns: Campaigns) -> str:
    """Return the medians as a sentence."""
    count = len(campaigns.counted)
    if not count:
        return "No campaign has been sent that medians could be of."
    rates = ", ".join(
        f"{name.lower()} {percent(campaigns.median(rate))}" for rate, name in RATES.items()
    )
    return (
        f"Medians of {number(count)} campaigns of twelve months, drawn as lines: {rates}. "
        "Rates are of the emails delivered; bounce rates are of the emails sent, and include "
        "vacation replies, as in Constant Contact."
    )


def csv(campaigns: Campaigns) -> str:
    """Return all campaigns as the address of a CSV file inside the page."""
    rows = [{**row, "sent_at": row["sent_at"].strftime("%Y-%m-%d %H:%M")} for row in campaigns.rows]
    return csv_link(_CSV, rows)
