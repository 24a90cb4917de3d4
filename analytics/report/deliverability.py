"""The section on bounces: which campaigns had them, and why."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.report import charts
from analytics.report.campaigns import THRESHOLDS, Campaigns
from analytics.report.charts import Column
from analytics.report.section import Section
from analytics.report.text import day, number, percent, plural
from analytics.warehouse import Row, Warehouse

GROUPS = {
    "does not exist": ("c2", "does not exist"),
    "suspended": ("c1", "suspended"),
    "undeliverable": ("c4", "undeliverable"),
    "mailbox full": ("c3", "mailbox full"),
    "blocked": ("c5", "blocked"),
    "other": ("c6", "other"),
    "vacation": ("h7", "vacation reply (delivered)"),
}
"""The groups of bounces, from below, each with its color and name."""


def deliverability(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show the bounces of each campaign by group, and what is above a threshold."""
    rows = _rows(warehouse, campaigns)
    (remove,) = warehouse.rows(
        """
        select count(distinct contact_id) as contacts
        from constantcontact__bounces
        join constantcontact__contacts using (contact_id)
        where is_removal_recommended and is_reachable
            and bounced_at > :now - interval '365 days'
        """
    )
    count = remove["contacts"]
    title = f"{number(count)} {'address' if count == 1 else 'addresses'} to remove"
    above = {rate: len(campaigns.above(rate)) for rate in THRESHOLDS}
    replies = sum(row["vacation"] for row in rows)
    note = (
        "Reachable contacts that bounced in the last twelve months because the address does not "
        "exist, is suspended or undeliverable. The chart shows the bounces of each campaign in "
        f"percent of its emails. {plural(above['failure_rate'], 'campaign')} had more than 2% "
        f"bounces, {number(above['opt_out_rate'])} more than 0.5% unsubscribes, "
        f"{number(above['spam_rate'])} more than 0.1% spam reports. Bounce rates include vacation "
        f"replies ({number(replies)}), as in Constant Contact; the 2% are without them, since "
        "those emails arrived."
    )
    drawn = [_column(row) for row in rows if not row["is_small"]]
    heads = {
        "sent": "Sent", "name": "Campaign", "sends": "Emails", "bounce_rate": "Bounce rate",
        **{group: name.capitalize() for group, (_, name) in GROUPS.items()},
    }  # fmt: skip
    figure = charts.legend(GROUPS.values()) + charts.columns(drawn, "%", 2)
    label = f"Bounces of {plural(len(drawn), 'campaign')} by reason: {_spoken(rows)}. {title}"
    return Section(
        "deliverability", title, note, figure if drawn else "", label, heads, rows[::-1],
        is_wide=True,
    )  # fmt: skip


def _rows(warehouse: Warehouse, campaigns: Campaigns) -> list[Row]:
    """Return the campaigns with their bounces by group, the oldest first."""
    counted = warehouse.rows(
        """
        select campaign_id, bounce_group, count(*) as bounces
        from constantcontact__bounces
        group by campaign_id, bounce_group
        """
    )
    bounces = {(row["campaign_id"], row["bounce_group"]): row["bounces"] for row in counted}
    return [
        {
            **row,
            **{group: bounces.get((row["campaign_id"], group), 0) for group in GROUPS},
            "sent": row["sent_at"].date(),
        }
        for row in reversed(campaigns.settled)
        if row["sends"]
    ]


def _column(row: Row) -> Column:
    shares = [(100 * row[group] / row["sends"], color) for group, (color, _) in GROUPS.items()]
    reasons = [f"{row[group]} {name}" for group, (_, name) in GROUPS.items() if row[group]]
    title = f"{row['name']}, {day(row['sent'])}: {percent(row['bounce_rate'])} bounced"
    return Column(f"{row['sent']:%b %Y}", shares, f"{title} ({', '.join(reasons)})")


def _spoken(rows: Sequence[Row]) -> str:
    return ", ".join(
        f"{number(sum(row[group] for row in rows))} {name}" for group, (_, name) in GROUPS.items()
    )
