"""The charts of the report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone

import altair as alt

from analytics.warehouse import Row

# Distinguishable with red-green color blindness.
INK, DARK, MIDDLE, LIGHT, WARM = "#1f2933", "#14507d", "#3d8bc4", "#bcd9ee", "#d9822b"

_BAR = 26  # pixels of height for each bar
_LEAST = 190  # pixels of height
_TEXT = 90  # pixels of width behind the longest bar
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


def _finished(chart: alt.TopLevelMixin, height: int) -> alt.TopLevelMixin:
    """Apply the common style to a chart. It is as wide as its container in the page."""
    return (
        chart.properties(width="container", height=height, background="transparent", padding=4)
        .configure(font=_FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=INK, labelFontSize=12, titleFontSize=12,
            titleFontWeight="normal", gridColor="#e8ecf0", domain=False, ticks=False,
            labelPadding=6, labelLimit=alt.ExprRef("min(230, 0.36 * containerSize()[0])"),
        )
        .configure_legend(
            orient="top", title=None, labelFontSize=12, labelColor=INK, symbolType="square",
            offset=4, columns=2, columnPadding=6,
        )
    )  # fmt: skip


def _data(rows: Sequence[Row]) -> alt.Data:
    """Return rows as chart data, with days and times as strings."""
    values = [
        {name: _moment(value) if isinstance(value, date) else value for name, value in row.items()}
        for row in rows
    ]
    return alt.Data(values=values)


def _moment(day: date) -> str:
    """Format a day or time. A bare day would be midnight in UTC: the day before in America."""
    return day.isoformat() if isinstance(day, datetime) else f"{day}T00:00:00"


def _long(rows: Sequence[Row], kinds: dict[str, str], *keep: str) -> list[Row]:
    """Return a row for each kind of number, so that each kind can have its color."""
    return [
        {**{name: row[name] for name in keep}, "kind": label, "number": row[kind], "order": order}
        for row in rows
        for order, (kind, label) in enumerate(kinds.items())
    ]


def _bars(
    rows: Sequence[Row],
    name: str,
    number: str,
    unit: str,
    *,
    color: str = MIDDLE,
    label: str = "format(datum.{}, ',')",
) -> alt.TopLevelMixin:
    """Draw a bar for each row, in order, with its number at the end."""
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y(f"{name}:N", sort=None, title=None),
        x=alt.X(f"{number}:Q", title=None, axis=None, scale=_room_for(rows, number)),
        tooltip=[alt.Tooltip(f"{name}:N", title=" "), alt.Tooltip(f"{number}:Q", title=unit)],
    )
    bars = base.mark_bar(color=color, cornerRadiusEnd=2, size=18)
    numbers = (
        base.transform_calculate(label=label.format(number))
        .mark_text(align="left", dx=5, fontSize=12, color=INK)
        .encode(text="label:N")
    )
    return _finished(bars + numbers, max(_BAR * len(rows), _LEAST) + 8)


def _room_for(rows: Sequence[Row], number: str) -> alt.Scale:
    """Extend an axis beyond its bars, so that there is room for the labels at their ends."""
    most = max(1, *(row[number] for row in rows))
    end = alt.ExprRef(f"{most} * width / max(width - {_TEXT}, 1)")
    return alt.Scale(domainMin=0, domainMax=end, nice=False)


def campaigns(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw how many contacts got, opened and clicked each campaign, as nested bars."""
    kinds = {"delivered": "delivered", "unique_opens": "opened", "unique_clicks": "clicked"}
    order = [row["name"] for row in rows]
    base = alt.Chart(_data(_long(rows, kinds, "name"))).encode(
        y=alt.Y("name:N", sort=order, title=None),
        x=alt.X(
            "number:Q",
            title="contacts",
            stack=None,
            scale=_room_for(rows, "delivered"),
            axis=alt.Axis(tickCount=6),
        ),
    )
    bars = [
        base.transform_filter(alt.datum.kind == label)
        .mark_bar(height={"band": band}, cornerRadiusEnd=2)
        .encode(
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(kinds.values()), range=[LIGHT, MIDDLE, DARK]),
            ),
            tooltip=[
                alt.Tooltip("name:N", title="campaign"),
                alt.Tooltip("kind:N", title=" "),
                alt.Tooltip("number:Q", title="contacts", format=","),
            ],
        )
        for label, band in zip(kinds.values(), (0.8, 0.54, 0.28), strict=True)
    ]
    rates = (
        alt.Chart(_data(rows))
        .transform_calculate(
            label="format(100 * datum.open_rate, '.0f') + ' % · ' "
            "+ format(100 * datum.click_rate, '.0f') + ' %'"
        )
        .mark_text(align="left", dx=6, fontSize=12, color=INK)
        .encode(y=alt.Y("name:N", sort=order), x="delivered:Q", text="label:N")
    )
    return _finished(alt.layer(*bars, rates), 38 * len(rows) + 10)


def engagement(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw the opens and clicks of each week of the last year."""
    kinds = {"opens": "opens", "clicks": "clicks"}
    today = datetime.now(timezone.utc).date()
    year = [_moment(today - timedelta(weeks=52)), _moment(today)]
    chart = (
        alt.Chart(_data(_long(rows, kinds, "week")))
        .mark_bar(size=7)
        .encode(
            x=alt.X(
                "week:T",
                title=None,
                scale=alt.Scale(domain=year),
                axis=alt.Axis(format="%b %Y", tickCount=5, grid=False, labelFlush=True),
            ),
            y=alt.Y("number:Q", title=None, stack=None),
            color=alt.Color("kind:N", scale=alt.Scale(domain=list(kinds), range=[LIGHT, DARK])),
            tooltip=[
                alt.Tooltip("week:T", title="week from", format="%Y-%m-%d"),
                alt.Tooltip("kind:N", title=" "),
                alt.Tooltip("number:Q", title="number", format=","),
            ],
        )
    )
    return _finished(chart, 220)


def recency(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw how many contacts last opened an email how long ago."""
    return _bars(rows, "last_opened", "contacts", "contacts")


def growth(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw how many contacts there were at the end of each month."""
    chart = (
        alt.Chart(_data(rows))
        .mark_area(
            color=LIGHT,
            opacity=0.5,
            line={"color": DARK, "strokeWidth": 2.5},
            interpolate="monotone",
            point={"color": DARK, "size": 24},
        )
        .encode(
            x=_months(),
            y=alt.Y("contacts:Q", title=None, axis=alt.Axis(tickCount=5)),
            tooltip=[
                alt.Tooltip("month:T", title="month", format="%B %Y"),
                alt.Tooltip("contacts:Q", format=","),
            ],
        )
    )
    return _finished(chart, 190)


def came_and_went(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw how many contacts came and went in each month."""
    kinds = {"added": "came", "lost": "went"}
    chart = (
        alt.Chart(_data(_long(rows, kinds, "month")))
        .mark_bar(size=9)
        .encode(
            x=_months(),
            y=alt.Y("number:Q", title=None, axis=alt.Axis(tickCount=5)),
            color=alt.Color(
                "kind:N", scale=alt.Scale(domain=["came", "went"], range=[MIDDLE, WARM])
            ),
            tooltip=[
                alt.Tooltip("month:T", title="month", format="%B %Y"),
                alt.Tooltip("kind:N", title=" "),
                alt.Tooltip("number:Q", title="contacts", format=","),
            ],
        )
    )
    return _finished(chart, 190)


def _months() -> alt.X:
    return alt.X(
        "yearmonth(month):T",
        title=None,
        axis=alt.Axis(format="%b %Y", tickCount=5, grid=False, labelFlush=True),
    )


def lists(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw how many members each list has, and the change in 30 days."""
    label = "format(datum.{}, ',') + ' (' + format(datum.net_of_30_days, '+,') + ')'"
    return _bars(rows, "list_name", "members", "members", label=label)


def unsubscribes(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw how often each reason was given."""
    return _bars(rows, "reason", "unsubscribes", "unsubscribes", color=WARM)


def links(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw how many contacts clicked each link."""
    return _bars(rows, "link", "clickers", "contacts")


def events(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """Draw the outcome of the registrations for each event."""
    parts = []
    for row in rows:
        rest = row["registered"] - row["attended"]
        came_or_will = (
            {"absent": 0, "expected": rest} if row["is_coming"] else {"absent": rest, "expected": 0}
        )
        event = f"{row['starts_at'].day} {row['starts_at']:%b}: {row['title']}"
        parts.append({**row, "event": event, **came_or_will})
    kinds = {
        "attended": "came", "absent": "absent", "expected": "will come",
        "pending": "pending", "canceled": "canceled",
    }  # fmt: skip
    colors = [DARK, WARM, MIDDLE, LIGHT, "#cbd2d9"]
    chart = (
        alt.Chart(_data(_long(parts, kinds, "event")))
        .mark_bar(height={"band": 0.7})
        .encode(
            y=alt.Y("event:N", sort=None, title=None),
            x=alt.X("number:Q", title="registrations", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(kinds.values()), range=colors),
            ),
            order="order:Q",
            tooltip=[
                alt.Tooltip("event:N"),
                alt.Tooltip("kind:N", title=" "),
                alt.Tooltip("number:Q", title="registrations"),
            ],
        )
    )
    return _finished(chart, 34 * len(rows) + 10)
