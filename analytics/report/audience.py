"""Sections on contacts: totals, engagement, growth, lists, unsubscribes and events."""

from __future__ import annotations

from datetime import timedelta

from analytics.report import charts
from analytics.report.campaigns import Campaigns
from analytics.report.charts import Bar, Part
from analytics.report.section import Section
from analytics.report.text import day, number, percent, plural, signed
from analytics.warehouse import Row, Warehouse

_MOST_REASONS = 8  # that are shown one by one

GROUPS = {
    "reachable": ("c1", "Reachable"),
    "pending": ("c3", "Waiting for confirmation"),
    "on_hold": ("c4", "On hold"),
    "no_permission": ("c5", "No permission"),
    "no_email": ("c7", "SMS only"),
    "unsubscribed": ("c2", "Unsubscribed"),
    "deleted": ("c6", "Deleted"),
}
"""The parts that all contacts consist of, each with its color."""


def totals(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show what all contacts consist of, as one bar."""
    del campaigns
    rows = warehouse.rows(
        """
        select
            case
                when is_deleted then 'deleted'
                when is_unsubscribed then 'unsubscribed'
                when is_reachable then 'reachable'
                when email_address is null then 'no_email'
                when permission_to_send = 'pending_confirmation' then 'pending'
                when permission_to_send = 'temp_hold' then 'on_hold'
                else 'no_permission'
            end as part,
            count(*) as contacts
        from constantcontact__contacts
        group by 1
        """
    )
    counts = {row["part"]: row["contacts"] for row in rows}
    total = sum(counts.values())
    rows = [{"group": name, "contacts": counts.get(part, 0)} for part, (_, name) in GROUPS.items()]
    title = "There are no contacts"
    if total:
        title = f"{number(counts.get('reachable', 0))} of {plural(total, 'contact')} can be emailed"
    drawn = [
        Part(counts.get(part, 0), color, f"{name}: {number(counts.get(part, 0))}")
        for part, (color, name) in GROUPS.items()
    ]
    label = f"{number(total)} contacts: " + ", ".join(part.title for part in drawn)
    columns = {"group": "Group", "contacts": "Contacts"}
    figure = charts.stack(drawn) if total else ""
    note = "All contacts as of now, each counted once."
    return Section("totals", title, note, figure, label, columns, rows, is_wide=True)


def engagement(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show how long ago reachable contacts opened or clicked."""
    last = max((row["last_sent_at"] for row in campaigns.settled), default=None)
    rows = warehouse.rows(
        f"""
        select
            case
                when last_engaged_at >= :now - interval '30 days' then 0
                when last_engaged_at >= :now - interval '90 days' then 1
                when last_engaged_at >= :now - interval '365 days' then 2
                when last_engaged_at is not null then 3
                when added_at >= :now - interval '30 days'
                    or added_at > {f"timestamp '{last}'" if last else ":now"} then 5
                else 4
            end as age,
            count(*) as contacts,
            sum(case when last_clicked_at >= :now - interval '365 days' then 1 else 0 end)
                as clicked
        from constantcontact__contact_engagement
        join constantcontact__contacts using (contact_id)
        where is_reachable
        group by 1
        """  # noqa: S608 - a time of the database
    )
    by_age = {row["age"]: row for row in rows}
    names = (
        "In the last 30 days", "31 to 90 days ago", "91 to 365 days ago", "More than a year ago",
        "Never", "Too new to tell",
    )  # fmt: skip
    colors = ("c1", "c1", "c4", "c2", "c2", "c6")
    none = {"contacts": 0, "clicked": 0}
    table = [
        {"engaged": name, "contacts": by_age.get(age, none)["contacts"],
         "clicked": int(by_age.get(age, none)["clicked"])}
        for age, name in enumerate(names)
    ]  # fmt: skip
    total = sum(row["contacts"] for row in table)
    title = "There are no contacts"
    if total:
        engaged = table[0]["contacts"] + table[1]["contacts"]
        title = f"{number(engaged)} of {number(total)} opened or clicked in the last 90 days"
    drawn = [
        Bar(row["engaged"], [Part(row["contacts"], color, f"{row['engaged']}: "
            f"{plural(row['contacts'], 'contact')}, {row['clicked']} clicked within a year")],
            f"{number(row['contacts'])} · {percent(row['contacts'] / total)}" if total else "0")
        for row, color in zip(table, colors, strict=True)
    ]  # fmt: skip
    note = (
        "Reachable contacts by their last open or click. Too new: added in the last 30 days or "
        "after the last campaign. Mail programs that load pictures themselves count as opens."
    )
    columns = {
        "engaged": "Last open or click",
        "contacts": "Contacts",
        "clicked": "Clicked in a year",
    }
    figure = charts.bars(drawn) if total else ""
    return Section("engagement", title, note, figure, f"{title}. {note}", columns, table)


def growth(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show how contacts came and went, by month; the one that has not ended is hatched."""
    del campaigns
    rows = warehouse.rows(
        """
        select cast(month as date) as month,
            cast(sum(case when day >= month then added else 0 end) as integer) as added,
            cast(sum(case when day >= month then unsubscribed + deleted else 0 end) as integer)
                as lost,
            cast(sum(net) as integer) as contacts
        from generate_series(
            date_trunc('month', :today) - interval '11 months',
            cast(:today as timestamp),
            interval '1 month'
        ) as months (month)
        join constantcontact__contact_growth on day < month + interval '1 month' and day <= :today
        group by 1
        order by 1
        """
    )
    title = "There are no contacts"
    if rows:
        net = sum(row["added"] - row["lost"] for row in rows)
        title = f"Net growth since {rows[0]['month']:%b %Y}: {signed(net)}"
    most = max((row["lost"] for row in rows), default=0)
    drawn = []
    for place, row in enumerate(rows):
        is_last = place == len(rows) - 1
        name = f"{row['month']:%b %Y}" + (" so far" if is_last else "")
        drawn.append(
            Bar(name, [
                Part(most - row["lost"], "", ""),
                Part(row["lost"], "h2" if is_last else "c2", f"{name}: {row['lost']} left"),
                Part(row["added"], "h1" if is_last else "c1", f"{name}: {row['added']} added"),
            ], f"{signed(row['added'])} {signed(-row['lost'])}")
        )  # fmt: skip
    note = (
        "Contacts added, and those that unsubscribed or were deleted, by month. The hatched month "
        "is not over. A contact that subscribes again no longer counts as having left."
    )
    columns = {
        "month": "Month",
        "added": "Added",
        "lost": "Left",
        "contacts": "Contacts at its end",
    }
    figure = charts.legend({"c2": "left", "c1": "added"}) + charts.bars(drawn) if rows else ""
    for row in rows:
        row["month"] = f"{row['month']:%Y-%m}"
    return Section("growth", title, note, figure, f"{title}. {note}", columns, rows, is_wide=True)


def lists(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show how many members lists have, and changes once their history is old enough."""
    (history,) = warehouse.rows("select min(dbt_valid_from) as since from list_membership_history")
    since = history["since"]
    watched = since is not None and since <= warehouse.data.read_at - timedelta(days=30)
    rows = warehouse.rows(
        """
        select list_name, cast(sum(net) as integer) as members,
            cast(sum(case when day > :today - 30 then joined else 0 end) as integer) as joined,
            cast(sum(case when day > :today - 30 then departed else 0 end) as integer) as departed
        from constantcontact__list_growth
        where list_name is not null
        group by list_id, list_name
        having sum(net) > 0
        order by 2 desc, 1
        limit 10
        """
    )
    drawn = [
        Bar(row["list_name"], [Part(row["members"], "c1",
            f"{row['list_name']}: {plural(row['members'], 'member')}")],
            number(row["members"]) + (_changes(row) if watched else ""))
        for row in rows
    ]  # fmt: skip
    title = f"“{rows[0]['list_name']}” is the largest list" if rows else "No list has members"
    note = "Members now, and who joined and left in the last 30 days."
    columns = {"list_name": "List", "members": "Members"}
    if watched:
        columns |= {"joined": "Joined", "departed": "Left"}
    else:
        first = warehouse.local(since).date() if since else campaigns.now.date()
        note = f"Members now. Watched since {day(first)}: changes are shown after 30 days."
    figure = charts.bars(drawn) if rows else ""
    return Section("lists", title, note, figure, f"{title}. {note}", columns, rows)


def _changes(row: Row) -> str:
    return f", {signed(row['joined'])} {signed(-row['departed'])}"


def unsubscribes(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show why contacts unsubscribed."""
    del campaigns
    rows = warehouse.rows(
        """
        select coalesce(reason, 'No reason given') as reason, count(*) as unsubscribes
        from constantcontact__unsubscribes
        where day > :today - 365 and day <= :today
        group by 1
        order by 2 desc, 1
        """
    )
    total = sum(row["unsubscribes"] for row in rows)
    title = f"{number(total)} unsubscribed in the last twelve months"
    if rest := sum(row["unsubscribes"] for row in rows[_MOST_REASONS:]):
        rows = [*rows[:_MOST_REASONS], {"reason": "Other reasons", "unsubscribes": rest}]
    drawn = [
        Bar(row["reason"], [Part(row["unsubscribes"], "c2", f"{row['reason']}: "
            f"{row['unsubscribes']}")], number(row["unsubscribes"]))
        for row in rows
    ]  # fmt: skip
    columns = {"reason": "Reason", "unsubscribes": "Unsubscribes"}
    note = "Reasons of the last twelve months, in the contacts' own words."
    figure = charts.bars(drawn) if rows else ""
    return Section("unsubscribes", title, note, figure, f"{title}. {note}", columns, rows)


def events(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show who registered for events, the coming ones before those that are over."""
    rows = warehouse.rows(
        """
        with nearest as (
            select *, starts_at > :now as is_coming, row_number() over (
                partition by starts_at > :now
                order by case when starts_at > :now then starts_at end, starts_at desc
            ) as place
            from constantcontact__event_attendance
            where status in ('active', 'complete')
        )

        select event_id, title, starts_at, attended, registered, pending, canceled, capacity,
            is_coming
        from nearest
        where place <= 6 and starts_at >= :today - interval '365 days'
        order by is_coming desc, case when is_coming then starts_at end, starts_at desc
        """
    )
    for row in rows:
        row["date"] = warehouse.local(row["starts_at"]).date()
        row["when"] = "coming" if row["is_coming"] else "over"
    today = campaigns.now.date()
    title = "No event is coming up"
    if event := next((row for row in rows if row["is_coming"]), None):
        days = (event["date"] - today).days
        when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
        title = f"“{event['title']}” is next, {when}, with {event['registered']} registered"
    top = max((row["registered"] + row["pending"] for row in rows), default=0) or 1
    groups = []
    for name, is_coming in (("Coming", True), ("Over", False)):
        own = [row for row in rows if row["is_coming"] == is_coming]
        if own:
            bars = charts.bars([_event(row) for row in own], top)
            groups.append(f"<h3>{name}</h3>{bars}")
    legend = charts.legend({"c1": "attended", "c3": "registered", "c4": "pending"})
    note = (
        "Registrations of the next six events, and of the last six of twelve months. Those who "
        "canceled do not count."
    )
    columns = {
        "date": "Date", "title": "Event", "when": "Coming or over", "attended": "Attended",
        "registered": "Registered", "pending": "Pending", "canceled": "Canceled",
        "capacity": "Capacity",
    }  # fmt: skip
    figure = legend + "".join(groups) if rows else ""
    return Section("events", title, note, figure, f"{title}. {note}", columns, rows, is_wide=True)


def _event(row: dict[str, object]) -> Bar:
    attended, registered, pending = (
        int(str(row[key])) for key in ("attended", "registered", "pending")
    )
    name = f"{row['title']}, {day(row['date'])}"  # type: ignore[arg-type]
    parts = [
        Part(attended, "c1", f"{name}: {attended} of {registered} attended"),
        Part(registered - attended, "c3", f"{name}: {registered} registered"),
        Part(pending, "c4", f"{name}: {pending} pending"),
    ]
    seats = f" of {row['capacity']}" if row["is_coming"] and row["capacity"] else ""
    text = f"{registered}{seats}" if row["is_coming"] else f"{attended} of {registered} came"
    return Bar(name, parts, text)
