"""Email campaigns and their activities."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import rows_of
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Refused
from tap_constantcontact.incremental.campaign_details import PRIMARY, activities_of, status_of
from tap_constantcontact.incremental.changed_rows import ChangedRows
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.bases import OldestChangeFirstStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_AB_TEST = 57
_MAX_PASSES = 3
_SECONDS_OF_HOUR = 3600


class EmailCampaignSummaries(ConstantContactStream):
    """The unique counts of a sent campaign (getAllBulkEmailCampaignSummaries)."""

    name = "email_campaign_summaries"
    path = "/reports/summary_reports/email_campaign_summaries"
    records_key = "bulk_email_campaign_summaries"
    params = {"limit": 500}
    primary_keys = ("campaign_id",)
    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)
    leads_to_others = True

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the summaries. Other streams need their counts."""
        return self.services.campaigns.read_summaries(self.request_records(context))


class EmailCampaigns(OldestChangeFirstStream):
    """An email campaign (retrieveEmailCampaignsUsingGET, retrieveEmailCampaignUsingGET).

    In addition to the bookmark, the state has `sent_until`, an hour since 1970: campaigns that the
    summaries show as sent later are read too. It is about the campaigns up to the bookmark, so the
    state gets it only together with a bookmark. Assumes: sending_moves_updated_at.
    """

    name = "email_campaigns"
    path = "/emails"
    records_key = "campaigns"
    params = {"limit": 500}
    primary_keys = ("campaign_id",)
    replication_key = "updated_at"
    since_param = "after_date"
    detail_path = "/emails/{campaign_id}"
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the campaigns that were changed or sent since the last run."""
        self.list_rows(self.since)
        sent_until = self._sent_until
        changed = set()
        for campaign in super().read(context):
            if status_of(campaign) == "done" and self.services.change_log_readers:
                self.services.campaigns.note_activities(campaign)
            changed.add(campaign.get("campaign_id"))
            yield campaign
        yield from self._sent_after(sent_until, changed)
        self._note_sent(max(sent_until, self._listed_until))

    @override
    def advance_bookmark(self, row: Record) -> None:
        """Advance the bookmark, and note the sends that the campaigns up to it include."""
        super().advance_bookmark(row)
        self._note_sent(self._sent_until)

    @override
    def list_rows(self, since: str) -> list[Record]:
        """Return the rows of the list of campaigns."""
        return self.services.campaigns.fetch_listed(since)

    def request_list(self, since: str) -> Iterable[Record]:
        """Request the list of campaigns.

        A campaign that left a list of several pages meanwhile would have moved others to a page
        that was already read. So such a list is read until nothing new comes, each campaign as it
        came last. Assumes: campaign_links_hold_a_position, removed_campaigns_stay_listed.
        """
        rows: dict[Any, Record] = {}
        for _ in range(_MAX_PASSES):
            listed = list(self.request_records(self.list_context(since)))
            before = len(rows)
            rows.update((row.get("campaign_id"), row) for row in listed)
            if len(listed) <= self.params["limit"] or len(rows) == before:
                break
        return rows.values()

    @override
    def needs_detail(self, row: Record) -> bool:
        """Return whether the detail of a campaign will be requested."""
        return self.services.campaigns.needs_detail(row) and super().needs_detail(row)

    @override
    def detail_of(self, row: Record) -> Record:
        """Return the detail of a campaign, which other streams need too."""
        return self.services.campaigns.fetch_detail(row)

    def _sent_after(self, hour: int, changed: Container[Any]) -> Iterator[Record]:
        """Yield campaigns that were sent later and are not listed as changed."""
        index = self.services.campaigns
        for campaign_id, counters in index.known_summaries.items():
            if counters.sent > hour and campaign_id not in changed:
                campaign = index.fetch_detail({"campaign_id": campaign_id})
                if campaign and index.is_wanted(campaign):
                    yield dict(campaign)

    @property
    def _sent_until(self) -> int:
        """The hour up to which sends were read; in the first run, those that the list shows."""
        return self.stream_state.get("sent_until") or self._listed_until

    def _note_sent(self, hour: int) -> None:
        if self.stream_state.get("replication_key_value"):
            self.stream_state["sent_until"] = hour

    @property
    def _listed_until(self) -> int:
        """The hour of the newest send that the list certainly shows.

        The summaries can be newer than the list: campaigns sent in its hour are read again.
        """
        index = self.services.campaigns
        last = max((counters.sent for counters in index.known_summaries.values()), default=0)
        return min(last, int(index.listed_at.timestamp()) // _SECONDS_OF_HOUR - 1)


class ChangedCampaignsStream(OldestChangeFirstStream):
    """A stream that requests its path for each activity of the campaigns that have changed.

    The replication key is the time of the campaign's last change, as an additional column.

    Attributes:
        roles: Roles of the activities to request. If empty, all activities.
    """

    replication_key = "campaign_updated_at"
    context_columns = ("campaign_id", "campaign_activity_id", "campaign_updated_at")
    roles: ClassVar[frozenset[str]] = PRIMARY
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    notes = StreamNotes(
        reads="rows of campaigns that changed since the bookmark, oldest change first",
        cost="1 for each primary activity of a changed campaign",
        limitations="edits that don't change the `updated_at` of the campaign",
    )

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of each activity, starting with the campaign that changed first."""
        index = self.services.campaigns
        changed = self.unread(index.fetch_changed(self.since))
        self.api.session.prefetch(self._predict(changed))
        for campaign in changed:
            if self.applies_to(campaign):
                for activity in index.fetch_activities(campaign, self.roles):
                    yield from self.rows_in(activity)
            self.advance_bookmark(campaign)
            self.checkpoint()

    @property
    @override
    def changes(self) -> ChangedRows:
        """Finds the campaigns that have changed."""
        return self.services.campaigns.changes

    def applies_to(self, campaign: Record) -> bool:
        """Return whether a campaign can have rows in this stream."""
        return status_of(campaign) != "removed"

    @override
    def predicted_requests(self) -> Iterable[PredictedRequest]:
        """Return none: it takes requests to find the campaigns that have changed."""
        return ()

    def _predict(self, campaigns: list[Record]) -> Iterator[PredictedRequest]:
        """Yield the requests for the activities of campaigns, or for the details that list them."""
        index = self.services.campaigns
        for campaign in filter(self.applies_to, campaigns):
            if detail := index.known_detail(campaign):
                yield from self._predict_activities(detail)
            else:
                yield index.predict_detail(campaign)._replace(then=self._predict_from_detail)

    def _predict_from_detail(self, response: requests.Response) -> Iterator[PredictedRequest]:
        for campaign in rows_of(response, None):
            yield from self._predict_activities(campaign)

    def _predict_activities(self, campaign: Record) -> Iterator[PredictedRequest]:
        return map(self.predict.pages, activities_of(campaign, self.roles))


class EmailCampaignActivities(ChangedCampaignsStream):
    """An activity: what is sent, to and from whom (retrieveEmailCampaignActivityUsingGET).

    Some activities of a campaign cannot be read (observed: 404).
    """

    name = "email_campaign_activities"
    path = "/emails/activities/{campaign_activity_id}"
    params = {
        "include": "physical_address_in_footer,permalink_url,html_content,document_properties"
    }
    primary_keys = ("campaign_activity_id",)
    roles = frozenset()
    notes = StreamNotes(cost="1 for each activity of a changed campaign")


class EmailCampaignSchedules(ConstantContactStream):
    """The time at which an activity will be sent (retrieveEmailSchedulesUsingGET)."""

    name = "email_campaign_schedules"
    path = "/emails/activities/{campaign_activity_id}/schedules"
    primary_keys = ("campaign_activity_id", "scheduled_date")
    context_columns = ("campaign_id", "campaign_activity_id")
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    selected_by_default = False
    notes = StreamNotes(
        reads="all rows of scheduled campaigns, in every run",
        cost="1 for 500 campaigns, and 2 for each scheduled campaign",
        limitations="canceled or past schedules: their rows stay",
    )

    @override
    def request_contexts(self, context: Context | None) -> Iterator[Context]:
        """Yield the activities of all scheduled campaigns, changed or not."""
        index = self.services.campaigns
        for campaign in index.fetch_changed(""):
            if status_of(campaign) == "scheduled":
                yield from index.fetch_activities(campaign, PRIMARY)


class EmailCampaignABTests(ChangedCampaignsStream):
    """An A/B test of subjects (retrieveEmailCampaignABTestUsingGET)."""

    name = "email_campaign_ab_tests"
    path = "/emails/activities/{campaign_activity_id}/abtest"
    primary_keys = ("campaign_activity_id",)
    selected_by_default = False
    notes = StreamNotes(cost="1 for each changed campaign of `type_code` 57")

    @override
    def applies_to(self, campaign: Record) -> bool:
        """Return whether a campaign is of the type that has a test."""
        return campaign.get("type_code") == _AB_TEST and super().applies_to(campaign)

    @override
    def rows_of(self, context: Record) -> Iterator[Record]:
        """Yield the test. Assumes: conflict_means_no_test."""
        try:
            yield from super().rows_of(context)
        except Refused as refusal:
            if refusal.status != requests.codes.conflict:
                raise
            self.details.note_skipped(refusal)


class EmailCampaignResends(ChangedCampaignsStream):
    """A resend to contacts that did not open (retrieveResendToNonOpenersUsingGET)."""

    name = "email_campaign_resends"
    path = "/emails/activities/{campaign_activity_id}/non_opener_resends"
    primary_keys = ("campaign_activity_id", "resend_request_id")
    selected_by_default = False


class EmailCampaignPreviews(ChangedCampaignsStream):
    """A preview of an email for the account's owner (retrieveEmailCampaignActivityPreview…)."""

    name = "email_campaign_previews"
    path = "/emails/activities/{campaign_activity_id}/previews"
    primary_keys = ("campaign_activity_id",)
    selected_by_default = False
