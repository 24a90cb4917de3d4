"""Sections on emails: when they were sent, when and where opened, and what was clicked."""

from __future__ import annotations

from datetime import timedelta

from analytics.report import charts
from analytics.report.campaigns import Campaigns
from analytics.report.charts import Bar, Cell, Column, Part
from analytics.report.section import Section
from analytics.report.text import day, number, percent, plural, short
from analytics.warehouse import Row, Warehouse

_FEW = 50  # emails; a rate of fewer says nothing
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def send_times(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show open rates by the weekday and hour of sending."""
    del campaigns
    rows = warehouse.rows(
        """
        select weekday, hour, time_zone, emails, delivered, open_rate, click_rate
        from constantcontact__send_times
        where delivered > 0 and open_rate is not null
        order by weekday, hour
        """
    )
    enough = [row for row in rows if row["delivered"] >= _FEW]
    rates = sorted(row["open_rate"] for row in enough)
    hours = [row["hour"] for row in rows]
    heads = range(min(hours, default=0), max(hours, default=-1) + 1)
    cells = {}
    for row in rows:
        place = (row["weekday"] - 1, row["hour"] - heads[0])
        row["weekday"], row["hour"] = _WEEKDAYS[place[0]], f"{row['hour']}:00"
        level = sum(row["open_rate"] > rate for rate in rates) * 5 // max(len(rates), 1)
        cells[place] = _slot(row, f"q{level}" if row in enough else "few")
    title = "Too few emails to compare send times" if rows else "No email has been sent"
    if enough:
        best = max(enough, key=lambda row: row["open_rate"])
        title = (
            f"{best['weekday']} {best['hour']} had the best open rate, "
            f"{percent(best['open_rate'])} of {number(best['delivered'])} emails"
        )
    (account,) = warehouse.rows(
        "select min(first_sent_at) as since from constantcontact__campaign_emails"
    )
    since = f" since {day(warehouse.local(account['since']))}" if account["since"] else ""
    zone = rows[0]["time_zone"] if rows else "UTC"
    note = (
        f"Percent opened by the hour of sending, in {zone}, and below it how many emails were "
        f"delivered{since}, without resends. Gray: fewer than {_FEW}. Take it as a hint: the "
        "emails differed as well."
    )
    columns = {
        "weekday": "Weekday", "hour": "Hour", "emails": "Campaigns", "delivered": "Delivered",
        "open_rate": "Open rate", "click_rate": "Click rate",
    }  # fmt: skip
    figure = charts.heat(_WEEKDAYS, [str(hour) for hour in heads], cells) if cells else ""
    return Section("send-times", title, note, figure, f"Heat map. {title}", columns, rows)


def _slot(row: Row, color: str) -> Cell:
    title = (
        f"{row['weekday']} {row['hour']}: {percent(row['open_rate'])} of "
        f"{number(row['delivered'])} opened, {plural(row['emails'], 'campaign')}"
    )
    return Cell(f"{100 * row['open_rate']:.0f}", short(row["delivered"]), color, title)


def weeks(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show opens and clicks by week; the one that has not ended is hatched."""
    rows = warehouse.rows(
        """
        select cast(date_trunc('week', day) as date) as week, cast(sum(sends) as integer) as sends,
            cast(sum(opens) as integer) as opens, cast(sum(clicks) as integer) as clicks
        from constantcontact__daily_engagement
        where day >= date_trunc('week', :today) - interval '51 weeks' and day <= :today
        group by 1
        order by 1
        """
    )
    title = "No email was opened in the last twelve months"
    today = campaigns.now.date()
    by_week = {row["week"]: row for row in rows}
    this_week = today - timedelta(today.weekday())
    drawn = []
    for back in range(51, -1, -1):
        week = this_week - timedelta(7 * back)
        row = by_week.get(week, {"opens": 0, "clicks": 0, "sends": 0})
        so_far = "" if back else " so far"
        drawn.append(Column(
            f"{week:%b %Y}", [(row["opens"], "h1" if so_far else "c1")],
            f"Week of {day(week)}{so_far}: {plural(row['opens'], 'open')}, "
            f"{plural(row['clicks'], 'click')}, {plural(row['sends'], 'email')} sent",
        ))  # fmt: skip
    label = title
    if any(row["opens"] for row in rows):
        best = max(rows, key=lambda row: row["opens"])
        title = f"Busiest week: {day(best['week'])}, with {number(best['opens'])} opens"
        average = sum(row["opens"] for row in rows) / len(drawn)
        label = f"Opens by week. {title}; {number(average)} in an average week of 52"
    note = (
        "Opens of all campaigns by week, repeated ones included, 52 weeks. The hatched week is not "
        "over. Mail programs that load pictures automatically count as opens."
    )
    columns = {"week": "Week of", "sends": "Sent", "opens": "Opens", "clicks": "Clicks"}
    figure = charts.columns(drawn, labels=4) if rows else ""
    return Section("weeks", title, note, figure, label, columns, rows[::-1])


def devices(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show on which devices emails were opened."""
    del campaigns
    rows = warehouse.rows(
        """
        select coalesce(device_type, 'other') as device, count(*) as opens
        from constantcontact__engagement_events
        where kind = 'open' and happened_at > :now - interval '365 days'
        group by 1
        order by 2 desc, 1
        """
    )
    total = sum(row["opens"] for row in rows)
    title = "No email was opened in the last twelve months"
    for row in rows:
        row["share"] = row["opens"] / total
    if rows:
        kinds = {"mobile": "phones", "computer": "computers", "tablet": "tablets"}
        device = kinds.get(rows[0]["device"], f"“{rows[0]['device']}” devices")
        title = f"{percent(rows[0]['share'])} of opens were on {device}"
    drawn = [
        Part(
            row["opens"], f"c{place + 1}", f"{row['device'].capitalize()}: {percent(row['share'])}"
        )
        for place, row in enumerate(rows[:6])
    ]
    columns = {"device": "Device", "opens": "Opens", "share": "Share"}
    note = "Opens of the last twelve months, by the device that Constant Contact detected."
    figure = charts.stack(drawn) if rows else ""
    label = f"{title}. {', '.join(part.title for part in drawn)}"
    return Section("devices", title, note, figure, label, columns, rows)


def links(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show the links that most contacts clicked, all in one period."""
    rows = warehouse.rows(
        """
        select split_part(split_part(link_url, '://', 2), '?', 1) as link,
            count(distinct contact_id) as contacts, count(*) as clicks,
            count(distinct campaign_id) as campaigns
        from constantcontact__engagement_events
        where kind = 'click' and link_url like '%://%'
            and happened_at > :now - interval '365 days'
        group by 1
        order by 2 desc, 1
        limit 10
        """
    )
    title = "Nobody clicked a link in the last twelve months"
    if rows:
        link = rows[0]["link"].rstrip("/")
        title = f"Most clicked: {link}, by {plural(rows[0]['contacts'], 'contact')}"
    drawn = [
        Bar(row["link"], [Part(row["contacts"], "c1", f"{plural(row['contacts'], 'contact')}, "
            f"{plural(row['clicks'], 'click')}, {plural(row['campaigns'], 'campaign')}")],
            number(row["contacts"]))
        for row in rows
    ]  # fmt: skip
    columns = {"link": "Link", "contacts": "Contacts", "clicks": "Clicks", "campaigns": "Campaigns"}
    start = (campaigns.now - timedelta(365)).date()
    note = (
        f"Contacts that clicked from {day(start)} to {day(campaigns.now.date())}. Addresses are "
        "without their parameters."
    )
    return Section(
        "links", title, note, charts.bars(drawn) if rows else "",
        f"{title}. {charts.spoken(drawn)}", columns, rows, is_wide=True,
    )  # fmt: skip
