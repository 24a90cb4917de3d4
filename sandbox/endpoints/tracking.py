"""The eight tracking reports on a sent email."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from sandbox.account.engagement import BOUNCE_CODES, latest
from sandbox.endpoints.reports import REPORTS, engagement_of
from sandbox.endpoints.tracking_rows import row
from sandbox.server.paging import OFFSET, After, Listing, Paging
from sandbox.server.parameters import choices, url_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.account.engagement import Engagement, Event
    from sandbox.server.parameters import Check
    from sandbox.server.routing import Call


class Report(NamedTuple):
    """A report on one kind of event."""

    type: str
    events: Callable[[Engagement], Sequence[Event]]
    filters: Mapping[str, Check] = {}


TRACKING = {
    "sends": Report("em_sends", lambda part: part.sends),
    "opens": Report("em_opens", lambda part: part.opens),
    # The last open of each contact (documented); of the same type as every open (observed).
    "unique_opens": Report("em_opens", lambda part: latest(part.opens)),
    # At the time of the send (documented).
    "didnotopens": Report("em_didnotopens", lambda part: part.not_opened),
    "clicks": Report("em_clicks", lambda part: part.clicks, {"url_id": url_id}),
    "forwards": Report("em_forwards", lambda part: part.forwards),
    "optouts": Report("em_optouts", lambda part: part.optouts),
    "bounces": Report(
        "em_bounces", lambda part: part.bounces, {"bounce_code": choices(*BOUNCE_CODES)}
    ),
}
TRACKING_PATH = "/reports/email_reports/<campaign_activity_id>/tracking/"


def _order(event: Event) -> tuple[object, ...]:
    """Return what reports are sorted by: the newest first (documented), then the contact."""
    return (-event.at, event.contact_id, event.url_id, event.device, event.bounce_code)


def _declare(name: str, report: Report) -> None:
    @REPORTS.get(
        TRACKING_PATH + name,
        privilege="ui:campaign:metrics",
        # What the cursors hold is inferred from one of the V2 API.
        paging=Paging(
            "tracking_activities",
            After(_order),
            default=500,
            parameter="next",
            option="tracking_cursors",
            other_cursors={"offset": OFFSET},
        ),
        parameters=report.filters,
    )
    def tracking(call: Call, campaign_activity_id: str) -> Listing:
        """List the events of an activity, newest first (documented)."""
        part = engagement_of(call.account, campaign_activity_id)
        events = [event for event in report.events(part) if _is_wanted(call, event)]
        if call.options.unlisted_opens and name == "opens":
            events = [event for event in events if _number_of(event) % 5]
        if call.options.report_seconds:
            events = [event._replace(at=event.at + _number_of(event)) for event in events]
        events.sort(key=_order, reverse=call.options.reports_order == "oldest")
        return Listing(
            events,
            lambda event: row(call.account, campaign_activity_id, report.type, event, part.links),
        )


def _number_of(event: Event) -> int:
    """Return a number below 60 that is always the same for an event."""
    return crc32(f"{event.contact_id}{event.at}{event.url_id}".encode()) % 60


def _is_wanted(call: Call, event: Event) -> bool:
    return (
        call.query.get("url_id", event.url_id) == event.url_id
        and event.bounce_code in call.query.get("bounce_code", {event.bounce_code})
    )  # fmt: skip


for _name, _report in TRACKING.items():
    _declare(_name, _report)
