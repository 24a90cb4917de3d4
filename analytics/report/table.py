"""The table of campaigns, with each rate as a dot around the median."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.report import charts
from analytics.report.campaigns import RATES, Campaigns
from analytics.report.section import csv_link
from analytics.report.text import day, number, percent
from analytics.warehouse import Row

SHOWN = 10
"""The newest are shown first; a box on the page shows all."""

_CSV = {
    "sent_at": "sent", "name": "campaign", "subject": "subject", "delivered": "delivered",
    "unique_opens": "opened", "unique_clicks": "clicked", "opt_outs": "unsubscribed",
    "bounces": "bounced", **{rate: name.lower() for rate, name in RATES.items()},
    "click_to_open_rate": "click-to-open rate",
}  # fmt: skip


@dataclass
class Cell:
    """A cell of the table: its text, its chart, and what it is sorted by."""

    text: str
    key: float
    chart: str
    head: str


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
    key: float
    delivered: int
    cells: list[Cell]
    level: str


def lines(campaigns: Campaigns) -> list[Line]:
    """Return the lines of the table, the newest first."""
    tops = {
        rate: charts.top_of(row[rate] or 0 for row in campaigns.rows if not row["is_small"])
        for rate in RATES
    }
    return [_line(campaigns, row, tops) for row in campaigns.rows]


def _line(campaigns: Campaigns, row: Row, tops: dict[str, float]) -> Line:
    level, note = "", ""
    if row["is_coming_in"]:
        hours = int((campaigns.now - row["sent_at"]).total_seconds() // 3600)
        level, note = "hatched", f"sent {_ago(hours)}, still coming in"
    elif row["is_small"]:
        level, note = "small", "fewer than 100 delivered, not in the median"
    color = {"hatched": "h1", "small": "c6", "": "c1"}[level]
    cells = []
    for rate, name in RATES.items():
        value, usual = row[rate], campaigns.median(rate)
        title = f"{name} {percent(value)}" + (f", median {percent(usual)}" if usual else "")
        chart = "" if value is None else charts.dot(value, usual, tops[rate], color, title)
        cells.append(Cell(percent(value), value if value is not None else -1, chart, name))
    return Line(
        row["name"],
        row["subject"] if row["subject"] and row["subject"] != row["name"] else "",
        note,
        day(row["sent_at"], today=campaigns.now.date()),
        row["sent_at"].timestamp(),
        row["delivered"],
        cells,
        level,
    )


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
        "Rates are of the emails delivered, that of bounces of those sent."
    )


def csv(campaigns: Campaigns) -> str:
    """Return all campaigns as the address of a CSV file inside the page."""
    rows = [{**row, "sent_at": row["sent_at"].strftime("%Y-%m-%d %H:%M")} for row in campaigns.rows]
    return csv_link(_CSV, rows)
