"""The change log: it tells streams of reports which activities have changed since they read them.

Reports on campaigns have no time filter, but the API counts their rows, and the counters of many
campaigns come with one request. So each run compares the counters of all campaigns with those of
the last run. If a campaign has the same counters, its reports have no new rows, and the run
requests none of them. If a counter differs, each activity that has changed gets the next number of
the log: 1, 2, 3, … Streams read the reports whose own counters have changed; `ReportKind` says
which these are.

A stream remembers in its own state up to which number it has read the log (`read_through`), and
which log that was: `change_log_identity` says why. Activities with greater numbers are still to be
read, in that order. It doesn't matter whether they changed in this run, in a run that ended early,
or while the stream was not selected.

An activity keeps the change before the last one as well. A stream that had read it then needs only
the newest rows of a report; `ReportCursor` says how many.

The log is a part of the state of the stream `email_campaign_stats`, whether that is selected or
not; `change_log_codec` packs it.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tap_constantcontact.incremental.activity import Activity
from tap_constantcontact.incremental.activity_source import ActivitySource
from tap_constantcontact.incremental.change_log_codec import PackedCampaigns
from tap_constantcontact.incremental.change_log_entries import (
    ActivityEntry,
    CampaignEntry,
    Change,
    UncomparedActivity,
)
from tap_constantcontact.incremental.change_log_identity import LAST_NUMBER_KEY, LogIdentity
from tap_constantcontact.incremental.counter_requests import CounterRequests
from tap_constantcontact.incremental.counters import COUNTED, NO_COUNTERS, Counters
from tap_constantcontact.timestamps import from_hour, to_hour

__all__ = ["Activity", "ChangeLog", "Counters"]

_HOURS_PER_DAY = 24
_DISTRUST_KEY = "zeros_are_wrong"


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

    @property
    def trusts_zeros(self) -> bool:
        """Whether reports whose counters are 0 have been empty so far."""
        return _DISTRUST_KEY not in self._state

    def distrust_zeros(self) -> None:
        """Note that a report has rows although its counter is 0."""
        self._state[_DISTRUST_KEY] = True

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
        """Remove what no stream needs any more.

        Args:
            number: The number up to which all streams have read the log.
        """
        for id_, campaign in self._campaigns.items():
            pruned = {
                activity: entry.pruned()
                for activity, entry in campaign.compared.items()
                if not entry.is_pruned and entry.change.number <= number
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

    def skip_sent_before(self, oldest: datetime | None, counters: Mapping[str, Counters]) -> int:
        """Skip new campaigns that were last sent before a time, until their counters change.

        Those that an earlier run skipped are new again if they were sent after that time.

        Args:
            oldest: The time; None if no campaign is to be skipped.
            counters: The counters of all campaigns, by their ids.

        Returns:
            The number of campaigns that are skipped from now on.
        """
        hour, skipped = to_hour(oldest) if oldest else 0, 0
        for id_, own in counters.items():
            campaign = self._campaigns.get(id_, CampaignEntry())
            if campaign.is_skipped and own.sent >= hour:
                self._campaigns[id_] = CampaignEntry(campaign.activities)
            elif campaign.counters is None and 0 < own.sent < hour:
                self._campaigns[id_] = CampaignEntry(campaign.activities, own, is_skipped=True)
                skipped += 1
        return skipped

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
        last_hours = max(reread_days, default=0) * _HOURS_PER_DAY
        changed = [
            id_
            for id_, own in counters.items()
            if id_ in due or self._counters(id_) != own or self._owes_repeats(id_, to_hour(at))
        ]
        changed.sort(key=lambda id_: counters[id_].sent, reverse=True)
        known = {
            id_: [] if id_ in due else self._known_activity_ids(id_, counters[id_])
            for id_ in changed
        }
        requests = CounterRequests(source, counters, self._campaigns, known)
        requests.prefetch()
        activities = (
            (id_, ids or self._fetch_activity_ids(id_, counters[id_].sent, source, at))
            for id_, ids in known.items()
        )
        for campaigns in requests.fetch(activities):
            for id_, own in campaigns.items():
                # The last re-read also reads reports that should be empty.
                is_last = counters[id_].sent + last_hours < to_hour(at)
                self._compare(
                    id_,
                    counters[id_],
                    own,
                    to_hour(at),
                    in_full=id_ in due,
                    reads_empty=id_ in due and is_last,
                )
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

    def _owes_repeats(self, campaign_id: str, hour: int) -> bool:
        """Return whether reports of a campaign that can have repeats were skipped long enough."""
        campaign = self._campaigns.get(campaign_id, CampaignEntry())
        return any(entry.owes_repeats(hour) for entry in campaign.compared.values())

    def _fetch_activity_ids(
        self, campaign_id: str, sent: int, source: ActivitySource, at: datetime
    ) -> list[str]:
        """Return the activities of a campaign: the API's, or those of the log if it names none."""
        fetched = source.fetch_activity_ids(campaign_id, from_hour(sent + 1))
        self.add_campaign(campaign_id, fetched, at)
        return fetched or [*self._campaigns[campaign_id].activities]

    def _known_activity_ids(self, campaign_id: str, counters: Counters) -> list[str]:
        """Return the activities of a campaign in the log, if there can't be others by now.

        Those that were named before the last send may lack an activity that was sent then.
        """
        campaign = self._campaigns.get(campaign_id, CampaignEntry())
        earlier = campaign.counters
        was_sent = earlier and (earlier.sends, earlier.sent) != (counters.sends, counters.sent)
        is_complete = 0 < counters.sent < campaign.named_hour and not was_sent
        return [*campaign.activities] if is_complete else []

    def _compare(
        self,
        campaign_id: str,
        counters: Counters,
        named: Mapping[str, Counters | None],
        hour: int,
        *,
        in_full: bool,
        reads_empty: bool,
    ) -> None:
        """Give the next numbers to the activities of a campaign that have changed.

        Args:
            campaign_id: The campaign.
            counters: Its counters.
            named: Those of its activities, by their ids; None for activities that have no
                counters, such as a resend that is not sent yet, or that have the same as before.
            hour: When they were requested, in hours since 1970.
            in_full: Whether its reports have to be read in full.
            reads_empty: Whether those that should be empty have to be read as well.
        """
        campaign = self._campaigns.get(campaign_id, CampaignEntry())
        before = campaign.counters or NO_COUNTERS
        activities = {id_: own for id_, own in named.items() if own is not None}
        # Activities without counters are kept, as the log knows then that there are no others.
        entries: dict[str, ActivityEntry | UncomparedActivity] = {
            id_: UncomparedActivity(hour) for id_, own in named.items() if own is None
        }
        in_full |= _is_unexplained(counters.minus(before), campaign, activities)
        also = _changed_with_send(counters, before)
        for id_, entry in campaign.compared.items():
            own = activities.get(id_, entry.counters)
            if in_full:
                change = self._next_change(hour)
                entries[id_] = entry.changed_in_full(change, own, reads_empty=reads_empty)
            elif own != entry.counters or entry.owes_repeats(hour):
                entries[id_] = entry.changed(self._next_change(hour), own, also)
            else:
                entries[id_] = entry
        for id_, own in activities.items():
            if id_ not in campaign.compared:
                entries[id_] = ActivityEntry.first(self._next_change(hour), own)
        # Otherwise a campaign would differ from its own entry in every run.
        is_same = [getattr(entry, "counters", None) for entry in entries.values()] == [counters]
        self._campaigns[campaign_id] = CampaignEntry(entries, None if is_same else counters)

    def _next_change(self, hour: int) -> Change:
        self.identity.renew()
        self._state[LAST_NUMBER_KEY] = self.last_number + 1
        return Change(self.last_number, hour)


def _is_unexplained(
    growth: Counters, campaign: CampaignEntry, activities: Mapping[str, Counters]
) -> bool:
    """Return whether a campaign has changed by more than its activities: some of them lag behind.

    Args:
        growth: How much the counters of the campaign have grown.
        campaign: The campaign before.
        activities: The counters of its activities now, by their ids.
    """
    earlier = campaign.compared
    own = [
        counters.minus(earlier[id_].counters if id_ in earlier else NO_COUNTERS)
        for id_, counters in activities.items()
    ]
    total = Counters(*map(sum, zip(NO_COUNTERS, *own, strict=True)))
    return not total.covers(growth) or (any(growth) and not any(map(any, own)))


def _changed_with_send(counters: Counters, before: Counters) -> Collection[str]:
    """Return the counters to be taken as changed because of the last send of a campaign.

    Without a last send there are no re-reads, which would bring what no counter shows.
    """
    if not counters.sent:
        return COUNTED
    return ("sends",) if counters.sent != before.sent else ()
