"""The report: what a marketer would look at on a Monday, in one file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt
import jinja2
import vl_convert

from analytics import charts
from analytics.warehouse import PROJECT, LoadedData, Row, Warehouse

TEMPLATE = PROJECT / "report.html"

MAX_AGE_DAYS = 2

_MOST_REASONS = 8  # that are shown one by one


@dataclass
class Section:
    """A part of the report.

    Attributes:
        title: What is to be seen, as a sentence.
        note: What was counted.
        draw: Makes the chart, if there are rows.
        columns: Those of the table of numbers.
        rows: What the chart is drawn from.
        is_wide: Whether it takes the whole width of the page.
    """

    title: str
    note: str
    draw: Callable[[Sequence[Row]], alt.TopLevelMixin]
    columns: list[str]
    rows: list[Row]
    is_wide: bool = False

    @property
    def chart(self) -> str:
        """The chart as JSON that can stand in a page: no text in it ends the script."""
        return json.dumps(self.draw(self.rows).to_dict()).replace("<", "\\u003c")


def write(warehouse: Warehouse, file: Path) -> None:
    """Write the report on what the marts have now.

    Args:
        warehouse: Where they are.
        file: What to write, with its folders.

    Raises:
        Unusable: There are no marts.
    """
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        data=warehouse.data,
        read_at=warehouse.local(warehouse.data.read_at),
        age=_age(warehouse.data),
        time_zone=warehouse.time_zone,
        tiles=tiles(warehouse),
        sections=[
            _missing(streams)
            if (streams := lacking(warehouse.data, needed))
            else section(warehouse)
            for section, needed in SECTIONS.items()
        ],
        # What draws the charts, in the version of Vega-Lite that Altair writes.
        script=vl_convert.javascript_bundle(vl_version=alt.SCHEMA_VERSION.rpartition(".")[0]),
        written=_written,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


def lacking(data: LoadedData, needed: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the streams that a section lacks.

    Args:
        data: What was loaded.
        needed: Groups of streams. One of each group is enough.
    """
    return [group[0] for group in needed if data.streams.isdisjoint(group)]


def _missing(streams: Sequence[str]) -> Section:
    """Say that a section can't be made, which is not the same as that nothing happened."""
    verb = "is" if len(streams) == 1 else "are"
    title = f"Not loaded: {' and '.join(streams)} {verb} not selected"
    return Section(title, "", charts.links, [], [])


def _age(data: LoadedData) -> int | None:
    """Return how many days ago the data was read, if that is more than two."""
    days = (datetime.now(timezone.utc).replace(tzinfo=None) - data.read_at).days
    return days if days > MAX_AGE_DAYS else None


def tiles(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Return the few numbers on top, with what they are."""
    (counts,) = warehouse.rows(
        """
        select
            (select count(*) from constantcontact__contacts where is_reachable) as reachable,
            (select count(*) from constantcontact__contacts
                where added_at >= :today - interval '30 days') as added,
            (select count(*) from constantcontact__unsubscribes
                where day >= :today - interval '30 days') as unsubscribed,
            (select cast(coalesce(sum(opens), 0) as integer) from constantcontact__daily_engagement
                where day >= :today - interval '30 days') as opens,
            (select cast(coalesce(sum(clicks), 0) as integer) from constantcontact__daily_engagement
                where day >= :today - interval '30 days') as clicks
        """
    )
    names = {
        "reachable": "contacts can be written to",
        "added": "contacts new in 30 days",
        "unsubscribed": "unsubscribes in 30 days",
        "opens": "opens in 30 days",
        "clicks": "clicks in 30 days",
    }
    streams = {
        "reachable": "contacts", "added": "contacts", "unsubscribed": "contacts",
        "opens": "email_opens", "clicks": "email_clicks",
    }  # fmt: skip
    return [
        (_written(counts[key]) if streams[key] in warehouse.data.streams else "not loaded", name)
        for key, name in names.items()
    ]


def campaigns(warehouse: Warehouse) -> Section:
    """Show how the newest campaigns were received."""
    rows = warehouse.rows(
        """
        select name, cast(last_sent_at at time zone 'UTC' as timestamp) as sent_at, delivered,
            unique_opens, unique_clicks, open_rate, click_rate, bounces, opt_outs
        from constantcontact__campaigns
        where open_rate is not null and name is not null and not is_removed
        order by last_sent_at desc nulls last, name
        limit 10
        """
    )
    title = "No campaign has been sent"
    note = (
        "Beside each bar: who opened and who clicked, of those who got it. Mail programs that load "
        "pictures by themselves count as opens."
    )
    if rows:
        opened = _percent(rows[0]["open_rate"])
        title = f"“{rows[0]['name']}” was opened by {opened} of those who got it"
    if before := [row["open_rate"] for row in rows[1:]]:
        usual = f"{_percent(median(before))} is the median of the {len(before)} campaigns before."
        note = f"{usual} {note}"
    columns = ["name", "sent_at", "delivered", "unique_opens", "unique_clicks"]
    return Section(
        title, note, charts.campaigns, [*columns, "bounces", "opt_outs"], rows, is_wide=True
    )


def engagement(warehouse: Warehouse) -> Section:
    """Show opens and clicks over time."""
    rows = warehouse.rows(
        """
        select cast(date_trunc('week', day) as date) as week, cast(sum(sends) as integer) as sends,
            cast(sum(opens) as integer) as opens, cast(sum(clicks) as integer) as clicks
        from constantcontact__daily_engagement
        where day >= date_trunc('week', :today) - interval '51 weeks'
        group by 1
        order by 1
        """
    )
    title = "No email was opened in the last year"
    if any(row["opens"] for row in rows):
        week = max(rows, key=lambda row: row["opens"])["week"]
        title = f"The liveliest week of the year began on {week.day} {week:%B}"
    note = "Opens and clicks of all campaigns by week, repeated ones included."
    return Section(title, note, charts.engagement, ["week", "sends", "opens", "clicks"], rows)


def recency(warehouse: Warehouse) -> Section:
    """Show how long ago contacts opened an email."""
    rows = warehouse.rows(
        """
        select
            case
                when last_opened_at >= :today - interval '30 days' then 1
                when last_opened_at >= :today - interval '90 days' then 2
                when last_opened_at >= :today - interval '365 days' then 3
                when last_opened_at is not null then 4
                else 5
            end as age,
            count(*) as contacts
        from constantcontact__contact_engagement
        join constantcontact__contacts using (contact_id)
        where is_reachable
        group by 1
        order by 1
        """
    )
    ages = {
        1: "in the last 30 days",
        2: "31 to 90 days ago",
        3: "91 to 365 days ago",
        4: "more than a year ago",
        5: "never",
    }
    rows = [{"last_opened": ages[row["age"]], **row} for row in rows]
    title = "There are no contacts"
    if total := sum(row["contacts"] for row in rows):
        never = sum(row["contacts"] for row in rows if row["last_opened"] == "never")
        title = f"{_percent(never / total)} of contacts never opened an email"
    note = "When contacts that can be written to opened an email last."
    return Section(title, note, charts.recency, ["last_opened", "contacts"], rows)


def growth(warehouse: Warehouse) -> Section:
    """Show how the number of contacts grew."""
    rows = _months(warehouse)
    title = "There are no contacts"
    if rows:
        grown = sum(row["added"] + row["lost"] for row in rows)
        more = (
            f"{_written(abs(grown))} {'more' if grown >= 0 else 'fewer'} than before {_since(rows)}"
        )
        title = f"{_written(rows[-1]['contacts'])} contacts, {more}"
    note = "Contacts at the end of each month that had neither unsubscribed nor been deleted."
    return Section(title, note, charts.growth, ["month", "contacts"], rows)


def came_and_went(warehouse: Warehouse) -> Section:
    """Show how many contacts came and went."""
    rows = _months(warehouse)
    came, went = sum(row["added"] for row in rows), -sum(row["lost"] for row in rows)
    title = "There are no contacts"
    if rows:
        title = f"{_written(came)} contacts came since {_since(rows)}, and {_written(went)} went"
    note = "Contacts that were added, and those that unsubscribed or were deleted, by month."
    return Section(title, note, charts.came_and_went, ["month", "added", "lost"], rows)


def _months(warehouse: Warehouse) -> list[Row]:
    """Return how contacts came and went in this month and the eleven before, from the first on."""
    return warehouse.rows(
        """
        select cast(month as date) as month,
            cast(sum(case when day >= month then added else 0 end) as integer) as added,
            -cast(sum(case when day >= month then unsubscribed + deleted else 0 end) as integer)
                as lost,
            cast(sum(net) as integer) as contacts
        from generate_series(
            date_trunc('month', :today) - interval '11 months',
            cast(:today as timestamp),
            interval '1 month'
        ) as months (month)
        join constantcontact__contact_growth on day < month + interval '1 month'
        group by 1
        order by 1
        """
    )


def _since(months: list[Row]) -> str:
    return f"{months[0]['month']:%B %Y}"


def lists(warehouse: Warehouse) -> Section:
    """Show how many members lists have, and had a month ago."""
    rows = warehouse.rows(
        """
        select list_name, cast(sum(net) as integer) as members,
            cast(sum(case when day >= :today - interval '30 days' then net else 0 end)
                as integer) as net_of_30_days
        from constantcontact__list_growth
        where list_name is not null
        group by list_id, list_name
        having sum(net) > 0
        order by 2 desc, 1
        limit 10
        """
    )
    title = f"“{rows[0]['list_name']}” is the largest list" if rows else "No list has members"
    note = "Members now, and in brackets what the last 30 days added or took away."
    return Section(title, note, charts.lists, ["list_name", "members", "net_of_30_days"], rows)


def unsubscribes(warehouse: Warehouse) -> Section:
    """Show why contacts unsubscribed."""
    rows = warehouse.rows(
        """
        select coalesce(reason, 'no reason given') as reason, count(*) as unsubscribes
        from constantcontact__unsubscribes
        where day >= :today - interval '365 days'
        group by 1
        order by 2 desc, 1
        """
    )
    total = sum(row["unsubscribes"] for row in rows)
    title = f"{_written(total)} unsubscribed in the last year"
    note = "Reasons are in the contacts' own words."
    if rest := sum(row["unsubscribes"] for row in rows[_MOST_REASONS:]):
        rows = [*rows[:_MOST_REASONS], {"reason": "other reasons", "unsubscribes": rest}]
    return Section(title, note, charts.unsubscribes, ["reason", "unsubscribes"], rows)


def links(warehouse: Warehouse) -> Section:
    """Show the links that most contacts clicked."""
    rows = warehouse.rows(
        """
        select split_part(split_part(link_url, '://', 2), '?', 1) as link,
            cast(sum(unique_clicks) as integer) as clickers, cast(sum(clicks) as integer) as clicks,
            count(distinct campaign_id) as campaigns
        from constantcontact__link_performance
        where link_url like '%://%' and last_clicked_at >= :today - interval '365 days'
        group by 1
        order by 2 desc, 1
        limit 10
        """
    )
    title = "Nobody clicked a link in the last year"
    if rows:
        title = f"{rows[0]['link'].rstrip('/')} draws most clicks"
    note = (
        "Contacts that clicked, once for each email, of links that somebody clicked in the last "
        "year; addresses are without what follows the question mark."
    )
    return Section(title, note, charts.links, ["link", "clickers", "clicks", "campaigns"], rows)


def events(warehouse: Warehouse) -> Section:
    """Show who registered for events, and who came."""
    rows = warehouse.rows(
        """
        with local as (
            select *, starts_at > :now as is_coming,
                cast(starts_at at time zone 'UTC' as timestamp) as local_start
            from constantcontact__event_attendance
            where status in ('active', 'complete')
        ),

        nearest as (
            select *, row_number() over (
                partition by is_coming
                order by case when is_coming then starts_at end, starts_at desc
            ) as place
            from local
        )

        select title, local_start as starts_at, attended, registered, pending, canceled, is_coming,
            cast(local_start as date) - :today as days
        from nearest
        where place <= 6 and starts_at >= :today - interval '365 days'
        order by starts_at
        """
    )
    title = "No event is coming up"
    if event := next((row for row in rows if row["is_coming"]), None):
        when = {0: "today", 1: "tomorrow"}.get(event["days"], f"in {event['days']} days")
        title = f"“{event['title']}” is next, {when}, with {event['registered']} registered"
    note = "Registrations for the last six events of the year and for the next six."
    columns = ["title", "starts_at", "attended", "registered", "pending", "canceled"]
    return Section(title, note, charts.events, columns, rows)


SECTIONS: dict[Callable[[Warehouse], Section], tuple[tuple[str, ...], ...]] = {
    campaigns: (("email_campaigns",), ("email_campaign_stats", "email_campaign_summaries")),
    engagement: (("email_opens",), ("email_clicks",)),
    recency: (("contacts",), ("email_opens",)),
    growth: (("contacts",),),
    came_and_went: (("contacts",),),
    lists: (("contacts",), ("contact_lists",)),
    unsubscribes: (("contacts",), ("email_optouts",)),
    links: (("email_clicks", "email_links"),),
    events: (("events",),),
}
"""In the order of the page, with the streams that each needs: one of each group."""


def _written(value: Any) -> str:
    """Write a value of a table: numbers in groups of three digits, times without seconds."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return f"{value:,}" if isinstance(value, int) else str("" if value is None else value)


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"
