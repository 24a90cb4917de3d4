"""Reports on landing pages. No endpoint lists their activities, so a setting names the ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.engagement import with_occurrences

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class LandingPageReport(ConstantContactStream):
    """A report on each landing page, newest first."""

    records_key = "tracking_activities"
    params = {"limit": 500}
    primary_keys: tuple[str, ...] = ("campaign_activity_id", "contact_id")
    context_columns = ("campaign_activity_id",)
    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)
    selected_by_default = False
    notes = StreamNotes(
        reads="all rows of the landing pages in `landing_page_activity_ids`, in every run",
        cost="1 for 500 rows of each landing page",
        limitations="rows that disappear from a report: they stay",
    )

    @override
    def request_contexts(self, context: Context | None) -> Iterator[Record]:
        """Yield the landing pages of the setting landing_page_activity_ids."""
        for activity_id in dict.fromkeys(self.config.get("landing_page_activity_ids", [])):
            yield {"campaign_activity_id": activity_id}

    @override
    def predicted_requests(self) -> Iterator[PredictedRequest]:
        """Return the requests for the reports on all landing pages."""
        return map(self.predict.pages, self.request_contexts(None))


class LandingPageContactOpens(LandingPageReport):
    """A contact opened a landing page (getContactOpens)."""

    name = "landing_page_contact_opens"
    path = "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_contact_opens"
    primary_keys = ("campaign_activity_id", "contact_id", "created_time", "occurrence")

    @override
    def rows_of(self, context: Record) -> Iterator[Record]:
        """Yield the opens of a landing page, with their occurrences."""
        yield from with_occurrences(super().rows_of(context), self.row_key)


class LandingPageUniqueOpens(LandingPageReport):
    """The last open of each contact (getUniqueContactOpens)."""

    name = "landing_page_unique_opens"
    path = "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_opens"


class LandingPageUniqueClicks(LandingPageReport):
    """The last click of each contact on each link (getUniqueContactClicks)."""

    name = "landing_page_unique_clicks"
    path = "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_clicks"
    primary_keys = ("campaign_activity_id", "contact_id", "url_id")


class LandingPageUniqueAdds(LandingPageReport):
    """A contact that a landing page added (getContactAdds)."""

    name = "landing_page_unique_adds"
    path = "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_adds"


class LandingPageUniqueUpdates(LandingPageReport):
    """A contact that a landing page updated (getUniqueContactUpdates)."""

    name = "landing_page_unique_updates"
    path = "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_updates"


class LandingPageUniqueSmsOptins(LandingPageReport):
    """A contact that a landing page opted in to SMS (getUniqueContactSMSOptIns)."""

    name = "landing_page_unique_sms_optins"
    path = (
        "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_sms_optins"
    )
