"""E-mail campaigns, their activities, and their counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import requests

from tap_constantcontact.client import ConstantContactStream, ForEachStream, OldestFirstStream
from tap_constantcontact.errors import NotFound, Refused

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_CAMPAIGNS = "the scope campaign_data and the privilege campaign:read"
_METRICS = "the scope campaign_data and the privilege ui:campaign:metrics"
# Statuses come as Done and as DONE (seen).
_SENT = {"done", "executing"}
_NEVER_SENT = {"draft", "scheduled", "removed"}
# Reports exist for activities in these roles (contract).
_REPORTED = {"primary_email", "resend"}
_PRIMARY = {"primary_email"}
_AB_TEST = 57


class EmailCampaigns(OldestFirstStream):
    """An e-mail campaign (retrieveEmailCampaignsUsingGET, retrieveEmailCampaignUsingGET)."""

    name = "email_campaigns"
    path = "/emails"
    records_key = "campaigns"
    params = {"limit": 500}
    primary_keys = ("campaign_id",)
    replication_key = "updated_at"
    since_param = "after_date"
    detail_path = "/emails/{campaign_id}"
    needs = _CAMPAIGNS

    @cached_property
    def all(self) -> list[Record]:
        """All campaigns as they are listed, each once; asked for once in a run."""
        rows = {row.get("campaign_id"): row for row in self.list_rows({})}
        rows.pop(None, None)
        return list(rows.values())

    def list_rows(self, params: Mapping[str, Any]) -> Iterator[Record]:
        """Yield the campaigns in the statuses of the setting campaign_status."""
        wanted = {status.lower() for status in self.config.get("campaign_status", [])}
        for campaign in super().list_rows(params):
            if not wanted or status_of(campaign) in wanted:
                yield campaign

    @cached_property
    def _details(self) -> dict[tuple[Any, Any], Record]:
        return {}

    def detail_of(self, row: Record) -> Record:
        """Return a campaign's detail, which several streams need.

        It is asked for once in a run, and again where the campaign has changed meanwhile. That of
        a removed campaign cannot be read (seen: 404).
        """
        key = (row.get("campaign_id"), row.get("updated_at"))
        if key not in self._details:
            self._details[key] = {} if status_of(row) == "removed" else super().detail_of(row)
        return self._details[key]

    def activities(self, campaign: Record, roles: set[str]) -> Iterator[Record]:
        """Yield the activities of a campaign that have one of some roles."""
        for activity in _activities(self.detail_of(campaign)):
            if activity.get("role") in roles:
                yield {
                    "campaign_id": campaign["campaign_id"],
                    "campaign_activity_id": activity["campaign_activity_id"],
                }

    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterator[Context]:
        """Yield a context for each activity of a campaign."""
        for activity in _activities(record):
            yield {"campaign_activity_id": activity["campaign_activity_id"]}


class ForCampaigns(ConstantContactStream):
    """A stream that reads something of other campaigns than those that have changed."""

    @property
    def campaigns(self) -> EmailCampaigns:
        """The stream of campaigns, which lists them for others too."""
        return cast("EmailCampaigns", self._tap.streams[EmailCampaigns.name])


class ForEachActivity(ForCampaigns, ForEachStream):
    """A stream that asks once for each activity of some campaigns.

    Attributes:
        roles: roles of the activities that have what is asked for.
        statuses: statuses of their campaigns; all but removed ones, where there are none.
    """

    own_columns = ("campaign_id", "campaign_activity_id")
    roles: ClassVar[set[str]] = _PRIMARY
    statuses: ClassVar[set[str]] = set()
    needs = _CAMPAIGNS

    def items(self, context: Context | None) -> Iterator[Record]:
        """Yield the activities."""
        for campaign in self.campaigns.all:
            if self.applies_to(campaign):
                yield from self.campaigns.activities(campaign, self.roles)

    def applies_to(self, campaign: Record) -> bool:
        """Return whether a campaign can have what is asked for."""
        status = status_of(campaign)
        return status in self.statuses if self.statuses else status != "removed"


class EmailCampaignActivities(ConstantContactStream):
    """What a campaign sends, to whom, from whom (retrieveEmailCampaignActivityUsingGET)."""

    name = "email_campaign_activities"
    path = "/emails/activities/{campaign_activity_id}"
    params = {
        "include": "physical_address_in_footer,permalink_url,html_content,document_properties"
    }
    primary_keys = ("campaign_activity_id",)
    parent_stream_type = EmailCampaigns
    # Progress is the parent's: a state for each activity would grow without end.
    state_partitioning_keys = ()
    needs = _CAMPAIGNS

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the activity; some that a campaign names cannot be read (seen: 404)."""
        activity = self.find(self.path.format(**(context or {})), self.params)
        if activity is not None:
            yield activity


class EmailCampaignSendHistory(ForEachActivity):
    """A send of an activity (retrieveEmailSendHistoryUsingGET)."""

    name = "email_campaign_send_history"
    path = "/emails/activities/{campaign_activity_id}/send_history"
    primary_keys = ("campaign_activity_id", "send_id")
    roles = _REPORTED
    statuses = _SENT


class EmailCampaignSchedules(ForEachActivity):
    """When a scheduled activity is to be sent (retrieveEmailSchedulesUsingGET)."""

    name = "email_campaign_schedules"
    path = "/emails/activities/{campaign_activity_id}/schedules"
    primary_keys = ("campaign_activity_id", "scheduled_date")
    statuses = {"scheduled"}
    selected_by_default = False


class EmailCampaignABTests(ForEachActivity):
    """An A/B test of subjects (retrieveEmailCampaignABTestUsingGET)."""

    name = "email_campaign_ab_tests"
    path = "/emails/activities/{campaign_activity_id}/abtest"
    primary_keys = ("campaign_activity_id",)
    selected_by_default = False

    def applies_to(self, campaign: Record) -> bool:
        """Return whether a campaign is of the kind that has a test."""
        return campaign.get("type_code") == _AB_TEST and super().applies_to(campaign)

    def rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the test; 409 is in the contract, and says that there is none (guess)."""
        try:
            yield from super().rows_of(item)
        except Refused as refusal:
            if refusal.status != requests.codes.conflict:
                raise
            self.logger.info("%s: one is left out: %s", self.name, refusal)


class EmailCampaignResends(ForEachActivity):
    """A resend to contacts that did not open (retrieveResendToNonOpenersUsingGET)."""

    name = "email_campaign_resends"
    path = "/emails/activities/{campaign_activity_id}/non_opener_resends"
    primary_keys = ("campaign_activity_id", "resend_request_id")
    selected_by_default = False


class EmailCampaignPreviews(ForEachActivity):
    """What an email looks like to the account's owner (retrieveEmailCampaignActivityPreview…)."""

    name = "email_campaign_previews"
    path = "/emails/activities/{campaign_activity_id}/previews"
    primary_keys = ("campaign_activity_id",)
    selected_by_default = False


class EmailCampaignSummaries(ConstantContactStream):
    """Unique counts of a sent campaign (getAllBulkEmailCampaignSummaries)."""

    name = "email_campaign_summaries"
    path = "/reports/summary_reports/email_campaign_summaries"
    records_key = "bulk_email_campaign_summaries"
    params = {"limit": 500}
    primary_keys = ("campaign_id",)
    needs = _METRICS


class StatsStream(ForCampaigns):
    """Counters of many ids in each request.

    Attributes:
        ids_per_request: most ids in the path of one request (contract).
    """

    needs = _METRICS
    ids_per_request: ClassVar[int]

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Name counters with underscores; answers with dots were published as well."""
        stats = row.get("stats")
        if isinstance(stats, dict):
            row["stats"] = {name.replace(".", "_"): count for name, count in stats.items()}
        return super().post_process(row, context)

    def counters(self, ids: Iterable[str]) -> Iterator[Record]:
        """Yield the counters of ids, many in each request."""
        ids = list(ids)
        for start in range(0, len(ids), self.ids_per_request):
            yield from self._counters(ids[start : start + self.ids_per_request])

    def _counters(self, ids: list[str]) -> Iterator[Record]:
        """Yield the counters of one request; one unknown id makes the API refuse all (contract)."""
        try:
            answer: dict[str, Any] = self.fetch(f"{self.path}/{','.join(ids)}")
        except NotFound as missing:
            if len(ids) == 1:
                self.logger.info("%s is left out: %s", self.name, missing)
                return
            half = len(ids) // 2
            yield from self._counters(ids[:half])
            yield from self._counters(ids[half:])
        else:
            yield from filter(lambda row: isinstance(row, dict), answer.get("results") or [])


class EmailCampaignStats(StatsStream):
    """Counters and rates of a sent campaign (getEmailSummary)."""

    name = "email_campaign_stats"
    path = "/reports/stats/email_campaigns"
    primary_keys = ("campaign_id",)
    ids_per_request = 150

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the counters of all campaigns that were sent."""
        statuses = {row["campaign_id"]: status_of(row) for row in self.campaigns.all}
        yield from self.counters(key for key, status in statuses.items() if status in _SENT)
        # A campaign in error may have been sent in part; where it was not, the API refuses the
        # whole request, so these are asked for apart.
        known = _SENT | _NEVER_SENT
        yield from self.counters(key for key, status in statuses.items() if status not in known)


class EmailCampaignActivityStats(StatsStream):
    """Counters of a sent activity (getEmailCampaignActivitySummary)."""

    name = "email_campaign_activity_stats"
    path = "/reports/stats/email_campaign_activities"
    primary_keys = ("campaign_activity_id",)
    ids_per_request = 10

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the counters of all activities that were sent."""
        yield from self.counters(
            activity["campaign_activity_id"]
            for campaign in self.campaigns.all
            if status_of(campaign) in _SENT
            for activity in self.campaigns.activities(campaign, _REPORTED)
        )


def _activities(campaign: Record) -> list[Record]:
    listed = campaign.get("campaign_activities")
    return [
        activity
        for activity in (listed if isinstance(listed, list) else [])
        if isinstance(activity, dict) and activity.get("campaign_activity_id")
    ]


def status_of(campaign: Record) -> str:
    """Return the status of a campaign or an activity, in lower case."""
    return str(campaign.get("current_status") or "").lower()
