"""The six reports on a landing page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox.account.engagement import latest
from sandbox.endpoints.reports import REPORTS
from sandbox.endpoints.tracking_rows import row, sms_channel
from sandbox.server.paging import OFFSET, Listing, Paging
from sandbox.server.parameters import text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.account import Account
    from sandbox.account.engagement import Event, LandingPage
    from sandbox.server.routing import Call


class Report(NamedTuple):
    """A report on one kind of event."""

    type: str
    events: Callable[[LandingPage], Sequence[Event]]


# The type of clicks is in the singular, the others are not (documented, observed).
LANDING_PAGES = {
    "p_contact_opens": Report("p_contact_opens", lambda page: page.opens),
    # That it is the last open, as for emails, is an assumption.
    "p_unique_contact_opens": Report("p_contact_opens", lambda page: latest(page.opens)),
    "p_unique_contact_clicks": Report("p_contact_click", lambda page: latest(page.clicks)),
    "p_unique_contact_adds": Report("p_contact_adds", lambda page: latest(page.adds)),
    "p_unique_contact_updates": Report("p_contact_updates", lambda page: latest(page.updates)),
    "p_unique_contact_sms_optins": Report(
        "p_contact_sms_optins", lambda page: latest(page.sms_optins)
    ),
}
LANDING_PAGES_PATH = "/reports/landing_pages/campaign_details/<campaign_activity_id>/"


def _declare(name: str, report: Report) -> None:
    @REPORTS.get(
        LANDING_PAGES_PATH + name,
        privilege="ui:campaign:metrics",
        # The last page has no links (observed, against the contract).
        paging=Paging("tracking_activities", OFFSET, parameter="next"),
        parameters={"contacts_filter": text},
    )
    def landing_page(call: Call, campaign_activity_id: str) -> Listing:
        """List the events of a landing page, newest first (documented)."""
        account = call.account
        page = REPORTS.find(account.landing_pages, campaign_activity_id, "campaign_activity_id")
        wanted = call.query.get("contacts_filter", "").lower()
        events = [event for event in report.events(page) if wanted in _names(account, event)]
        events.sort(key=lambda event: -event.at)
        return Listing(
            events,
            lambda event: (
                row(account, campaign_activity_id, report.type, event, page.links)
                | sms_channel(account, event)
            ),
        )


def _names(account: Account, event: Event) -> str:
    """Return what the filter searches: names and address."""
    contact = account.contacts[event.contact_id]
    names = (contact.get("first_name"), contact.get("last_name"))
    address = contact.get("email_address", {}).get("address")
    return "\n".join(filter(None, (*names, address))).lower()


for _name, _report in LANDING_PAGES.items():
    _declare(_name, _report)
