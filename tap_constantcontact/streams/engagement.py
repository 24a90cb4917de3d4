"""What contacts did with the emails of sent campaigns: the tracking reports, and links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tap_constantcontact.streams.campaigns import ForEachActivity
from tap_constantcontact.values import Misfit, parse_timestamp, timestamp

if TYPE_CHECKING:
    from urllib.parse import ParseResult

    from singer_sdk.helpers.types import Context, Record

_METRICS = "the scope campaign_data and the privilege ui:campaign:metrics"
_KEY_OF_EVENT = ("campaign_activity_id", "contact_id", "created_time", "occurrence")
_KEY_OF_CONTACT = ("campaign_activity_id", "contact_id")


def with_occurrences(rows: Iterator[Record], primary_keys: tuple[str, ...]) -> Iterator[Record]:
    """Yield rows with the number that tells apart those that agree in all other key columns.

    The API's times have minutes only (inferred from the published answers), so that one contact
    can open twice at the same time. The report comes whole and in the same order each time.
    """
    seen: Counter[tuple[Any, ...]] = Counter()
    columns = [name for name in primary_keys if name != "occurrence"]
    for row in rows:
        key = tuple(_in_one_form(row.get(name)) for name in columns)
        yield {**row, "occurrence": seen[key]}
        seen[key] += 1


def _in_one_form(value: Any) -> Any:
    """Return a part of a key as it will be written: a time comes with and without milliseconds."""
    try:
        return timestamp(parse_timestamp(value)) if isinstance(value, str) else value
    except (Misfit, OverflowError):
        return value


class ReportOfActivity(ForEachActivity):
    """A report on each activity that was sent."""

    roles = {"primary_email", "resend"}
    statuses = {"done", "executing"}
    needs = _METRICS


class EmailLinks(ReportOfActivity):
    """A link of an email, with or without clicks (getCampaignActivityLinkStats)."""

    name = "email_links"
    path = "/reports/email_reports/{campaign_activity_id}/links"
    records_key = "link_click_counts"
    primary_keys = ("campaign_activity_id", "url_id")

    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters: links without clicks come too, unless a setting says no."""
        without_clicks = "true" if self.config["links_without_clicks"] else None
        return {"no_clicks": without_clicks}


class TrackingReport(ReportOfActivity):
    """A report with a row for each contact, newest first."""

    records_key = "tracking_activities"
    params = {"limit": 500}
    primary_keys: tuple[str, ...] = _KEY_OF_CONTACT


class EventReport(TrackingReport):
    """A report with a row for each event: a contact can be in it many times."""

    primary_keys: tuple[str, ...] = _KEY_OF_EVENT

    def rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the events of an activity, told apart by their occurrence."""
        yield from with_occurrences(super().rows_of(item), self.primary_keys)


class EmailSends(EventReport):
    """An email that was sent to a contact (getSends)."""

    name = "email_sends"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/sends"
    selected_by_default = False


class EmailOpens(EventReport):
    """A contact opened an email (getOpens)."""

    name = "email_opens"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/opens"


class EmailClicks(EventReport):
    """A contact clicked a link (getClicks)."""

    name = "email_clicks"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/clicks"
    primary_keys = ("campaign_activity_id", "contact_id", "url_id", "created_time", "occurrence")


class EmailBounces(EventReport):
    """An email came back (getBounces)."""

    name = "email_bounces"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/bounces"


class EmailOptouts(EventReport):
    """A contact unsubscribed by an email (getOptouts)."""

    name = "email_optouts"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/optouts"


class EmailForwards(EventReport):
    """A contact forwarded an email (getForwards)."""

    name = "email_forwards"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/forwards"


class EmailUniqueOpens(TrackingReport):
    """The last open of each contact (getUniqueOpens)."""

    name = "email_unique_opens"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/unique_opens"
    selected_by_default = False


class EmailDidNotOpens(TrackingReport):
    """A contact that has not opened an email so far (getDidNotOpens)."""

    name = "email_did_not_opens"
    path = "/reports/email_reports/{campaign_activity_id}/tracking/didnotopens"
    selected_by_default = False
