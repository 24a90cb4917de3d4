"""The change log: it tells streams of reports which activities have changed since they read them.

Reports on campaigns have no time filter, but the API counts their rows, and the counters of many
campaigns come with one request. So each run compares the counters of all campaigns with those of
the last run. If a campaign has the same counters, its reports have no new rows, and the run
requests none of them. If a counter differs, each activity that has changed gets the next number of
the log: 1, 2, 3, …

A stream remembers in its own state up to which number it has read the log (`read_through`), and
which log that was: `change_log_identity` says why.
Activities with greater numbers are still to be read, in that order. It doesn't matter whether they
changed in this run, in a run that ended early, or while the stream was not selected.

An activity keeps the change before the last one as well. A stream that had read it then needs only
the newest rows of a report; `ReportCursor` says how many.

The log is a part of the state of the stream `email_campaign_stats`, whether that is selected or
not; `change_log_codec` packs it.
"""

from __future__ import annotations

from collections.abc import (
    Container,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from datetime import datetime
from itertools import takewhile
from typing import Any, Protocol

from tap_constantcontact.incremental.change_log_codec import PackedCampaigns
from tap_constantcontact.incremental.change_log_entries import (
    ActivityEntry,
    CampaignEntry,
    Change,
    UncomparedActivity,
)
from tap_constantcontact.incremental.change_log_identity import LAST_NUMBER_KEY, LogIdentity
from tap_constantcontact.incremental.counters import NO_COUNTERS, Counters
from tap_constantcontact.timestamps import from_hour, to_hour

__all__ = ["Activity", "ActivitySource", "ChangeLog", "Counters"]

# Activities whose counters come with one request (documented: at most ten).
_ACTIVITIES_PER_REQUEST = 10
_HOURS_PER_DAY = 24


class ActivitySource(Protocol):
    """Requests from the API what the counters of a campaign don't tell."""

    def known_activity_ids(self, campaign_id: str) -> list[str]:
        """Return the ids of a campaign's activities if they are known without a request."""

    def prefetch_activity_ids(self, campaign_ids: Iterable[str]) -> None:
        """Send the requests ahead that `fetch_activity_ids` will make for some campaigns."""

    def prefetch_counters(self, activity_ids: Iterable[Sequence[str]]) -> None:
        """Send the requests ahead that `fetch_counters` will make for groups of activities."""

    def fetch_activity_ids(self, campaign_id: str, since: datetime) -> list[str]:
        """Return the ids of a campaign's activities that have reports.

        Args:
            campaign_id: The campaign.
            since: Ids that were fetched before are out of date, as the campaign was sent then.
        """

    def fetch_counters(self, activity_ids: Sequence[str]) -> Mapping[str, Counters]:
        """Return the counters of activities, by their ids; only of those that were sent."""


class Activity:
    """A sent activity that has changed, as a stream of reports sees it."""

    def __init__(
        self,
        campaign_id: str,
        activity_id: str,
        entry: ActivityEntry,
        campaigns: MutableMapping[str, CampaignEntry],
    ) -> None:
        """Take an activity from the log.

        Args:
            campaign_id: The id of its campaign.
            activity_id: Its own id.
            entry: Its entry in the log.
            campaigns: The campaigns of the log, which keep what is noted of the activity.
        """
        self.campaign_id = campaign_id
        self.activity_id = activity_id
        self._entry = entry
        self._campaigns = campaigns

    @property
    def number(self) -> int:
        """The number of its last change in the log."""
        return self._entry.change.number

    @property
    def counters(self) -> Counters:
        """Its counters at its last change."""
        return self._entry.counters

    @property
    def changed_at(self) -> datetime:
        """The hour in which its last change was detected."""
        return from_hour(self._entry.change.hour)

    def read_until(self, complete_through: int) -> datetime | None:
        """Return up to when a stream has read its report, or None to read the report in full.

        Args:
            complete_through: The last number of the log when the stream had read all of it.
        """
        previous = self._entry.previous
        is_read = previous is not None and previous.number <= complete_through
        return from_hour(previous.hour) if previous and is_read else None

    def expected_rows(self, kind: str) -> int:
        """Return how many rows there must be since a day before `read_until`.

        Args:
            kind: `opens` or `clicks`.
        """
        rows: int = getattr(self._entry.expected_rows, kind)
        return rows

    def expect_rows(self, kind: str, rows: int) -> None:
        """Note in the log how many rows there were since a day before `changed_at`.

        Args:
            kind: `opens` or `clicks`.
            rows: How many there were; the growth of the counter will be added to them.
        """
        self._entry = self._entry.expecting(kind, rows)
        campaign = self._campaigns.get(self.campaign_id, CampaignEntry())
        current = campaign.compared.get(self.activity_id)
        if current and current.change == self._entry.change:
            entries = {self.activity_id: current.expecting(kind, rows)}
            self._campaigns[self.campaign_id] = campaign.with_entries(entries)


class ChangeLog:
    """The sent activities of an account, in the order of their last changes."""

    def __init__(self, state: dict[str, Any]) -> None:
        """Continue the log of earlier runs.

        Args:
            state: The state of the log, which is updated with each change.

        Raises:
            ConfigurationError: A newer release has written the state.
        """
        self._state = state
        self._campaigns = PackedCampaigns(state)
        #: Says which log this is.
        self.identity = LogIdentity(state)

    @property
    def last_number(self) -> int:
        """The greatest number that a change has got."""
        return int(self._state.get(LAST_NUMBER_KEY, 0))

    @property
    def campaign_ids(self) -> Iterator[str]:
        """The ids of the campaigns that were compared."""
        return (id_ for id_, campaign in self._campaigns.items() if campaign.counters is not None)

    def changed_after(self, number: int) -> list[Activity]:
        """Return the activities that have changed after a number, in the order of the log."""
        changed = [
            Activity(campaign_id, activity_id, entry, self._campaigns)
            for campaign_id, campaign in self._campaigns.items()
            for activity_id, entry in campaign.compared.items()
            if entry.change.number > number
        ]
        return sorted(changed, key=lambda activity: activity.number)

    def with_ids(self, activity_ids: Container[str]) -> list[Activity]:
        """Return the activities that have one of some ids, in the order of the log."""
        return [each for each in self.changed_after(0) if each.activity_id in activity_ids]

    def has_changed(self, campaign_id: str, counters: Counters) -> bool:
        """Return whether the counters of a campaign differ from those in the log."""
        return self._counters(campaign_id) != self._with_last_send(campaign_id, counters)

    def prune(self, number: int) -> None:
        """Remove the previous changes of activities that no stream needs any more.

        Args:
            number: The number up to which all streams have read the log.
        """
        for id_, campaign in self._campaigns.items():
            pruned = {
                activity: entry.pruned()
                for activity, entry in campaign.compared.items()
                if entry.previous and entry.change.number <= number
            }
            if pruned:
                self._campaigns[id_] = campaign.with_entries(pruned)

    def remove(self, campaign_id: str) -> None:
        """Remove a campaign that was deleted from the account."""
        self._campaigns.pop(campaign_id, None)

    def add_campaign(self, campaign_id: str, activity_ids: Iterable[str], at: datetime) -> None:
        """Add the activities of a new campaign, which this run or a later one will compare.

        Args:
            campaign_id: The campaign; nothing is done if it was compared already.
            activity_ids: Its activities that have reports.
            at: When the API named them.
        """
        if self._counters(campaign_id) is None:
            activities = dict.fromkeys(activity_ids, UncomparedActivity(to_hour(at)))
            self._campaigns[campaign_id] = CampaignEntry(activities)

    def update(
        self,
        counters: Mapping[str, Counters],
        source: ActivitySource,
        at: datetime,
        reread_days: Sequence[int],
    ) -> Iterator[None]:
        """Give the next numbers to all activities that have changed, the newest send first.

        Yields after each campaign or each group of them: the log is complete up to there, and a
        state may be written.

        Args:
            counters: The counters of all campaigns, by their ids.
            source: Fetches the activities of campaigns that have changed, and their counters.
            at: When the counters were requested.
            reread_days: How many days after its last send a campaign's reports are read in full.
        """
        counters = {id_: self._with_last_send(id_, own) for id_, own in counters.items()}
        due = {id_ for id_, own in counters.items() if self._is_due(id_, own, at, reread_days)}
        changed = [id_ for id_, own in counters.items() if id_ in due or self._counters(id_) != own]
        changed.sort(key=lambda id_: counters[id_].sent, reverse=True)
        self._prefetch({id_: counters[id_].sent for id_ in changed}, source)
        activities = (
            (id_, self._activity_ids(id_, counters[id_].sent, source, at)) for id_ in changed
        )
        for group in _groups(activities):
            several = _of_several(group)
            fetched = source.fetch_counters(several) if several else {}
            for id_, activity_ids in group.items():
                # The counters of a campaign are those of its only activity.
                known = {activity_ids[0]: counters[id_]} if len(activity_ids) == 1 else fetched
                own = {activity: known.get(activity) for activity in activity_ids}
                self._compare(id_, counters[id_], own, to_hour(at), read_in_full=id_ in due)
            yield

    def _counters(self, campaign_id: str) -> Counters | None:
        campaign = self._campaigns.get(campaign_id)
        return campaign.counters if campaign else None

    def _with_last_send(self, campaign_id: str, counters: Counters) -> Counters:
        """Return counters with the hour of the last send from the log, if it is unknown now."""
        known = self._counters(campaign_id)
        return counters._replace(sent=counters.sent or (known.sent if known else 0))

    def _is_due(
        self, campaign_id: str, counters: Counters, at: datetime, reread_days: Sequence[int]
    ) -> bool:
        """Return whether a re-read fell due since an activity of a campaign got its number."""
        campaign = self._campaigns.get(campaign_id)
        if not campaign or not counters.sent:
            return False
        due = (counters.sent + days * _HOURS_PER_DAY + 1 for days in reread_days)
        last = max((hour for hour in due if hour <= to_hour(at)), default=0)
        return any(entry.change.hour < last for entry in campaign.compared.values())

    def _prefetch(self, sent: Mapping[str, int], source: ActivitySource) -> None:
        """Send requests ahead for campaigns that have changed.

        Args:
            sent: The hours of their last sends, by their ids, in the order of the comparison.
            source: Gets the requests that are known to follow.
        """
        added = {id_: self._added_activity_ids(id_, hour) for id_, hour in sent.items()}
        source.prefetch_activity_ids([id_ for id_, activities in added.items() if not activities])
        known = ((id_, own or source.known_activity_ids(id_)) for id_, own in added.items())
        groups = _groups(takewhile(lambda pair: pair[1], known))
        source.prefetch_counters(filter(None, map(_of_several, groups)))

    def _activity_ids(
        self, campaign_id: str, sent: int, source: ActivitySource, at: datetime
    ) -> list[str]:
        """Return the activities of a campaign: the API's, or those of the log if it names none."""
        if added := self._added_activity_ids(campaign_id, sent):
            return added
        fetched = source.fetch_activity_ids(campaign_id, from_hour(sent + 1))
        self.add_campaign(campaign_id, fetched, at)
        return fetched or [*self._campaigns[campaign_id].activities]

    def _added_activity_ids(self, campaign_id: str, sent: int) -> list[str]:
        """Return the activities that were added and not compared yet, if they are complete.

        Those that were added before the last send may lack an activity that was sent then.
        """
        campaign = self._campaigns.get(campaign_id, CampaignEntry())
        hour = campaign.named_hour
        return [*campaign.activities] if hour is not None and 0 < sent < hour else []

    def _compare(
        self,
        campaign_id: str,
        counters: Counters,
        named: Mapping[str, Counters | None],
        hour: int,
        *,
        read_in_full: bool,
    ) -> None:
        """Give the next numbers to the activities of a campaign that have changed.

        Args:
            campaign_id: The campaign.
            counters: Its counters.
            named: Those of its activities, by their ids; None for activities that have no
                counters, such as a resend that is not sent yet.
            hour: When they were requested, in hours since 1970.
            read_in_full: Whether all of its reports have to be read in full.
        """
        campaign = self._campaigns.get(campaign_id, CampaignEntry())
        earlier = campaign.compared
        activities = {id_: own for id_, own in named.items() if own is not None}
        growth = [
            own.minus(earlier[id_].counters if id_ in earlier else NO_COUNTERS)
            for id_, own in activities.items()
        ]
        total = Counters(*map(sum, zip(NO_COUNTERS, *growth, strict=True)))
        if not total.covers(counters.minus(campaign.counters or NO_COUNTERS)) or not any(
            map(any, growth)
        ):
            read_in_full = True  # the counters of some activity lag behind those of the campaign
        entries: dict[str, ActivityEntry] = {}
        for id_ in {**earlier, **activities}:
            entry = earlier.get(id_)
            own = activities[id_] if id_ in activities else earlier[id_].counters
            if entry is None:
                entry = ActivityEntry.first(self._next_change(hour), own)
            elif read_in_full or entry.counters != own:
                entry = entry.changed(self._next_change(hour), own, read_in_full=read_in_full)
            entries[id_] = entry
        # Otherwise a campaign would differ from its own entry in every run.
        is_same = [entry.counters for entry in entries.values()] == [counters]
        self._campaigns[campaign_id] = CampaignEntry(entries, None if is_same else counters)

    def _next_change(self, hour: int) -> Change:
        self.identity.renew()
        self._state[LAST_NUMBER_KEY] = self.last_number + 1
        return Change(self.last_number, hour)


def _groups(campaigns: Iterable[tuple[str, list[str]]]) -> Iterator[dict[str, list[str]]]:
    """Yield campaigns with their activities in groups, for which one request is enough.

    A campaign with a single activity is a group of its own and needs none.

    Args:
        campaigns: Their ids, and the ids of their activities.
    """
    several: dict[str, list[str]] = {}
    for id_, activities in campaigns:
        if len(activities) == 1:
            yield {id_: activities}
            continue
        several[id_] = activities
        if sum(map(len, several.values())) >= _ACTIVITIES_PER_REQUEST:
            yield several
            several = {}
    yield several


def _of_several(campaigns: Mapping[str, list[str]]) -> list[str]:
    """Return the activities of campaigns that have more than one."""
    return [activity for ids in campaigns.values() if len(ids) > 1 for activity in ids]
