"""E-mail campaigns, their activities, and their counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import requests
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_constantcontact.changes import Activity, ActivityLog, Counters
from tap_constantcontact.client import (
    OVERLAP,
    ConstantContactStream,
    ForEachStream,
    OldestFirstStream,
    OwnProgressStream,
)
from tap_constantcontact.errors import NotFound, Refused
from tap_constantcontact.values import Misfit, parse_timestamp, timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_CAMPAIGNS = "the scope campaign_data and the privilege campaign:read"
_METRICS = "the scope campaign_data and the privilege ui:campaign:metrics"
# Statuses come as Done and as DONE (seen).
_NEVER_SENT = {"draft", "scheduled", "removed"}
# Reports exist for activities in these roles (contract).
_REPORTED = {"primary_email", "resend"}
_PRIMARY = {"primary_email"}
_AB_TEST = 57


class Sent(NamedTuple):
    """What the summary of a campaign tells."""

    last_sent_at: datetime | None
    counters: Counters


class EmailCampaignSummaries(ConstantContactStream):
    """Unique counts of a sent campaign (getAllBulkEmailCampaignSummaries)."""

    name = "email_campaign_summaries"
    path = "/reports/summary_reports/email_campaign_summaries"
    records_key = "bulk_email_campaign_summaries"
    params = {"limit": 500}
    primary_keys = ("campaign_id",)
    needs = _METRICS

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the summaries; keep what others need of them."""
        sent = {}
        for row in self.request_records(context):
            counts = row.get("unique_counts")
            sent[str(row.get("campaign_id"))] = Sent(
                _moment(row.get("last_sent_date")),
                Counters.of_summary(counts if isinstance(counts, dict) else {}),
            )
            yield row
        self.sent = sent

    @cached_property
    def sent(self) -> dict[str, Sent]:
        """The campaigns that were sent, the last send first; asked for once in a run."""
        for _ in self.read(None):
            pass
        return self.sent

    @property
    def is_read(self) -> bool:
        """Whether `sent` costs no more requests."""
        return "sent" in vars(self)


class EmailCampaigns(OldestFirstStream):
    """An e-mail campaign (retrieveEmailCampaignsUsingGET, retrieveEmailCampaignUsingGET).

    Beside the bookmark, the state has `sent_until`: that a send is a change of the campaign is a
    guess, so that campaigns which the summaries show as sent later are read as well.
    """

    name = "email_campaigns"
    path = "/emails"
    records_key = "campaigns"
    params = {"limit": 500}
    primary_keys = ("campaign_id",)
    replication_key = "updated_at"
    since_param = "after_date"
    detail_path = "/emails/{campaign_id}"
    needs = _CAMPAIGNS

    _listed: list[Record] | None = None
    _listed_since = ""
    #: When the list was asked for.
    listed_at: datetime

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the changed campaigns, and those that were sent since."""
        for campaign in super().read(context):
            self._remember_activities(campaign)
            yield campaign
        bookmark = dict(self.stream_state)
        yield from self._sent_since(str(bookmark.get("sent_until", "")))
        self.stream_state.update(bookmark, **self._sent_until())

    def list_rows(self, since: str) -> list[Record]:
        """Return campaigns in the statuses of the setting campaign_status, as they are listed.

        They are asked for once in a run, unless somebody needs older ones.
        """
        if self._listed is None or since < self._listed_since:
            self.listed_at = self.api.now()
            self._listed = list(filter(self.is_wanted, super().list_rows(since)))
            self._listed_since = since
        return self._listed

    @property
    def all(self) -> list[Record]:
        """All campaigns as they are listed, each once."""
        return self.changed_rows("")

    def is_wanted(self, campaign: Record) -> bool:
        """Return whether a campaign is in the statuses of the setting campaign_status."""
        wanted = self.config.get("campaign_status")
        return not wanted or status_of(campaign) in map(str.lower, wanted)

    @cached_property
    def _details(self) -> dict[Any, tuple[Any, Record]]:
        return {}

    def detail_of(self, row: Record) -> Record:
        """Return a campaign's detail, which several streams need.

        It is asked for once in a run, and again where the list shows that the campaign has changed
        meanwhile. That of a removed campaign cannot be read (seen: 404).
        """
        key, changed = row.get("campaign_id"), row.get("updated_at")
        known = self._details.get(key)
        if known is None or (changed and changed != known[0]):
            detail = {} if status_of(row) == "removed" else super().detail_of(row)
            known = self._details[key] = (changed, detail)
        return known[1]

    def activities(self, campaign: Record, roles: set[str]) -> Iterator[Record]:
        """Yield the activities of a campaign that have one of some roles, or any if none is named.

        Args:
            campaign: the campaign as it is listed, or its id alone.
            roles: the roles.
        """
        for activity in _activities(self.detail_of(campaign)):
            if not roles or activity.get("role") in roles:
                yield {
                    "campaign_id": campaign["campaign_id"],
                    "campaign_activity_id": activity["campaign_activity_id"],
                    "campaign_updated_at": campaign.get("updated_at"),
                }

    def _remember_activities(self, campaign: Record) -> None:
        """Spare the streams of reports the detail of a campaign, if they get to it in a later run.

        That is what a first sync of several days is made of.
        """
        streams = self._tap.streams
        reading = (stream for stream in streams.values() if isinstance(stream, ForMovedActivities))
        if status_of(campaign) == "done" and any(stream.selected for stream in reading):
            log = ActivityLog(streams[EmailCampaignStats.name].stream_state)
            reported = self.activities(campaign, _REPORTED)
            ids = [activity["campaign_activity_id"] for activity in reported]
            log.remember(campaign["campaign_id"], ids)

    def _sent_since(self, moment: str) -> Iterator[Record]:
        """Yield campaigns that were sent later than a moment and are not listed as changed."""
        listed = {row.get("campaign_id") for row in self._listed or []}
        for campaign_id, sent in self._summaries.items():
            sent_at = timestamp(sent.last_sent_at) if sent.last_sent_at else ""
            if sent_at > moment and campaign_id not in listed:
                campaign = self.detail_of({"campaign_id": campaign_id})
                if campaign and self.is_wanted(campaign):
                    yield dict(campaign)

    def _sent_until(self) -> dict[str, str]:
        sent = [sent.last_sent_at for sent in self._summaries.values() if sent.last_sent_at]
        return {"sent_until": timestamp(max(sent))} if sent else {}

    @property
    def _summaries(self) -> Mapping[str, Sent]:
        """The summaries, if this run has read them anyway."""
        summaries = cast("EmailCampaignSummaries", self._tap.streams[EmailCampaignSummaries.name])
        return summaries.sent if summaries.is_read else {}


class ForCampaigns(ConstantContactStream):
    """A stream that reads something of campaigns."""

    @property
    def campaigns(self) -> EmailCampaigns:
        """The stream of campaigns, which lists them for others too."""
        return cast("EmailCampaigns", self._tap.streams[EmailCampaigns.name])


class OfChangedCampaigns(ForCampaigns, ForEachStream, OldestFirstStream):
    """A stream that asks once for each activity of the campaigns that have changed.

    The time of the campaign's change is the replication key, a column of its own.

    Attributes:
        roles: roles of the activities that have what is asked for; any, where there are none.
    """

    replication_key = "campaign_updated_at"
    own_columns = ("campaign_id", "campaign_activity_id", "campaign_updated_at")
    roles: ClassVar[set[str]] = _PRIMARY
    needs = _CAMPAIGNS

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of each activity, the campaign with the oldest change first."""
        for campaign in self.campaigns.changed_rows(self.since(context)):
            if self.applies_to(campaign):
                for activity in self.campaigns.activities(campaign, self.roles):
                    yield from self.rows_of(activity)
            self.move_bookmark(self.campaigns.changed_at(campaign))
            self._write_state_message()

    def applies_to(self, campaign: Record) -> bool:
        """Return whether a campaign can have what is asked for."""
        return status_of(campaign) != "removed"


class EmailCampaignActivities(OfChangedCampaigns):
    """What a campaign sends, to whom, from whom (retrieveEmailCampaignActivityUsingGET).

    Some that a campaign names cannot be read (seen: 404).
    """

    name = "email_campaign_activities"
    path = "/emails/activities/{campaign_activity_id}"
    params = {
        "include": "physical_address_in_footer,permalink_url,html_content,document_properties"
    }
    primary_keys = ("campaign_activity_id",)
    roles = set()


class EmailCampaignSchedules(ForCampaigns, ForEachStream):
    """When a scheduled activity is to be sent (retrieveEmailSchedulesUsingGET)."""

    name = "email_campaign_schedules"
    path = "/emails/activities/{campaign_activity_id}/schedules"
    primary_keys = ("campaign_activity_id", "scheduled_date")
    own_columns = ("campaign_id", "campaign_activity_id")
    needs = _CAMPAIGNS
    selected_by_default = False

    def items(self, context: Context | None) -> Iterator[Record]:
        """Yield the activities of all scheduled campaigns, changed or not."""
        for campaign in self.campaigns.all:
            if status_of(campaign) == "scheduled":
                yield from self.campaigns.activities(campaign, _PRIMARY)


class EmailCampaignABTests(OfChangedCampaigns):
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


class EmailCampaignResends(OfChangedCampaigns):
    """A resend to contacts that did not open (retrieveResendToNonOpenersUsingGET)."""

    name = "email_campaign_resends"
    path = "/emails/activities/{campaign_activity_id}/non_opener_resends"
    primary_keys = ("campaign_activity_id", "resend_request_id")
    selected_by_default = False


class EmailCampaignPreviews(OfChangedCampaigns):
    """What an email looks like to the account's owner (retrieveEmailCampaignActivityPreview…)."""

    name = "email_campaign_previews"
    path = "/emails/activities/{campaign_activity_id}/previews"
    primary_keys = ("campaign_activity_id",)
    selected_by_default = False


class StatsStream(ForCampaigns):
    """Counters of many ids in each request.

    Attributes:
        ids_per_request: most ids in the path of one request (contract).
    """

    needs = _METRICS
    ids_per_request: ClassVar[int]

    def stats_of(self, ids: Iterable[str]) -> Iterator[Record]:
        """Yield the stats of ids, many in each request."""
        ids = list(ids)
        for start in range(0, len(ids), self.ids_per_request):
            yield from self._stats_of(ids[start : start + self.ids_per_request])

    def _stats_of(self, ids: list[str]) -> Iterator[Record]:
        """Yield the stats of one request; one unknown id makes the API refuse all (contract)."""
        try:
            answer: dict[str, Any] = self.fetch(f"{self.path}/{','.join(ids)}")
        except NotFound as missing:
            if len(ids) == 1:
                self.logger.info("%s is left out: %s", self.name, missing)
                return
            half = len(ids) // 2
            yield from self._stats_of(ids[:half])
            yield from self._stats_of(ids[half:])
        else:
            yield from map(_with_underscores, filter(_is_object, answer.get("results") or []))


class EmailCampaignStats(StatsStream):
    """Counters and rates of a sent campaign (getEmailSummary).

    They show which campaigns have moved, to all streams of reports. Its state is their log, and has
    `others`, campaigns with stats that the summaries lack, `refused`, campaigns of the summaries
    that the API has no stats of, and `asked_since`, from when on changed ones are asked for.
    """

    name = "email_campaign_stats"
    path = "/reports/stats/email_campaigns"
    primary_keys = ("campaign_id",)
    ids_per_request = 150

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the stats of all campaigns that were sent; keep the counters."""
        counters = {}
        known, doubtful = self._campaigns_to_ask_for()
        # An unsent campaign among them would make the API refuse a whole request.
        for row in chain(self.stats_of(known), *(self.stats_of([id_]) for id_ in doubtful)):
            counters[str(row.get("campaign_id"))] = Counters.of_stats(row.get("stats") or {})
            yield row
        self._note_who_has_stats({*known, *doubtful}, set(counters))
        self.counters = {**self._counters_of_refused(), **counters}

    @cached_property
    def counters(self) -> dict[str, Counters]:
        """The counters of all campaigns that were sent; asked for once in a run."""
        for _ in self.read(None):
            pass
        return self.counters

    @cached_property
    def activities(self) -> ActivityLog:
        """The log of activities, compared with the counters of this run."""
        log = ActivityLog(self.stream_state)
        streams = [stream for stream in self._tap.streams.values() if stream.selected]
        readers = [stream for stream in streams if isinstance(stream, ForMovedActivities)]
        log.settle(min((reader.read_through for reader in readers), default=0))
        comparison = log.compare(
            self.counters,
            {id_: sent.last_sent_at for id_, sent in self._sent.items() if sent.last_sent_at},
            _Asker(self),
            self.campaigns.listed_at,
            self.config["engagement_rereads_days"],
        )
        for _ in comparison:
            self._write_state_message()
        return log

    @property
    def _sent(self) -> dict[str, Sent]:
        """The summaries, which are of campaigns that are done."""
        summaries = cast("EmailCampaignSummaries", self._tap.streams[EmailCampaignSummaries.name])
        return summaries.sent if self.campaigns.is_wanted({"current_status": "done"}) else {}

    def _campaigns_to_ask_for(self) -> tuple[list[str], list[str]]:
        """Return campaigns that have stats, and those that may have some.

        What is in the summaries was sent; so was what had stats before. Others that are neither
        drafts nor removed (in error, being sent, of a kind that the summaries leave out) are asked
        for when they are listed as changed.
        """
        log, sent, state = ActivityLog(self.stream_state), self._sent, self.stream_state
        changed = self.campaigns.changed_rows(state.get("asked_since", ""))
        status = {row["campaign_id"]: status_of(row) for row in changed if row.get("campaign_id")}
        for id_ in (id_ for id_ in status if status[id_] == "removed"):
            log.forget(id_)
        refused = set(state.get("refused", ()))
        again = {
            id_
            for id_ in refused & sent.keys()
            if log.has_moved(id_, sent[id_].counters, sent[id_].last_sent_at)
        }
        earlier = (*log.campaign_ids, *state.get("others", ())) if sent else ()
        known = dict.fromkeys([*sent, *earlier])
        asked = [id_ for id_ in known if id_ not in refused and status.get(id_) != "removed"]
        others = (id_ for id_ in status if status[id_] not in _NEVER_SENT and id_ not in known)
        return asked, [*again, *others]

    def _note_who_has_stats(self, asked: set[str], has_stats: set[str]) -> None:
        """Keep whom to ask in the next run, and whom not to ask in each one.

        Args:
            asked: the campaigns that were asked for.
            has_stats: those of them that the API has stats of.
        """
        log, sent, state = ActivityLog(self.stream_state), self._sent, self.stream_state
        for id_ in asked - has_stats - sent.keys():
            log.forget(id_)
        refused = ({*state.get("refused", ())} - has_stats | asked - has_stats) & sent.keys()
        state.update(
            asked_since=timestamp(self.campaigns.listed_at - OVERLAP),
            others=sorted(has_stats - sent.keys()),
            refused=sorted(refused),
        )

    def _counters_of_refused(self) -> dict[str, Counters]:
        """Return what the summaries say of campaigns without stats: it moves as well."""
        return {id_: self._sent[id_].counters for id_ in self.stream_state.get("refused", ())}


class _Asker:
    """Asks for the activities of campaigns that have moved."""

    def __init__(self, stats: EmailCampaignStats) -> None:
        self._campaigns = stats.campaigns
        streams = stats.campaigns._tap.streams  # noqa: SLF001 - the streams know each other by it
        self._activity_stats = cast("StatsStream", streams["email_campaign_activity_stats"])

    def activities_of(self, campaign_id: str) -> list[str]:
        """Return the ids of a campaign's activities that have reports."""
        activities = self._campaigns.activities({"campaign_id": campaign_id}, _REPORTED)
        return [activity["campaign_activity_id"] for activity in activities]

    def counters_of(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        """Return the counters of activities, by their ids; of those that were sent."""
        return {
            str(row.get("campaign_activity_id")): Counters.of_stats(row.get("stats") or {})
            for row in self._activity_stats.stats_of(activity_ids)
        }


class ForMovedActivities(ForCampaigns, OwnProgressStream):
    """A stream that reads something of the sent activities that have moved since it read them.

    The state has `read_through`, the number in the log up to which it has read, and `since`, the
    start_date that the first run began with.

    Attributes:
        at_once: how many activities are read together.
    """

    at_once: ClassVar[int] = 1
    needs = _METRICS

    _through: int
    _start: datetime | None

    @property
    def read_through(self) -> int:
        """The number in the log up to which earlier runs, and this one so far, have read."""
        return int(self.stream_state.get("read_through", 0))

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of activities that have moved, in the order of the log."""
        stats = cast("EmailCampaignStats", self._tap.streams[EmailCampaignStats.name])
        activities = stats.activities.after(self._begin())
        for first in range(0, len(activities), self.at_once):
            some = activities[first : first + self.at_once]
            yield from self.rows_of_activities(some)
            self.stream_state["read_through"] = some[-1].number
            self._write_state_message()

    def rows_of_activities(self, activities: list[Activity]) -> Iterator[Record]:
        """Yield the rows of some activities.

        Args:
            activities: as many as are read together.
        """
        raise NotImplementedError

    def known_until(self, activity: Activity) -> datetime | None:
        """Return up to when this stream has read an activity, or None if it is to be read whole."""
        return activity.known_until(self._through)

    def _begin(self) -> int:
        """Return the number in the log that this run goes on from.

        An earlier start_date lets rows in that were left out: all is read again.
        """
        known = self.stream_state.get("since")
        first = self.since_start_date()
        earlier = known is not None and first < known
        afresh = earlier or self.replication_method == REPLICATION_FULL_TABLE
        self._through = 0 if afresh else self.read_through
        self._start = parse_timestamp(first) if first else None
        self.stream_state["read_through"] = self._through
        return self._through


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


def _with_underscores(row: Record) -> Record:
    """Name counters as the contract does; answers with dots were published as well."""
    stats = row.get("stats")
    if not isinstance(stats, dict):
        return row
    return {**row, "stats": {name.replace(".", "_"): count for name, count in stats.items()}}


def _is_object(row: Any) -> bool:
    return isinstance(row, dict)


def _moment(text: Any) -> datetime | None:
    try:
        return parse_timestamp(str(text))
    except Misfit:
        return None
