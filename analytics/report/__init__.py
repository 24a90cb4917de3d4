"""The report: what a marketer would look at on a Monday, in one file that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import jinja2

from analytics.report import (
    audience,
    campaigns,
    comparisons,
    deliverability,
    emails,
    monday,
    table,
)
from analytics.report.campaigns import Campaigns
from analytics.report.section import Section, lacking, not_loaded
from analytics.report.text import cell
from analytics.warehouse import LoadedData, Warehouse

FOLDER = Path(__file__).parent

MAX_AGE_DAYS = 2

Needed = tuple[tuple[str, ...], ...]

_CAMPAIGNS: Needed = (
    ("email_campaigns",), ("email_campaign_stats", "email_campaign_summaries"),
)  # fmt: skip

SECTIONS: dict[Callable[[Warehouse, Campaigns], Section], Needed] = {
    deliverability.deliverability: (*_CAMPAIGNS, ("email_bounces",)),
    emails.send_times: (("email_campaign_activity_stats",), ("email_campaign_send_history",)),
    emails.weeks: (("email_opens",), ("email_clicks",)),
    comparisons.resends: (
        ("email_campaign_activities",), ("email_campaign_activity_stats",),
        ("email_campaign_send_history",),
    ),
    comparisons.sms: (("sms_campaign_summaries",),),
    comparisons.ab_tests: _CAMPAIGNS,
    emails.devices: (("email_opens",),),
    emails.links: (("email_clicks",),),
    audience.totals: (("contacts",),),
    audience.engagement: (("contacts",), ("email_opens",)),
    audience.lists: (("contacts",), ("contact_lists",)),
    audience.unsubscribes: (("contacts",), ("email_optouts",)),
    audience.growth: (("contacts",),),
    audience.events: (("events",),),
}  # fmt: skip
"""In the order of the page, with the streams that each needs: one of each group."""


def write(warehouse: Warehouse, file: Path) -> None:
    """Write the report on what the marts have now.

    Args:
        warehouse: Where they are.
        file: What to write, with its folders.

    Raises:
        Unusable: There are no marts.
    """
    page = render(values(warehouse))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


def render(shown: dict[str, object]) -> str:
    """Return the page.

    Args:
        shown: What it shows, as `values` returns it.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(FOLDER),
    )  # fmt: skip
    return environment.get_template("page.html").render(**shown)


def values(warehouse: Warehouse) -> dict[str, object]:
    """Return what the page shows.

    Args:
        warehouse: Where the marts are.
    """
    known = campaigns.read(warehouse)
    return {
        "data": warehouse.data,
        "account": warehouse.account,
        "read_at": known.now,
        "age": _age(warehouse.data),
        "time_zone": warehouse.time_zone,
        "zone_of_days": warehouse.zone_of_days,
        "sentences": monday.sentences(warehouse, known),
        "usual": monday.USUAL,
        "tiles": monday.tiles(warehouse, known),
        "campaigns": table.lines(known),
        "not_loaded": lacking(warehouse.data, _CAMPAIGNS),
        "medians": table.medians(known),
        "rules": table.rules(known),
        "campaigns_csv": table.csv(known),
        "shown": table.SHOWN,
        "sections": [
            not_loaded(section.__name__.replace("_", "-"), streams)
            if (streams := lacking(warehouse.data, needed))
            else section(warehouse, known)
            for section, needed in SECTIONS.items()
        ],
        "cell": cell,
    }


def _age(data: LoadedData) -> int | None:
    """Return how many days ago the data was read, if that is more than two."""
    days = (datetime.now(timezone.utc).replace(tzinfo=None) - data.read_at).days
    return days if days > MAX_AGE_DAYS else None
