"""Sections on contacts: totals, engagement, growth, lists, unsubscribes and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from analytics.report import charts
from analytics.report.campaigns import Campaigns
from analytics.report.charts import Bar, Part
from analytics.report.section import Section, lacking
from analytics.report.text import changes, day, number, percent, plural, signed
from analytics.warehouse import Row, Warehouse

_MOST_REASONS = 8  # that are shown one by one
_HEALTH_COLORS = ("c1", "c4", "c2", "c2", "c6")
_LONGEST_TICK = 3  # times the longest bar

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
    return Section(
        "totals", title, note, figure, label, columns, rows, is_wide=True, is_labeled=True
    )


def engagement(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show the health of reachable contacts, by all engagement and by clicks alone."""
    del campaigns
    engaged, cold, new = (
        int(warehouse.variables[f"constantcontact_{name}_days"])
        for name in ("engaged", "cold", "new")
    )
    table, clicks = _health(warehouse)
    total = sum(row["contacts"] for row in table)
    title = "There are no contacts that can be emailed"
    if total:
        share = f"{number(table[0]['contacts'])} of {number(total)}"
        title = f"{share} are engaged: an open or click in {engaged} days"
    names = (
        f"Engaged: in the last {engaged} days", f"Cooling: {engaged} to {cold} days ago",
        f"Cold: more than {cold} days ago", "Cold: never", "Too new to tell",
    )  # fmt: skip
    groups = []
    for head, key in (("By last open or click", "contacts"), ("By last click", "by_clicks")):
        drawn = [
            Bar(name, [Part(row[key], color, f"{name}: {plural(row[key], 'contact')}")],
                f"{number(row[key])} · {percent(row[key] / total)}" if total else "0")
            for name, row, color in zip(names, table, _HEALTH_COLORS, strict=True)
        ]  # fmt: skip
        groups.append((head, drawn))
    if not clicks:
        groups.pop()
    for name, row in zip(names, table, strict=True):
        row["health"] = name
    note = (
        "Contacts that can be emailed. Mail programs that load pictures automatically count as "
        "opens, so that the truth is between the two."
        + ("" if clicks else " Not loaded: email_clicks is not selected.")
        + f" Too new: added in the last {new} days or after the last campaign."
    )
    columns = {"health": "Health", "contacts": "By last open or click"}
    if clicks:
        columns["by_clicks"] = "By last click"
    halves = (f"<div><h3>{head}</h3>{charts.bars(drawn, total)}</div>" for head, drawn in groups)
    figure = f'<div class="pair">{"".join(halves)}</div>'
    label = ". ".join([title, *(f"{head}: {charts.spoken(drawn)}" for head, drawn in groups)])
    return Section(
        "engagement",
        title,
        note,
        figure if total else "",
        label,
        columns,
        table,
        is_wide=True,
        is_labeled=True,
    )


def _health(warehouse: Warehouse) -> tuple[list[Row], bool]:
    """Return how many contacts are engaged, cooling, cold, never were, and are too new to tell.

    The second value is whether clicks were loaded.
    """
    rows = warehouse.rows(
        """
        select health, health_by_clicks, last_engaged_at is null as never_engaged,
            last_clicked_at is null as never_clicked, count(*) as contacts
        from constantcontact__contact_health
        group by 1, 2, 3, 4
        """
    )
    order = ("engaged", "cooling", "cold", "never", "too new to tell")
    table = [{"contacts": 0, "by_clicks": 0} for _ in order]
    for row in rows:
        for key, health, never in (
            ("contacts", "health", "never_engaged"),
            ("by_clicks", "health_by_clicks", "never_clicked"),
        ):
            state = "never" if row[health] == "cold" and row[never] else row[health]
            table[order.index(state)][key] += row["contacts"]
    return table, not lacking(warehouse.data, [("email_clicks",)])


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
            ], changes(row["added"], row["lost"]))
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
    legend = charts.legend((("c2", "left"), ("c1", "added")))
    figure = legend + charts.bars(drawn) if rows else ""
    for row in rows:
        row["month"] = f"{row['month']:%Y-%m}"
    label = f"{title}. {charts.spoken(drawn)}"
    return Section("growth", title, note, figure, label, columns, rows, is_wide=True)


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
            number(row["members"])
            + (f", {changes(row['joined'], row['departed'])}" if watched else ""))
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
    label = f"{title}. {charts.spoken(drawn)}"
    return Section("lists", title, note, figure, label, columns, rows, is_labeled=True)


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
    label = f"{title}. {charts.spoken(drawn)}"
    return Section("unsubscribes", title, note, figure, label, columns, rows, is_labeled=True)


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
    top = _scale(rows)
    groups, all_bars = [], []
    for name, is_coming in (("Coming", True), ("Over", False)):
        own = [_event(row) for row in rows if row["is_coming"] == is_coming]
        all_bars += own
        if own:
            groups.append(f"<h3>{name}</h3>{charts.bars(own, top)}")
    legend = charts.legend((("c1", "attended"), ("c3", "registered"), ("c4", "pending"))).replace(
        "</ul>", '<li><i class="tick"></i>capacity</li></ul>'
    )
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
    label = f"{title}. {charts.spoken(all_bars)}"
    return Section("events", title, note, figure, label, columns, rows, is_wide=True)


def _scale(rows: Sequence[Row]) -> float:
    """Return the value of a whole line: a capacity, unless all bars would be tiny beside it."""
    longest = max((float(row["registered"] + row["pending"]) for row in rows), default=1.0)
    ticks = [float(row["capacity"]) for row in rows if row["capacity"]]
    near = [1.01 * tick for tick in ticks if tick <= _LONGEST_TICK * longest]
    return max(longest, *near, 1.0)


def _event(row: Row) -> Bar:
    attended, registered, pending = (row[key] for key in ("attended", "registered", "pending"))
    name = f"{row['title']}, {day(row['date'])}"
    parts = [
        Part(attended, "c1", f"{name}: {attended} of {registered} attended"),
        Part(registered - attended, "c3", f"{name}: {registered} registered"),
        Part(pending, "c4", f"{name}: {pending} pending"),
    ]
    seats = f" of {number(row['capacity'])} seats" if row["capacity"] else " registered"
    text = f"{registered}{seats}" if row["is_coming"] else f"{attended} of {registered} came"
    return Bar(name, parts, text, row["capacity"])
