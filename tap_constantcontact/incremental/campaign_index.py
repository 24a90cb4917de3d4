"""Campaign data that several streams need: list, details, summaries, counters, change log.

Each is requested once per run, when the first stream needs it, and counts as a request of the
stream whose endpoint it is.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from tap_constantcontact.incremental.activity_requests import ActivityRequests, CounterSource
from tap_constantcontact.incremental.campaign_details import REPORTED, activities_of, status_of
from tap_constantcontact.incremental.change_log import ChangeLog
from tap_constantcontact.incremental.changed_rows import ChangedRows
from tap_constantcontact.incremental.counters import Counters
from tap_constantcontact.incremental.start_date import STILL_ACTIVE, with_overlap

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_constantcontact.api.prefetch import PredictedRequest
    from tap_constantcontact.api.run_context import RunContext

# The API returns statuses as Done and as DONE (observed).
_NEVER_SENT = {"draft", "scheduled", "removed"}
_MAX_PAUSE_DAYS = 32
_LOGGER = logging.getLogger("tap-constantcontact.campaigns")


class CampaignRequests(Protocol):
    """The requests that the index makes, and the state that holds the change log."""

    @property
    def counters(self) -> CounterSource:
        """Counters of campaigns."""

    @property
    def activity_counters(self) -> CounterSource:
        """Counters of activities."""

    def request_list(self, since: str) -> Iterable[Record]:
        """Yield the rows of the list of campaigns that have changed since a timestamp."""

    def request_detail(self, campaign: Record) -> Record:
        """Return a campaign's detail, or an empty one if it is gone."""

    def predict_detail(self, campaign: Record) -> PredictedRequest:
        """Predict the request for a campaign's detail."""

    def request_summaries(self) -> Iterable[Record]:
        """Yield the summaries of all campaigns."""

    @property
    def log_state(self) -> dict[str, Any]:
        """The change log, and what belongs to it: a part of the state."""

    def positions(self, log: ChangeLog) -> Iterable[int]:
        """Return up to which number each selected stream has read the change log."""

    def starts(self) -> Iterable[datetime | None]:
        """Return the earliest start_date of each selected stream of reports."""

    @property
    def named_logs(self) -> Container[str]:
        """The ids of change logs that the positions of streams name, selected or not."""

    def checkpoint(self) -> None:
        """Write the state if it is time."""


class CampaignIndex:
    """Lists campaigns and tracks their changes, for all streams of a run."""

    def __init__(
        self, requests: CampaignRequests, api: RunContext, config: Mapping[str, Any]
    ) -> None:
        """Create an index that has requested nothing yet.

        Args:
            requests: Makes the requests, and holds the state.
            api: The run context that all streams share.
            config: The settings.
        """
        self._requests = requests
        self._api = api
        self._config = config
        #: Finds the campaigns of the list that have changed.
        self.changes = ChangedRows("campaign_id", "updated_at")
        self._listed: list[Record] | None = None
        self._listed_since = ""
        self._details: dict[Any, _Detail] = {}
        self._summaries: dict[str, Counters] | None = None
        self._counters: dict[str, Counters] | None = None
        self._change_log: ChangeLog | None = None
        #: Whether `fetch_change_log` costs no more requests.
        self.has_change_log = False
        #: When the list was requested.
        self.listed_at: datetime

    # The list.

    def fetch_listed(self, since: str) -> list[Record]:
        """Return the listed campaigns whose status is in the setting campaign_status.

        The list is requested once per run, and again only if older campaigns are needed.
        """
        if self._listed is None or since < self._listed_since:
            self.listed_at = self._api.now()
            self._listed = list(filter(self.is_wanted, self._requests.request_list(since)))
            self._listed_since = since
        return self._listed

    def fetch_changed(self, since: str) -> list[Record]:
        """Return the campaigns that have changed since a timestamp, oldest change first."""
        return self.changes.select(self.fetch_listed(since), since)

    def is_wanted(self, campaign: Record) -> bool:
        """Return whether the status of a campaign is in the setting campaign_status."""
        wanted = self._config.get("campaign_status")
        return not wanted or status_of(campaign) in map(str.lower, wanted)

    @property
    def wants_sent(self) -> bool:
        """Whether the setting campaign_status includes campaigns that were sent."""
        return self.is_wanted({"current_status": "done"})

    # Details.

    def fetch_detail(self, campaign: Record) -> Record:
        """Return a campaign's detail, which several streams need.

        It is requested once per run, and again if the list shows that the campaign has changed in
        the meantime, or if it was sent `since`. A removed campaign has none (observed: 404).
        """
        key, changed, since = (
            campaign.get(name) for name in ("campaign_id", "updated_at", "since")
        )
        known = self._details.get(key)
        if known is None or known.is_older_than(changed, since):
            requested_at = self._api.now()
            is_gone = status_of(campaign) == "removed"
            detail = {} if is_gone else self._requests.request_detail(campaign)
            known = self._details[key] = _Detail(changed, requested_at, detail)
        return known.content

    def known_detail(self, campaign: Record) -> Record | None:
        """Return a campaign's detail if it takes no further request."""
        known = self._details.get(campaign.get("campaign_id"))
        return known.content if known else None

    def needs_detail(self, campaign: Record) -> bool:
        """Return whether the detail of a wanted campaign is still to be requested."""
        is_there = self.is_wanted(campaign) and status_of(campaign) != "removed"
        return is_there and not self.known_detail(campaign)

    def predict_detail(self, campaign: Record) -> PredictedRequest:
        """Predict the request for a campaign's detail."""
        return self._requests.predict_detail(campaign)

    def fetch_activities(self, campaign: Record, roles: frozenset[str]) -> Iterator[Record]:
        """Yield the activities of a campaign that have one of the roles, or all if there are none.

        Args:
            campaign: The campaign as it is listed, or only its id.
            roles: The roles.
        """
        for activity in activities_of(self.fetch_detail(campaign), roles):
            yield {
                "campaign_id": campaign["campaign_id"],
                "campaign_activity_id": activity["campaign_activity_id"],
                "campaign_updated_at": campaign.get("updated_at"),
            }

    # Summaries.

    def read_summaries(self, rows: Iterable[Record]) -> Iterator[Record]:
        """Yield the rows of the summaries, and keep the counters that other streams need."""
        summaries = {}
        for row in rows:
            counters = Counters.of_summary(row.get("unique_counts"), row.get("last_sent_date"))
            summaries[str(row.get("campaign_id"))] = counters
            yield row
        self._summaries = summaries

    @property
    def known_summaries(self) -> Mapping[str, Counters]:
        """The unique counts of sent campaigns, if this run has already read them."""
        return self._summaries or {}

    def _fetch_sent(self) -> dict[str, Counters]:
        """Return the summaries, or none if campaign_status excludes sent campaigns."""
        if not self.wants_sent:
            return {}
        if self._summaries is None:
            _exhaust(self.read_summaries(self._requests.request_summaries()))
        return self._summaries or {}

    # Counters.

    def read_counters(self) -> Iterator[Record]:
        """Yield the stats of all sent campaigns, and keep the counters."""
        counters = {}
        sent = self._fetch_sent()
        known, unconfirmed = self._campaigns_to_request(sent)
        requested = {*known, *unconfirmed}
        # An unsent campaign among them would make the API refuse a whole request.
        groups = [known, *([id_] for id_ in unconfirmed)]
        source = self._requests.counters
        self._api.session.prefetch(chain.from_iterable(map(source.predict_counters, groups)))
        for row in chain.from_iterable(map(source.request_counters, groups)):
            if row.get("campaign_id") in requested:
                counters[row["campaign_id"]] = Counters.of_stats(row.get("stats"))
            yield row
        self._note_unanswered(requested, set(counters), sent)
        self._counters = self._with_summaries(counters, sent)

    def _campaigns_to_request(self, sent: Mapping[str, Counters]) -> tuple[list[str], list[str]]:
        """Return campaigns that have stats, and unconfirmed ones, which may have some.

        Campaigns in the summaries and those that had stats before were sent. Others that are
        neither drafts nor removed (in error, being sent, of a kind that the summaries omit) may
        have stats. They are requested when they are listed as changed, and after 1, 2, 4, … days.
        """
        state = self._requests.log_state
        log = self._change_log = ChangeLog(state)
        changed = self.fetch_changed(state.get("asked_since", ""))
        status = {row["campaign_id"]: status_of(row) for row in changed if row.get("campaign_id")}
        removed = {id_ for id_ in status if status[id_] == "removed"}
        for id_ in removed:
            log.remove(id_)
        earlier = (*log.campaign_ids, *state.get("others", ())) if self.wants_sent else ()
        known = dict.fromkeys([*sent, *earlier])
        unanswered: dict[str, list[int]] = state.get("unanswered", {})
        unconfirmed = [
            *(id_ for id_ in status if status[id_] not in _NEVER_SENT and id_ not in known),
            *(id_ for id_, (day, _) in unanswered.items() if day <= self._api.today),
            *(id_ for id_ in unanswered if id_ in sent and log.has_changed(id_, sent[id_])),
        ]
        return (
            [id_ for id_ in known if id_ not in unanswered and id_ not in removed],
            [id_ for id_ in dict.fromkeys(unconfirmed) if id_ not in removed],
        )

    def _note_unanswered(
        self, requested: set[str], has_stats: set[str], sent: Mapping[str, Counters]
    ) -> None:
        """Note in the state which campaigns the next run has to request.

        Args:
            requested: The campaigns that were requested.
            has_stats: Those for which the API returned stats.
            sent: The summaries.
        """
        state = self._requests.log_state
        state["asked_since"] = with_overlap(self.listed_at)
        if self.wants_sent:
            state["others"] = sorted(has_stats - sent.keys())
        unanswered: dict[str, list[int]] = state.setdefault("unanswered", {})
        for id_ in requested & has_stats & unanswered.keys():
            del unanswered[id_]
        for id_ in requested - has_stats:
            pause = unanswered.get(id_, [0, 1])[1]
            unanswered[id_] = [self._api.today + pause, min(2 * pause, _MAX_PAUSE_DAYS)]

    def _with_summaries(
        self, counters: Mapping[str, Counters], sent: Mapping[str, Counters]
    ) -> dict[str, Counters]:
        """Return the counters with the hour of the last send, which only the summaries have.

        Campaigns without stats get the counters of their summaries, which change as well.
        """
        dated = {
            id_: own._replace(sent=sent[id_].sent if id_ in sent else 0)
            for id_, own in counters.items()
        }
        unanswered = self._requests.log_state.get("unanswered", {}).keys() & sent.keys()
        return {**{id_: sent[id_] for id_ in unanswered}, **dated}

    def _fetch_counters(self) -> dict[str, Counters]:
        """Return the counters of all sent campaigns."""
        if self._counters is None:
            _exhaust(self.read_counters())
        return self._counters or {}

    # The change log.

    def note_activities(self, campaign: Record) -> None:
        """Note the activities of a new campaign in the change log.

        This saves a request for its detail when a later run reads its reports. A first sync that
        takes several days consists mostly of such campaigns.
        """
        if self._change_log is None:
            self._change_log = ChangeLog(self._requests.log_state)
        key = campaign["campaign_id"]
        ids = [each["campaign_activity_id"] for each in self.fetch_activities(campaign, REPORTED)]
        self._change_log.add_campaign(key, ids, self._details[key].requested_at)

    def fetch_change_log(self) -> ChangeLog:
        """Return the change log, updated with the counters of this run."""
        if not self.has_change_log:
            counters = self._fetch_counters()  # requested after the list of campaigns
            log = self._change_log = ChangeLog(self._requests.log_state)
            log.prune(min(self._requests.positions(log), default=0))
            log.identity.forget_unnamed(self._requests.named_logs)
            self._skip_old(log, counters)
            rereads = self._config["engagement_rereads_days"]
            source = ActivityRequests(self, self._requests.activity_counters, self._api)
            for _ in log.update(counters, source, self.listed_at, rereads):
                self._requests.checkpoint()
            self.has_change_log = True
        return cast("ChangeLog", self._change_log)

    def _skip_old(self, log: ChangeLog, counters: Mapping[str, Counters]) -> None:
        """Skip the reports on old campaigns if a setting says so, and log how many."""
        starts = [*self._requests.starts()] if self._config["skip_old_reports"] else []
        start = min(filter(None, starts)) if starts and all(starts) else None
        skipped = log.skip_sent_before(start - STILL_ACTIVE if start else None, counters)
        if skipped and start:
            message = (
                "skip_old_reports: skipping the reports on %s campaigns last sent more than %s "
                "days before %s until their counters change; this saves about %s requests"
            )
            days = STILL_ACTIVE.days
            saved = skipped * len(starts)
            _LOGGER.info(message, f"{skipped:,}", days, f"{start:%Y-%m-%d}", f"{saved:,}")


class _Detail(NamedTuple):
    """A campaign's detail.

    Attributes:
        changed_at: When the campaign had last changed, according to the list.
        requested_at: When the detail was requested.
        content: The detail; empty if it is gone.
    """

    changed_at: Any
    requested_at: datetime
    content: Record

    def is_older_than(self, changed_at: Any, since: datetime | None) -> bool:
        """Return whether the campaign has changed since this detail, or was sent after it."""
        has_changed = changed_at and changed_at != self.changed_at
        return bool(has_changed or (since and self.requested_at <= since))


def _exhaust(rows: Iterable[Record]) -> None:
    for _ in rows:
        pass
