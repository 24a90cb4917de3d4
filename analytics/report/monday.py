"""The first thing on Monday: three sentences on what needs care, and the tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from analytics.report import charts
from analytics.report.campaigns import DAYS, RATES, THRESHOLDS, Campaigns
from analytics.report.section import lacking
from analytics.report.text import day, number, percent, plural, signed
from analytics.warehouse import Row, Warehouse

DAYS_OF_CAMPAIGNS = 90

USUAL = (
    "Usual: the median of the eleven 30-day periods before. Campaigns sent in the last 48 hours "
    "are not compared, and those with fewer than 100 emails delivered are neither best nor worst."
)
"""What the sentences compare with."""

_JUDGED_BY = {"opt_out_rate": "opt_out_rate", "bounce_rate": "failure_rate"}
_MUCH = 1.25  # times the usual rate
_BY_CHANCE = 5  # more than usual
_MANY = 0.03  # of the reachable contacts
_FEWEST = 3  # campaigns that a median says something of


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
        change: How it changed against the period before, and what is usual.
        level: Class of the change: `bad` or `good` beside the usual, or `calm`.
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
    heads: dict[str, tuple[tuple[str, ...], Callable[[], Sentence]]] = {
        "Campaigns": (("email_campaigns", "email_opens"), lambda: best_and_worst(campaigns)),
        "Deliverability": (("email_campaigns",), lambda: above_usual(campaigns)),
        "Contacts": (("contacts", "email_opens"), lambda: went_cold(warehouse)),
    }
    return [
        _not_loaded(head, missing)
        if (missing := lacking(warehouse.data, [(stream,) for stream in streams]))
        else write()
        for head, (streams, write) in heads.items()
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
    if usual is None or len(recent) <= 1 or len(counted) < _FEWEST:
        return Sentence(head, "Too few campaigns to compare.", "calm")
    best = max(recent, key=lambda row: row["opened_early"])
    worst = min(recent, key=lambda row: row["opened_early"])
    most = max(recent, key=lambda row: row["opt_out_rate"] or 0)
    if best["opened_early"] == worst["opened_early"]:
        rate = percent(best["opened_early"])
        return Sentence(head, f"{plural(len(recent), 'campaign')}, each opened by {rate}.", "calm")
    left = (
        f"{number(most['opt_outs'])} of {number(most['delivered'])} unsubscribed "
        f"({percent(most['opt_out_rate'])})"
    )
    has_left = (most["opt_out_rate"] or 0) > THRESHOLDS["opt_out_rate"]
    opened = percent(best["opened_early"])
    texts = [
        f"Best was {_named(best, today)}: {opened} opened it within 48 hours.",
        f"Worst was {_named(worst, today)}: {percent(worst['opened_early'])}"
        + (f", and {left}." if has_left and most is worst else "."),
        f"The median of twelve months is {percent(usual)}.",
    ]
    if has_left and most is not worst:
        texts.append(f"Most left after {_named(most, today)}: {left}.")
    is_bad = has_left or worst["opened_early"] < usual / _MUCH
    return Sentence(head, " ".join(texts), "bad" if is_bad else "calm")


def _named(row: Row, today: date) -> str:
    return f"“{row['name']}” ({day(row['sent_at'], today=today)})"


def above_usual(campaigns: Campaigns) -> Sentence:
    """Compare bounces and unsubscribes of the last 30 days with the usual rates.

    The rate of bounces is the API's, which includes vacation replies. Whether it is too high is
    judged without those: their emails were delivered.
    """
    head = f"Deliverability, {DAYS} days"
    recent = campaigns.periods[0]
    texts, level = [], "good"
    for rate, name in (("bounce_rate", "Bounces"), ("opt_out_rate", "Unsubscribes")):
        judged = _JUDGED_BY[rate]
        now, usual = campaigns.rate_of(rate, recent), campaigns.usual(rate)
        if now is None or usual is None:
            return Sentence(head, "Too few campaigns to compare.", "calm")
        rose, is_high = _verdict(campaigns, judged)
        replies = ""
        if judged != rate and (share := now - (campaigns.rate_of(judged, recent) or 0)) > 0:
            replies = f", including vacation replies to {percent(share)} of emails"
        limit = f", over the limit of {100 * THRESHOLDS[judged]:g}%" if is_high else ""
        verb = "rose to" if rose else "are at"
        texts.append(f"{name} {verb} {percent(now)} (usual: {percent(usual)}){replies}{limit}.")
        level = "bad" if rose or is_high else level
    if level == "good":
        texts.append("Nothing to do.")
    return Sentence(head, " ".join(texts), level)


def _verdict(campaigns: Campaigns, rate: str) -> tuple[bool, bool]:
    """Return whether a rate of the last period is above the usual one, and above its threshold."""
    count, whole = campaigns.counts_of(rate, campaigns.periods[0])
    usual = campaigns.usual(rate) or 0
    rose = count > _MUCH * usual * whole and count - usual * whole >= _BY_CHANCE
    return rose, count > THRESHOLDS[rate] * whole


def went_cold(warehouse: Warehouse) -> Sentence:
    """Count the contacts that became cooling or cold in the last 30 days."""
    engaged, cold = (
        int(warehouse.variables[f"constantcontact_{name}_days"]) for name in ("engaged", "cold")
    )
    (counts,) = warehouse.rows(
        f"""
        select count(*) as reachable,
            sum(case when health = 'engaged' then 1 else 0 end) as engaged,
            sum(case when health = 'cooling' then 1 else 0 end) as cooling,
            sum(case when health = 'cold' then 1 else 0 end) as cold,
            sum(case when health = 'cooling' and last_engaged_at
                > :now - interval '{engaged + DAYS} days' then 1 else 0 end) as newly_cooling,
            sum(case when health = 'cold' and last_engaged_at
                > :now - interval '{cold + DAYS} days' then 1 else 0 end) as newly_cold
        from constantcontact__contact_health
        """  # noqa: S608 - numbers of days
    )
    count = {name: int(value or 0) for name, value in counts.items()}
    too_new = count["reachable"] - count["engaged"] - count["cooling"] - count["cold"]
    text = (
        f"{plural(count['newly_cooling'], 'contact')} began to cool: no open or click for "
        f"{engaged} days. {number(count['newly_cold'])} went cold: none for {cold} days. Of "
        f"{plural(count['reachable'], 'reachable contact')}, {number(count['engaged'])} are "
        f"engaged, {number(count['cooling'])} cooling, {number(count['cold'])} cold and "
        f"{number(too_new)} too new to tell."
    )
    lost = count["newly_cooling"] + count["newly_cold"]
    level = "bad" if lost > _MANY * count["reachable"] else "calm" if lost else "good"
    return Sentence(f"Contacts, {DAYS} days", text, level)


def tiles(warehouse: Warehouse, campaigns: Campaigns) -> list[Tile]:
    """Return the numbers on top.

    Args:
        warehouse: Where the marts are.
        campaigns: Those of the last twelve months.
    """
    of_campaigns = [rate_tile(campaigns, rate, name) for rate, name in RATES.items()]
    if lacking(warehouse.data, [("contacts",)]):
        names = ("New contacts", "Net growth")
        return [*of_campaigns, *(Tile(name, "not loaded", "", "calm", "") for name in names)]
    return [*of_campaigns, *_growth_tiles(warehouse)]


def rate_tile(campaigns: Campaigns, rate: str, name: str) -> Tile:
    """Return a rate of the last 30 days, with its change.

    Args:
        campaigns: Those of the last twelve months.
        rate: The rate.
        name: What the tile is called.
    """
    rates = [campaigns.rate_of(rate, rows) for rows in campaigns.periods]
    now, before = rates[:2]
    usual = campaigns.usual(rate)
    change, level = "nothing to compare with", "calm"
    if now is not None and usual is not None:
        rose = over = False
        if judged := _JUDGED_BY.get(rate):
            rose, over = _verdict(campaigns, judged)
            level = "bad" if rose or over else "calm"
        else:
            level = "bad" if now < usual / _MUCH else "good" if now > usual * _MUCH else "calm"
        change = _beside(now, usual, level, percent)
        if over and not rose:
            change = f"over the limit of {100 * THRESHOLDS[judged or rate]:g}%"
        if before is not None:
            points = 100 * (now - before)
            sign = "+" if points >= 0 else "\N{MINUS SIGN}"
            change += f"; {sign}{abs(points):.1f} points from {percent(before)}"
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
    return [
        growth_tile(name, [by_period[back][key] if back in by_period else 0 for back in range(12)],
                    write)
        for key, name, write in (("added", "New contacts", number), ("net", "Net growth", signed))
    ]  # fmt: skip


def growth_tile(name: str, values: Sequence[int], write: Callable[[float], str]) -> Tile:
    """Return the number of contacts that came in twelve periods, the last period first.

    Args:
        name: What the tile is called.
        values: The numbers.
        write: Writes one of them.
    """
    now, before, usual = values[0], values[1], median(values[1:])
    far = max(abs(usual) * (_MUCH - 1), _BY_CHANCE)
    level = "bad" if now < usual - far else "good" if now > usual + far else "calm"
    change = f"{_beside(now, usual, level, write)}; {signed(now - before)} from {write(before)}"
    spark = charts.sparkline(values[::-1], f"{name} of the last twelve times 30 days")
    return Tile(name, write(now), change, level, spark)


def _beside(now: float, usual: float, level: str, write: Callable[[float], str]) -> str:
    """Return in words how a number is beside the usual one, which colors alone do not say."""
    if level == "calm":
        return f"usual: {write(usual)}"
    return f"{'above' if now > usual else 'below'} the usual {write(usual)}"
