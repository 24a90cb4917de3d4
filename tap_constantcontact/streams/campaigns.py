"""E-mail campaigns, their activities, and their counters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

import requests
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import rows_of
from tap_constantcontact.client import OVERLAP, ConstantContactStream
from tap_constantcontact.exceptions import NotFound, Refused
from tap_constantcontact.incremental.change_log import Activity, ChangeLog, Counters
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.bases import (
    OldestChangeFirstStream,
    PerItemStream,
    SelfManagedStateStream,
)
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

# Statuses come as Done and as DONE (seen).
_NEVER_SENT = {"draft", "scheduled", "removed"}
# Reports exist for activities in these roles (contract).
_REPORTED = {"primary_email", "resend"}
_PRIMARY = {"primary_email"}
_AB_TEST = 57
_LONGEST_PAUSE = 32
_SECONDS_OF_HOUR = 3600


class EmailCampaignSummaries(ConstantContactStream):
    """Unique counts of a sent campaign (getAllBulkEmailCampaignSummaries)."""

    name = "email_campaign_summaries"
    path = "/reports/summary_reports/email_campaign_summaries"
    records_key = "bulk_email_campaign_summaries"
    params = {"limit": 500}
    primary_keys = ("campaign_id",)
    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the summaries; keep what others need of them."""
        sent = {}
        for row in self.request_records(context):
            counters = Counters.of_summary(row.get("unique_counts"), row.get("last_sent_date"))
            sent[str(row.get("campaign_id"))] = counters
            yield row
        self.sent = sent

    @cached_property
    def sent(self) -> dict[str, Counters]:
        """The unique counts of the campaigns that were sent; asked for once in a run."""
        for _ in self.read(None):
            pass
        return self.sent

    @property
    def is_read(self) -> bool:
        """Whether `sent` costs no more requests."""
        return "sent" in vars(self)


class EmailCampaigns(OldestChangeFirstStream):
    """An e-mail campaign (retrieveEmailCampaignsUsingGET, retrieveEmailCampaignUsingGET).

    Beside the bookmark, the state has `sent_until`, an hour since 1970: that a send is a change of
    the campaign is a guess, so that campaigns which the summaries show as sent later are read too.
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

    _listed: list[Record] | None = None
    _listed_since = ""
    #: When the list was asked for.
    listed_at: datetime

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the changed campaigns, and those that were sent since."""
        state = self.stream_state
        self.list_rows(self.since)
        sent_until = state.setdefault("sent_until", self._listed_until) or self._listed_until
        changed = set()
        for campaign in super().read(context):
            self._remember_activities(campaign)
            changed.add(campaign.get("campaign_id"))
            yield campaign
        yield from self._sent_after(sent_until, changed)
        state["sent_until"] = max(sent_until, self._listed_until)

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

    def needs_detail(self, row: Record) -> bool:
        """Return whether a campaign is wanted, and has a detail that is not known."""
        is_there = self.is_wanted(row) and status_of(row) != "removed"
        return is_there and not self.known_detail_of(row) and super().needs_detail(row)

    @cached_property
    def _details(self) -> dict[Any, tuple[Any, datetime, Record]]:
        return {}

    def detail_of(self, row: Record) -> Record:
        """Return a campaign's detail, which several streams need.

        It is asked for once in a run, and again where the campaign has changed meanwhile, as the
        list shows, or was sent `since`. That of a removed campaign cannot be read (seen: 404).
        """
        key, changed, since = (row.get(name) for name in ("campaign_id", "updated_at", "since"))
        known = self._details.get(key)
        is_old = known and ((changed and changed != known[0]) or (since and known[1] <= since))
        if known is None or is_old:
            now = self.api.now()
            detail = {} if status_of(row) == "removed" else super().detail_of(row)
            known = self._details[key] = (changed, now, detail)
        return known[2]

    def known_detail_of(self, row: Record) -> Record | None:
        """Return a campaign's detail if it costs no more request."""
        known = self._details.get(row.get("campaign_id"))
        return known[2] if known else None

    def activities(self, campaign: Record, roles: set[str]) -> Iterator[Record]:
        """Yield the activities of a campaign that have one of some roles, or any if none is named.

        Args:
            campaign: the campaign as it is listed, or its id alone.
            roles: the roles.
        """
        for activity in _activities(self.detail_of(campaign), roles):
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
        reading = (
            stream for stream in streams.values() if isinstance(stream, ChangedActivitiesStream)
        )
        if status_of(campaign) == "done" and any(stream.selected for stream in reading):
            log = ChangeLog(streams[EmailCampaignStats.name].stream_state)
            reported = self.activities(campaign, _REPORTED)
            ids = [activity["campaign_activity_id"] for activity in reported]
            named_at = self._details[campaign["campaign_id"]][1]
            log.add_campaign(campaign["campaign_id"], ids, named_at)

    def _sent_after(self, hour: int, changed: Container[Any]) -> Iterator[Record]:
        """Yield campaigns that were sent later and are not listed as changed."""
        for campaign_id, counters in self._summaries.items():
            if counters.sent > hour and campaign_id not in changed:
                campaign = self.detail_of({"campaign_id": campaign_id})
                if campaign and self.is_wanted(campaign):
                    yield dict(campaign)

    @property
    def _listed_until(self) -> int:
        """The hour of the newest send that the list shows for sure.

        The summaries can be newer than the list: what was sent in its hour is read once more.
        """
        last = max((counters.sent for counters in self._summaries.values()), default=0)
        return min(last, int(self.listed_at.timestamp()) // _SECONDS_OF_HOUR - 1)

    @property
    def _summaries(self) -> Mapping[str, Counters]:
        """The summaries, if this run has read them anyway."""
        summaries = cast("EmailCampaignSummaries", self._tap.streams[EmailCampaignSummaries.name])
        return summaries.sent if summaries.is_read else {}


class CampaignsStream(ConstantContactStream):
    """A stream that reads something of campaigns."""

    @property
    def campaigns(self) -> EmailCampaigns:
        """The stream of campaigns, which lists them for others too."""
        return cast("EmailCampaigns", self._tap.streams[EmailCampaigns.name])


class ChangedCampaignsStream(CampaignsStream, PerItemStream, OldestChangeFirstStream):
    """A stream that asks once for each activity of the campaigns that have changed.

    The time of the campaign's change is the replication key, a column of its own.

    Attributes:
        roles: roles of the activities that have what is asked for; any, where there are none.
    """

    replication_key = "campaign_updated_at"
    context_columns = ("campaign_id", "campaign_activity_id", "campaign_updated_at")
    roles: ClassVar[set[str]] = _PRIMARY
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    notes = StreamNotes(
        reads="of campaigns that have changed since the bookmark, the oldest change first",
        cost="1 for each primary activity of a changed campaign",
        limitations="an edit that does not move the campaign's `updated_at`",
    )

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of each activity, the campaign with the oldest change first."""
        changed = self.campaigns.changed_rows(self.since)
        self.api.session.prefetch(self._predict_campaigns(changed))
        for campaign in changed:
            if self.applies_to(campaign):
                for activity in self.campaigns.activities(campaign, self.roles):
                    yield from self.readable_rows_of(activity)
            self.move_bookmark(self.campaigns.changed_at(campaign))
            self._write_state_message()

    def applies_to(self, campaign: Record) -> bool:
        """Return whether a campaign can have what is asked for."""
        return status_of(campaign) != "removed"

    def predicted_requests(self) -> Iterable[PredictedRequest]:
        """Return none: which campaigns have changed takes requests to know."""
        return ()

    def _predict_campaigns(self, campaigns: list[Record]) -> Iterator[PredictedRequest]:
        """Yield the requests for the activities of campaigns, or for details that name them."""
        for campaign in filter(self.applies_to, campaigns):
            if detail := self.campaigns.known_detail_of(campaign):
                yield from self._predict_activities(detail)
            else:
                guess = self.campaigns.predict_detail(campaign)
                yield guess._replace(then=self._predict_from_detail)

    def _predict_from_detail(self, answer: requests.Response) -> Iterator[PredictedRequest]:
        for campaign in rows_of(answer, None):
            yield from self._predict_activities(campaign)

    def _predict_activities(self, campaign: Record) -> Iterator[PredictedRequest]:
        return map(self.predict, _activities(campaign, self.roles))


class EmailCampaignActivities(ChangedCampaignsStream):
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
    notes = StreamNotes(cost="1 for each activity of a changed campaign")


class EmailCampaignSchedules(CampaignsStream, PerItemStream):
    """When a scheduled activity is to be sent (retrieveEmailSchedulesUsingGET)."""

    name = "email_campaign_schedules"
    path = "/emails/activities/{campaign_activity_id}/schedules"
    primary_keys = ("campaign_activity_id", "scheduled_date")
    context_columns = ("campaign_id", "campaign_activity_id")
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    selected_by_default = False
    notes = StreamNotes(
        reads="in full, of scheduled campaigns",
        cost="1 for 500 campaigns, and 2 for each scheduled one",
        limitations="a schedule that is taken back or done: its row stays",
    )

    def items(self, context: Context | None) -> Iterator[Record]:
        """Yield the activities of all scheduled campaigns, changed or not."""
        for campaign in self.campaigns.all:
            if status_of(campaign) == "scheduled":
                yield from self.campaigns.activities(campaign, _PRIMARY)


class EmailCampaignABTests(ChangedCampaignsStream):
    """An A/B test of subjects (retrieveEmailCampaignABTestUsingGET)."""

    name = "email_campaign_ab_tests"
    path = "/emails/activities/{campaign_activity_id}/abtest"
    primary_keys = ("campaign_activity_id",)
    selected_by_default = False
    notes = StreamNotes(cost="1 for each changed campaign of `type_code` 57")

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
            self.note_skipped(refusal)


class EmailCampaignResends(ChangedCampaignsStream):
    """A resend to contacts that did not open (retrieveResendToNonOpenersUsingGET)."""

    name = "email_campaign_resends"
    path = "/emails/activities/{campaign_activity_id}/non_opener_resends"
    primary_keys = ("campaign_activity_id", "resend_request_id")
    selected_by_default = False


class EmailCampaignPreviews(ChangedCampaignsStream):
    """What an email looks like to the account's owner (retrieveEmailCampaignActivityPreview…)."""

    name = "email_campaign_previews"
    path = "/emails/activities/{campaign_activity_id}/previews"
    primary_keys = ("campaign_activity_id",)
    selected_by_default = False


class StatsStream(CampaignsStream):
    """Counters of many ids in each request.

    Attributes:
        ids_per_request: most ids in the path of one request (contract).
    """

    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)
    ids_per_request: ClassVar[int]

    def stats_of(self, ids: Iterable[str]) -> Iterator[Record]:
        """Yield the stats of ids, many in each request."""
        for some in self._batches(ids):
            yield from self._stats_of(some)

    def predict_stats(self, ids: Iterable[str]) -> Iterator[PredictedRequest]:
        """Yield the requests that `stats_of` makes."""
        for some in self._batches(ids):
            yield self.predict_path(self._path_of(some))

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return none: which ids there are takes requests to know."""
        return ()

    def _batches(self, ids: Iterable[str]) -> Iterator[list[str]]:
        rest = iter(ids)
        while some := list(islice(rest, self.ids_per_request)):
            yield some

    def _path_of(self, ids: list[str]) -> str:
        return f"{self.path}/{','.join(ids)}"

    def _stats_of(self, ids: list[str]) -> Iterator[Record]:
        """Yield the stats of one request; one unknown id makes the API refuse all (contract)."""
        try:
            answer: dict[str, Any] = self.fetch(self._path_of(ids))
        except NotFound as missing:
            if len(ids) == 1:
                self.note_skipped(missing)
                return
            half = len(ids) // 2
            yield from self._stats_of(ids[:half])
            yield from self._stats_of(ids[half:])
        else:
            yield from filter(_is_object, answer.get("results") or [])

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Name counters as the contract does; answers with dots were published as well."""
        stats = row.get("stats")
        if isinstance(stats, dict):
            row["stats"] = {name.replace(".", "_"): count for name, count in stats.items()}
        return super().post_process(row, context)


class EmailCampaignStats(StatsStream):
    """Counters and rates of a sent campaign (getEmailSummary).

    They show which campaigns have moved, to all streams of reports. Its state is their log, and has
    `others`, campaigns with stats that the summaries lack, `asked_since`, from when on changed ones
    are asked for, and `unanswered`, campaigns without stats so far: the day (since 1970) on which
    they are asked for again, and after how many days the next time.
    """

    name = "email_campaign_stats"
    path = "/reports/stats/email_campaigns"
    primary_keys = ("campaign_id",)
    ids_per_request = 150
    notes = StreamNotes(
        reads="in full; keeps the log of what has moved",
        cost="1 for 150 campaigns that were sent, and 1 for each that may have counters",
    )

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the stats of all campaigns that were sent; keep the counters."""
        counters = {}
        known, doubtful = self._campaigns_to_ask_for()
        asked = {*known, *doubtful}
        # An unsent campaign among them would make the API refuse a whole request.
        groups = [known, *([id_] for id_ in doubtful)]
        self.api.session.prefetch(chain.from_iterable(map(self.predict_stats, groups)))
        for row in chain.from_iterable(map(self.stats_of, groups)):
            if row.get("campaign_id") in asked:
                counters[row["campaign_id"]] = Counters.of_stats(row.get("stats"))
            yield row
        self._note_answers(asked, set(counters))
        self.counters = self._with_summaries(counters)

    @cached_property
    def counters(self) -> dict[str, Counters]:
        """The counters of all campaigns that were sent; asked for once in a run."""
        for _ in self.read(None):
            pass
        return self.counters

    @cached_property
    def activities(self) -> ChangeLog:
        """The log of activities, compared with the counters of this run."""
        log = ChangeLog(self.stream_state)
        streams = [stream for stream in self._tap.streams.values() if stream.selected]
        readers = [stream for stream in streams if isinstance(stream, ChangedActivitiesStream)]
        log.prune(min((reader.read_through for reader in readers), default=0))
        rereads = self.config["engagement_rereads_days"]
        counters = self.counters  # asked for after the list of campaigns
        of_activities = cast("StatsStream", self._tap.streams["email_campaign_activity_stats"])
        asker = _Asker(self.campaigns, of_activities)
        for _ in log.update(counters, asker, self.campaigns.listed_at, rereads):
            self._write_state_message()
        return log

    @property
    def is_compared(self) -> bool:
        """Whether `activities` costs no more requests."""
        return "activities" in vars(self)

    @property
    def reads_sent(self) -> bool:
        """Whether the setting campaign_status lets in campaigns that were sent."""
        return self.campaigns.is_wanted({"current_status": "done"})

    @property
    def _sent(self) -> dict[str, Counters]:
        """The summaries, which are of campaigns that are done."""
        summaries = cast("EmailCampaignSummaries", self._tap.streams[EmailCampaignSummaries.name])
        return summaries.sent if self.reads_sent else {}

    def _campaigns_to_ask_for(self) -> tuple[list[str], list[str]]:
        """Return campaigns that have stats, and those that may have some.

        What is in the summaries was sent; so was what had stats before. Others that are neither
        drafts nor removed (in error, being sent, of a kind that the summaries leave out) may have
        some: they are asked for when they are listed as changed, and after 1, 2, 4, … days.
        """
        log, state, sent = ChangeLog(self.stream_state), self.stream_state, self._sent
        changed = self.campaigns.changed_rows(state.get("asked_since", ""))
        status = {row["campaign_id"]: status_of(row) for row in changed if row.get("campaign_id")}
        removed = {id_ for id_ in status if status[id_] == "removed"}
        for id_ in removed:
            log.remove(id_)
        earlier = (*log.campaign_ids, *state.get("others", ())) if self.reads_sent else ()
        known = dict.fromkeys([*sent, *earlier])
        unanswered: dict[str, list[int]] = state.get("unanswered", {})
        doubtful = [
            *(id_ for id_ in status if status[id_] not in _NEVER_SENT and id_ not in known),
            *(id_ for id_, (day, _) in unanswered.items() if day <= self.api.today),
            *(id_ for id_ in unanswered if id_ in sent and log.has_changed(id_, sent[id_])),
        ]
        return (
            [id_ for id_ in known if id_ not in unanswered and id_ not in removed],
            [id_ for id_ in dict.fromkeys(doubtful) if id_ not in removed],
        )

    def _note_answers(self, asked: set[str], has_stats: set[str]) -> None:
        """Keep whom to ask in the next run.

        Args:
            asked: the campaigns that were asked for.
            has_stats: those of them that the API has stats of.
        """
        state = self.stream_state
        state["asked_since"] = format_timestamp(self.campaigns.listed_at - OVERLAP)
        if self.reads_sent:
            state["others"] = sorted(has_stats - self._sent.keys())
        unanswered: dict[str, list[int]] = state.setdefault("unanswered", {})
        for id_ in asked & has_stats & unanswered.keys():
            del unanswered[id_]
        for id_ in asked - has_stats:
            pause = unanswered.get(id_, [0, 1])[1]
            unanswered[id_] = [self.api.today + pause, min(2 * pause, _LONGEST_PAUSE)]

    def _with_summaries(self, counters: dict[str, Counters]) -> dict[str, Counters]:
        """Return counters with the hour of the last send, which is in the summaries alone.

        Those of campaigns without stats are those of the summaries: they move as well.
        """
        sent = self._sent
        dated = {
            id_: own._replace(sent=sent[id_].sent if id_ in sent else 0)
            for id_, own in counters.items()
        }
        unanswered = self.stream_state.get("unanswered", {}).keys() & sent.keys()
        return {**{id_: sent[id_] for id_ in unanswered}, **dated}


class _Asker:
    """Asks for the activities of campaigns that have moved."""

    def __init__(self, campaigns: EmailCampaigns, activity_stats: StatsStream) -> None:
        self._campaigns = campaigns
        self._activity_stats = activity_stats

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        """Return the ids of those activities that are known without asking."""
        known = self._campaigns.known_detail_of({"campaign_id": campaign_id}) or {}
        return [activity["campaign_activity_id"] for activity in _activities(known, _REPORTED)]

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        """Take note of what `fetch_activity_ids` will be called with."""
        rows = ({"campaign_id": id_} for id_ in campaign_ids)
        unknown = (row for row in rows if not self._campaigns.known_detail_of(row))
        self._campaigns.api.session.prefetch(map(self._campaigns.predict_detail, unknown))

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        """Take note of what `fetch_counters` will be called with."""
        guesses = map(self._activity_stats.predict_stats, activity_ids)
        self._campaigns.api.session.prefetch(chain.from_iterable(guesses))

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        """Return the ids of a campaign's activities that have reports."""
        campaign = {"campaign_id": campaign_id, "since": since}
        activities = self._campaigns.activities(campaign, _REPORTED)
        return [activity["campaign_activity_id"] for activity in activities]

    def fetch_counters(self, activity_ids: Sequence[str]) -> dict[str, Counters]:
        """Return the counters of activities, by their ids; of those that were sent."""
        return {
            str(row.get("campaign_activity_id")): Counters.of_stats(row.get("stats"))
            for row in self._activity_stats.stats_of(activity_ids)
        }


class ChangedActivitiesStream(CampaignsStream, SelfManagedStateStream):
    """A stream that reads something of the sent activities that have moved since it read them.

    The state has `read_through`, the number in the log up to which it has read,
    `complete_through`, the last number when it had read all, `left_out`, activities that could not
    be read, with the day (since 1970) of the last try, and `since`, the start_date that the first
    run began with.

    Attributes:
        at_once: how many activities are read together.
    """

    at_once: ClassVar[int] = 1
    scopes = ("campaign_data",)
    privileges = ("ui:campaign:metrics",)
    notes = StreamNotes(reads="of activities that have moved, to the end of each report")

    @property
    def left_out(self) -> dict[str, int]:
        """The activities that could not be read, with the day of the last try."""
        left_out: dict[str, int] = self.stream_state.setdefault("left_out", {})
        return left_out

    @property
    def start(self) -> datetime | None:
        """The moment before which rows are left out, if there is one."""
        return parse_timestamp(self.first_start) if self.first_start else None

    @property
    def read_through(self) -> int:
        """The number in the log up to which earlier runs, and this one so far, have read."""
        return int(self.stream_state.get("read_through", 0))

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of activities that have moved, in the order of the log."""
        stats = cast("EmailCampaignStats", self._tap.streams[EmailCampaignStats.name])
        if not stats.reads_sent:
            return
        log = stats.activities
        if self._begins_anew(log):
            self.stream_state.update(read_through=0, complete_through=0, left_out={})
        self.stream_state["since"] = self.first_start
        activities = self._to_read(log, self.read_through)
        for first in range(0, len(activities), self.at_once):
            some = activities[first : first + self.at_once]
            yield from self.rows_of_activities(some)
            self.stream_state["read_through"] = max(self.read_through, some[-1].number)
            self._write_state_message()
        self.stream_state["complete_through"] = log.last_number

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the requests for the activities that have moved, when it is known which."""
        stats = cast("EmailCampaignStats", self._tap.streams[EmailCampaignStats.name])
        if not stats.reads_sent:
            return ()
        if not stats.is_compared:
            return None
        log = stats.activities
        through = 0 if self._begins_anew(log) else self.read_through
        return self.predict_activities(self._to_read(log, through))

    @abstractmethod
    def predict_activities(self, activities: list[Activity]) -> Iterator[PredictedRequest]:
        """Yield the requests for some activities.

        Args:
            activities: those that are to be read.
        """

    def _to_read(self, log: ChangeLog, through: int) -> list[Activity]:
        """Return what moved after a number, and what could not be read on an earlier day."""
        left_out: dict[str, int] = self.stream_state.get("left_out", {})
        again = {id_ for id_, day in left_out.items() if day < self.api.today}
        old = [activity for activity in log.with_ids(again) if activity.number <= through]
        return [*old, *log.changed_after(through)]

    @abstractmethod
    def rows_of_activities(self, activities: list[Activity]) -> Iterator[Record]:
        """Yield the rows of some activities.

        Args:
            activities: as many as are read together.
        """

    def known_until(self, activity: Activity) -> datetime | None:
        """Return up to when this stream has read an activity, or None if it is to be read whole."""
        if activity.activity_id in self.stream_state.get("left_out", {}):
            return None
        return activity.read_until(int(self.stream_state.get("complete_through", 0)))

    def _begins_anew(self, log: ChangeLog) -> bool:
        """Return whether everything is to be read again.

        An earlier start_date lets rows in that were left out, and a log that was taken out of the
        state begins anew.
        """
        known = self.stream_state.get("since")
        is_earlier = known is not None and self.first_start < known
        is_full = self.replication_method == REPLICATION_FULL_TABLE
        return is_earlier or is_full or self.read_through > log.last_number


def _activities(campaign: Record, roles: set[str]) -> list[Record]:
    """Return the activities that a campaign's detail names, of some roles, or of any."""
    listed = campaign.get("campaign_activities")
    return [
        activity
        for activity in (listed if isinstance(listed, list) else [])
        if isinstance(activity, dict)
        and activity.get("campaign_activity_id")
        and (not roles or activity.get("role") in roles)
    ]


def status_of(campaign: Record) -> str:
    """Return the status of a campaign or an activity, in lower case."""
    return str(campaign.get("current_status") or "").lower()


def _is_object(row: Any) -> bool:
    return isinstance(row, dict)
