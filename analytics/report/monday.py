"""The first thing on Monday: three sentences on what needs care, and the tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from analytics.report import charts
from analytics.report.campaigns import RATES, Campaigns
from analytics.report.section import lacking
from analytics.report.text import day, number, percent, plural, signed
from analytics.warehouse import Row, Warehouse

DAYS_OF_CAMPAIGNS, DAYS_OF_RATES = 90, 30

THRESHOLDS = {"bounce_rate": 0.02, "opt_out_rate": 0.005}
"""Above these rates, mailbox providers and the vendor take offense."""

_WORSE_IF_HIGHER = {"opt_out_rate", "bounce_rate"}
_MUCH = 1.25  # times the usual rate


@dataclass
class Sentence:
    """A sentence that needs care, or says that nothing does.

    Attributes:
        head: What it is about.
        text: The sentence.
        level: Class of the page: `bad`, `good`, or `calm`.
    """

    head: str
    text: str
    level: str


@dataclass
class Tile:
    """A number on top.

    Attributes:
        name: What it is.
        value: The number.
        change: How it changed against the period before.
        level: Class of the change: `bad`, `good`, or `calm`.
        spark: Its last twelve months, as SVG.
    """

    name: str
    value: str
    change: str
    level: str
    spark: str


def sentences(warehouse: Warehouse, campaigns: Campaigns) -> list[Sentence]:
    """Return what needs care.

    Args:
        warehouse: Where the marts are.
        campaigns: Those of the last twelve months.
    """
    data = warehouse.data
    cold = lacking(data, [("contacts",), ("email_opens",)])
    return [
        _not_loaded("Campaigns", ["email_campaigns"])
        if "email_campaigns" not in data.streams
        else best_and_worst(campaigns),
        _not_loaded("Deliverability", ["email_campaigns"])
        if "email_campaigns" not in data.streams
        else above_usual(campaigns),
        _not_loaded("Contacts", cold) if cold else went_cold(warehouse),
    ]


def _not_loaded(head: str, streams: Sequence[str]) -> Sentence:
    verb = "is" if len(streams) == 1 else "are"
    return Sentence(head, f"Not loaded: {' and '.join(streams)} {verb} not selected.", "calm")


def best_and_worst(campaigns: Campaigns) -> Sentence:
    """Compare the campaigns of the last 90 days with the median, all at the age of 48 hours."""
    today = campaigns.now.date()
    counted = [row for row in campaigns.counted if row["opened_early"] is not None]
    recent = [
        row for row in counted if row["sent_at"].date() > today - timedelta(DAYS_OF_CAMPAIGNS)
    ]
    head = f"Campaigns, {DAYS_OF_CAMPAIGNS} days"
    usual = campaigns.median("opened_early")
    if usual is None or len(recent) <= 1:
        return Sentence(head, "Too few campaigns for a comparison.", "calm")
    best = max(recent, key=lambda row: row["opened_early"])
    worst = min(recent, key=lambda row: row["opened_early"])
    optouts = ""
    if (worst["opt_out_rate"] or 0) > THRESHOLDS["opt_out_rate"]:
        optouts = (
            f" {number(worst['opt_outs'])} of {number(worst['delivered'])} unsubscribed "
            f"({percent(worst['opt_out_rate'])})."
        )
    return Sentence(
        head,
        f"Best: “{best['name']}” ({day(best['sent_at'], today=today)}), "
        f"{percent(best['opened_early'])} opened within 48 hours. "
        f"Worst: “{worst['name']}” ({day(worst['sent_at'], today=today)}), "
        f"{percent(worst['opened_early'])}. The median is {percent(usual)}.{optouts}",
        "bad" if worst["opened_early"] < usual / _MUCH else "calm",
    )


def above_usual(campaigns: Campaigns) -> Sentence:
    """Compare bounces and unsubscribes of the last 30 days with those of the months before."""
    today = campaigns.now.date()
    start = today - timedelta(DAYS_OF_RATES)
    recent = campaigns.between(start, today)
    before = campaigns.between(date.min, start)
    head = f"Deliverability, {DAYS_OF_RATES} days"
    parts, level = [], "good"
    for rate, name in (("bounce_rate", "Bounces"), ("opt_out_rate", "Unsubscribes")):
        now, usual = campaigns.rate_of(rate, recent), campaigns.rate_of(rate, before)
        if now is None or usual is None:
            return Sentence(head, "Too few campaigns for a comparison.", "calm")
        is_high = now > usual * _MUCH or now > THRESHOLDS[rate]
        verb = "rose to" if now > usual * _MUCH else "are at"
        parts.append(f"{name} {verb} {percent(now)} (usual: {percent(usual)}).")
        level = "bad" if is_high else level
    if level == "good":
        parts.append("Nothing to do.")
    return Sentence(head, " ".join(parts), level)


def went_cold(warehouse: Warehouse) -> Sentence:
    """Count the contacts whose last open or click became older than 90 days in this period."""
    (counts,) = warehouse.rows(
        """
        select count(*) as cold,
            coalesce(sum(case when last_engaged_at >= :now - interval '120 days' then 1 end), 0)
                as new
        from constantcontact__contact_engagement
        join constantcontact__contacts using (contact_id)
        where is_reachable and last_engaged_at < :now - interval '90 days'
        """
    )
    new, cold = int(counts["new"]), int(counts["cold"])
    verb = "is" if cold == 1 else "are"
    text = (
        f"{plural(new, 'contact')} went cold in the last 30 days: no open or click for 90 days. "
        f"{plural(cold, 'contact')} that once opened or clicked {verb} cold now."
    )
    return Sentence("Contacts, 30 days", text, "bad" if new else "good")


def tiles(warehouse: Warehouse, campaigns: Campaigns) -> list[Tile]:
    """Return the numbers on top.

    Args:
        warehouse: Where the marts are.
        campaigns: Those of the last twelve months.
    """
    of_campaigns = [_rate_tile(campaigns, rate, name) for rate, name in RATES.items()]
    if lacking(warehouse.data, [("contacts",)]):
        names = ("New contacts", "Net growth")
        return [*of_campaigns, *(Tile(name, "not loaded", "", "calm", "") for name in names)]
    return [*of_campaigns, *_growth_tiles(warehouse)]


def _rate_tile(campaigns: Campaigns, rate: str, name: str) -> Tile:
    today = campaigns.now.date()
    starts = [today - timedelta(DAYS_OF_RATES * back) for back in range(13)]
    rates = [
        campaigns.rate_of(rate, campaigns.between(start, end)) for end, start in pairwise(starts)
    ]
    now, before = rates[0], rates[1]
    change, level = "nothing to compare with", "calm"
    if now is not None and before is not None:
        points = 100 * (now - before)
        sign = "+" if points >= 0 else "\N{MINUS SIGN}"
        change = f"{sign}{abs(points):.1f} points from {percent(before)}"
        is_worse = now > before if rate in _WORSE_IF_HIGHER else now < before
        level = "calm" if abs(now - before) < 0.1 * before else "bad" if is_worse else "good"
    title = f"{name} of the last twelve times 30 days"
    spark = charts.sparkline(rates[::-1], title)
    return Tile(name, percent(now), change, level, spark)


def _growth_tiles(warehouse: Warehouse) -> list[Tile]:
    rows = warehouse.rows(
        """
        select cast(floor((:today - day) / 30) as integer) as back,
            cast(sum(added) as integer) as added, cast(sum(net) as integer) as net
        from constantcontact__contact_growth
        where day > :today - 360 and day <= :today
        group by 1
        """
    )
    by_period: dict[int, Row] = {row["back"]: row for row in rows}
    made = []
    for key, name, write in (
        ("added", "New contacts", number), ("net", "Net growth", signed),
    ):  # fmt: skip
        values = [by_period[back][key] if back in by_period else 0 for back in range(12)]
        now, before = values[:2]
        level = "calm" if now == before else "bad" if now < before else "good"
        spark = charts.sparkline(values[::-1], f"{name} of the last twelve times 30 days")
        made.append(
            Tile(name, write(now), f"{signed(now - before)} from {write(before)}", level, spark)
        )
    return made
