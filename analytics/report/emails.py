"""Sections on emails: deliverability, times, weeks, devices and links; and on SMS."""

from __future__ import annotations

from datetime import timedelta

from analytics.report import charts
from analytics.report.campaigns import Campaigns
from analytics.report.charts import Bar, Part
from analytics.report.monday import THRESHOLDS
from analytics.report.section import Section
from analytics.report.text import day, number, percent, plural
from analytics.warehouse import Row, Warehouse

BOUNCES = {
    "gone": ("c2", "Address does not exist or is suspended", ("B", "S")),
    "undeliverable": ("c4", "Undeliverable", ("D",)),
    "full": ("c3", "Mailbox full", ("F",)),
    "blocked": ("c5", "Blocked", ("Z",)),
    "other": ("c6", "Other", ("X",)),
    "vacation": ("c7", "Vacation reply (was delivered)", ("V",)),
}
"""Groups of bounce codes, each with its color."""

_TO_REMOVE = "'B', 'S', 'D'"
_FEW = 50  # emails; a rate of fewer says nothing
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def deliverability(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show the bounces of each campaign by group, and what is above a threshold."""
    counted = warehouse.rows(
        """
        select campaign_id, bounce_code, count(distinct contact_id) as contacts
        from constantcontact__engagement_events
        where kind = 'bounce'
        group by campaign_id, bounce_code
        """
    )
    groups = {code: group for group, (_, _, codes) in BOUNCES.items() for code in codes}
    rows: list[Row] = []
    for campaign in reversed([row for row in campaigns.settled if row["sends"]]):
        own = dict.fromkeys(BOUNCES, 0)
        for row in counted:
            if row["campaign_id"] == campaign["campaign_id"]:
                own[groups.get(row["bounce_code"], "other")] += row["contacts"]
        rows.append({**campaign, **own, "sent": campaign["sent_at"].date()})
    drawn = [
        Bar(f"{row['sent']:%b %Y}", [
            Part(100 * row[group] / row["sends"], color,
                 f"{row['name']}, {day(row['sent'])}: {name}, {row[group]} of "
                 f"{number(row['sends'])} ({percent(row[group] / row['sends'])})")
            for group, (color, name, _) in BOUNCES.items()
        ])
        for row in rows if not row["is_small"]
    ]  # fmt: skip
    (remove,) = warehouse.rows(
        f"""
        select count(distinct contact_id) as contacts
        from constantcontact__engagement_events
        join constantcontact__contacts using (contact_id)
        where kind = 'bounce' and bounce_code in ({_TO_REMOVE}) and is_reachable
            and happened_at > :now - interval '365 days'
        """  # noqa: S608 - constants
    )
    above = {
        rate: sum((row[rate] or 0) > most for row in campaigns.counted)
        for rate, most in THRESHOLDS.items()
    }
    spam = sum((row["spam_reports"] or 0) > 0.001 * row["delivered"] for row in campaigns.counted)
    count = remove["contacts"]
    title = f"{number(count)} {'address' if count == 1 else 'addresses'} to remove"
    note = (
        f"Reachable contacts that bounced in the last year as nonexistent, suspended or "
        "undeliverable. Chart: bounces of each campaign in percent of the emails sent, line at 2%. "
        f"Above 2% bounced: {above['bounce_rate']}. Above 0.5% unsubscribed: "
        f"{above['opt_out_rate']}. Above 0.1% reported as spam: {spam}."
    )
    names = {color: name for color, name, _ in BOUNCES.values()}
    figure = charts.legend(names) + charts.columns(drawn, "%", 2)
    heads = {
        "sent": "Sent", "name": "Campaign", "sends": "Emails",
        **{group: name for group, (_, name, _) in BOUNCES.items()},
    }  # fmt: skip
    label = f"Bounces of {len(drawn)} campaigns by reason. {title}. {note}"
    return Section(
        "deliverability",
        title,
        note,
        figure if drawn else "",
        label,
        heads,
        rows[::-1],
        is_wide=True,
    )


def send_times(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show open rates by the weekday and hour of sending."""
    slots: dict[tuple[int, int], list[Row]] = {}
    for row in campaigns.settled:
        if row["unique_opens"] is not None:
            slots.setdefault((row["sent_at"].weekday(), row["sent_at"].hour), []).append(row)
    rows, cells = [], {}
    for (weekday, hour), sent in sorted(slots.items()):
        delivered = sum(row["delivered"] for row in sent)
        rate = campaigns.rate_of("open_rate", sent) or 0
        rows.append({
            "weekday": _WEEKDAYS[weekday], "hour": f"{hour}:00", "campaigns": len(sent),
            "delivered": delivered, "open_rate": rate, "slot": (weekday, hour),
        })  # fmt: skip
    enough = [row for row in rows if row["delivered"] >= _FEW]
    rates = sorted(row["open_rate"] for row in enough)
    hours = sorted({row["slot"][1] for row in rows})
    heads = list(range(hours[0], hours[-1] + 1)) if hours else []
    for row in rows:
        weekday, hour = row["slot"]
        level = sum(row["open_rate"] > rate for rate in rates) * 5 // max(len(rates), 1)
        title = (
            f"{row['weekday']} {row['hour']}: {percent(row['open_rate'])} of "
            f"{number(row['delivered'])} opened, {plural(row['campaigns'], 'campaign')}"
        )
        color = f"q{level}" if row in enough else "few"
        cells[weekday, hour - heads[0]] = Part(row["open_rate"], color, title)
    title = "No campaign has been sent"
    if enough:
        best = max(enough, key=lambda row: row["open_rate"])
        title = (
            f"{best['weekday']} {best['hour']} had the best open rate, "
            f"{percent(best['open_rate'])} of {number(best['delivered'])} emails"
        )
    note = (
        f"Percent opened by the hour of sending, in {warehouse.time_zone}, last twelve months. "
        "Empty: nothing was sent then. Gray: fewer than 50 emails. What was sent differs too: "
        "take it as a hint."
    )
    columns = {
        "weekday": "Weekday", "hour": "Hour", "campaigns": "Campaigns", "delivered": "Delivered",
        "open_rate": "Open rate",
    }  # fmt: skip
    figure = charts.heat(_WEEKDAYS, [str(hour) for hour in heads], cells) if cells else ""
    return Section("send-times", title, note, figure, f"Heat map. {title}.", columns, rows)


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
    title = "No email was opened in the last year"
    today = campaigns.now.date()
    by_week = {row["week"]: row for row in rows}
    this_week = today - timedelta(today.weekday())
    drawn = []
    for back in range(51, -1, -1):
        week = this_week - timedelta(7 * back)
        row = by_week.get(week, {"opens": 0, "clicks": 0, "sends": 0})
        so_far = " so far" if back == 0 else ""
        drawn.append(
            Bar(f"{week:%b %Y}", [
                Part(row["opens"], "h1" if so_far else "c1",
                     f"Week of {day(week)}{so_far}: {plural(row['opens'], 'open')}, "
                     f"{plural(row['clicks'], 'click')}, {plural(row['sends'], 'email')} sent"),
            ])
        )  # fmt: skip
    if any(row["opens"] for row in rows):
        best = max(rows, key=lambda row: row["opens"])
        title = f"Busiest week: {day(best['week'])}, {number(best['opens'])} opens"
    note = (
        "Opens of all campaigns by week, repeated ones included, 52 weeks. The hatched week is not "
        "over. Mail programs that load pictures themselves count as opens."
    )
    columns = {"week": "Week of", "sends": "Sent", "opens": "Opens", "clicks": "Clicks"}
    return Section(
        "weeks", title, note, charts.columns(drawn, labels=4) if rows else "", f"{title}. {note}",
        columns, rows[::-1],
    )  # fmt: skip


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
    title = "No email was opened in the last year"
    for row in rows:
        row["share"] = row["opens"] / total
    if rows:
        title = f"{percent(rows[0]['share'])} of opens were on a {rows[0]['device']} device"
        title = title.replace("a computer device", "a computer").replace("a other", "another")
        title = title.replace("a tablet device", "a tablet")
    drawn = [
        Part(
            row["opens"], f"c{place + 1}", f"{row['device'].capitalize()}: {percent(row['share'])}"
        )
        for place, row in enumerate(rows[:6])
    ]
    columns = {"device": "Device", "opens": "Opens", "share": "Share"}
    note = "Opens of the last twelve months."
    figure = charts.stack(drawn) if rows else ""
    label = f"{title}. {note}"
    return Section("devices", title, note, figure, label, columns, rows)


def links(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show the links that most contacts clicked, all in one period."""
    del campaigns
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
    title = "Nobody clicked a link in the last year"
    if rows:
        title = f"{rows[0]['link'].rstrip('/')} was clicked by most contacts"
    drawn = [
        Bar(row["link"], [Part(row["contacts"], "c1", f"{row['link']}: "
            f"{plural(row['contacts'], 'contact')}, {plural(row['clicks'], 'click')}, "
            f"{plural(row['campaigns'], 'campaign')}")], number(row["contacts"]))
        for row in rows
    ]  # fmt: skip
    columns = {"link": "Link", "contacts": "Contacts", "clicks": "Clicks", "campaigns": "Campaigns"}
    note = (
        "Contacts that clicked in the last twelve months. Addresses are without their parameters."
    )
    return Section(
        "links", title, note, charts.bars(drawn) if rows else "", f"{title}. {note}", columns, rows
    )


def sms(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show how SMS campaigns did."""
    today = campaigns.now.date()
    rows = warehouse.rows(
        """
        select name, last_sent_at, delivered, unique_clicks, opt_outs, click_rate
        from constantcontact__sms_campaigns
        where delivered > 0 and last_sent_at > :today - interval '365 days'
        order by last_sent_at desc
        limit 10
        """
    )
    for row in rows:
        row["sent"] = warehouse.local(row["last_sent_at"]).date()
        row["click_rate"] = row["click_rate"] or 0.0
    title = "No SMS was sent in the last year"
    if rows:
        clicks, delivered = (sum(row[key] or 0 for row in rows)
                             for key in ("unique_clicks", "delivered"))  # fmt: skip
        title = f"{percent(clicks / delivered)} clicked in an SMS"
    drawn = [
        Bar(f"{row['name']}, {day(row['sent'], today=today)}",
            [Part(row["click_rate"], "c3", f"{row['name']}: {percent(row['click_rate'])} of "
                  f"{number(row['delivered'])} clicked, {row['opt_outs']} opted out")],
            percent(row["click_rate"]))
        for row in rows
    ]  # fmt: skip
    columns = {
        "sent": "Sent", "name": "Campaign", "delivered": "Delivered", "unique_clicks": "Clicked",
        "click_rate": "Click rate", "opt_outs": "Opted out",
    }  # fmt: skip
    note = "Click rate of those delivered, last ten SMS campaigns of twelve months."
    return Section(
        "sms", title, note, charts.bars(drawn) if rows else "", f"{title}. {note}", columns, rows
    )
