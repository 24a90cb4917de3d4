"""Requests the counters of activities that a comparison needs, many at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import NamedTuple

from tap_constantcontact.incremental.activity_source import ActivitySource
from tap_constantcontact.incremental.change_log_entries import CampaignEntry
from tap_constantcontact.incremental.counters import NO_COUNTERS, Counters

#: Activities whose counters come with one request (documented: at most ten).
ACTIVITIES_PER_REQUEST = 10
# The counters of a campaign that are certainly the sums of those of its activities.
_TOTALS = ("opens", "clicks")


class _Group(NamedTuple):
    """Campaigns that are compared after the same request.

    Attributes:
        campaigns: Their activities, by the ids of the campaigns.
        requested: The activities whose counters are requested, at most ten unless one campaign has
            more; none for a campaign with a single activity, whose counters are its own.
    """

    campaigns: dict[str, list[str]]
    requested: list[str]


class CounterRequests:
    """Requests the counters of the activities of campaigns that have changed.

    Mostly one activity of a campaign has changed, and by as much as the campaign: then the others
    have not. So if there are many, the activity with the most sends is requested first, and the
    others only if it doesn't explain the change.
    """

    def __init__(
        self,
        source: ActivitySource,
        counters: Mapping[str, Counters],
        earlier: Mapping[str, CampaignEntry],
        known: Mapping[str, list[str]],
    ) -> None:
        """Request nothing yet.

        Args:
            source: Makes the requests.
            counters: The counters of all campaigns, by their ids.
            earlier: The campaigns in the log.
            known: The activities of campaigns that have changed, in the order of the comparison;
                none of those whose activities have to be requested.
        """
        self._source = source
        self._counters = counters
        self._earlier = earlier
        self._known = known
        several = {id_: activities for id_, activities in known.items() if len(activities) > 1}
        fit = sum(map(len, several.values())) <= ACTIVITIES_PER_REQUEST
        #: Campaigns of which the log has all activities; none if these fit into one request.
        self._complete = frozenset[str]() if fit else frozenset(several)

    def prefetch(self) -> None:
        """Send requests ahead."""
        source, known = self._source, self._known
        source.prefetch_activity_ids([id_ for id_, activities in known.items() if not activities])
        named = ((id_, own or source.known_activity_ids(id_)) for id_, own in known.items())
        groups = self._groups(takewhile(lambda pair: pair[1], named))
        source.prefetch_counters(group.requested for group in groups if group.requested)

    def fetch(
        self, campaigns: Iterable[tuple[str, list[str]]]
    ) -> Iterator[dict[str, dict[str, Counters | None]]]:
        """Yield the counters of activities, by campaigns, for some campaigns at a time.

        An activity without counters has None, and so has one that can't have changed.

        Args:
            campaigns: The ids of campaigns, and of their activities.
        """
        for group in self._groups(campaigns):
            fetched = dict(self._source.fetch_counters(group.requested)) if group.requested else {}
            # The counters of a campaign are those of its only activity.
            for id_, activities in group.campaigns.items():
                if len(activities) == 1:
                    fetched[activities[0]] = self._counters[id_]
            others = [
                activity
                for id_, activities in group.campaigns.items()
                if not self._is_explained(id_, fetched)
                for activity in activities
                if activity not in fetched and activity not in group.requested
            ]
            if others:
                fetched |= self._source.fetch_counters(others)
            yield {
                id_: {activity: fetched.get(activity) for activity in activities}
                for id_, activities in group.campaigns.items()
            }

    def _groups(self, campaigns: Iterable[tuple[str, list[str]]]) -> Iterator[_Group]:
        """Yield campaigns with their activities in groups, for which one request is enough.

        The last request is filled with activities that are the only ones of their campaigns: the
        stream of counters has to request them otherwise.
        """
        group = _Group({}, [])
        single: deque[str] = deque(maxlen=ACTIVITIES_PER_REQUEST)
        for id_, activities in campaigns:
            if len(activities) == 1:
                single += activities
                yield _Group({id_: activities}, [])
                continue
            requested = self._requested_first(id_, activities)
            if group.requested and len(group.requested + requested) > ACTIVITIES_PER_REQUEST:
                yield group
                group = _Group({}, [])
            group.campaigns[id_] = activities
            group.requested.extend(requested)
        room = -len(group.requested) % ACTIVITIES_PER_REQUEST
        yield _Group(group.campaigns, [*group.requested, *[*single][:room]])

    def _requested_first(self, campaign_id: str, activities: list[str]) -> list[str]:
        """Return the activities of a campaign to request first: one that may explain its change.

        All of them, unless the log has counters that add up: then none was behind.
        """
        campaign = self._earlier.get(campaign_id, CampaignEntry())
        before, after = campaign.counters, self._counters[campaign_id]
        if campaign_id not in self._complete or before in (None, after):
            return activities
        compared = {id_: entry.counters for id_, entry in campaign.compared.items()}
        adds_up = all(
            sum(getattr(own, name) for own in compared.values()) == getattr(before, name)
            for name in _TOTALS
        )
        if not compared or not adds_up or min(*before, *after) < 0:
            return activities
        return [max(compared, key=lambda id_: compared[id_].sends)]

    def _is_explained(self, campaign_id: str, fetched: Mapping[str, Counters]) -> bool:
        """Return whether an activity has changed exactly as its campaign."""
        campaign = self._earlier.get(campaign_id, CampaignEntry())
        growth = self._counters[campaign_id].minus(campaign.counters or NO_COUNTERS)
        return any(
            fetched[id_].minus(entry.counters) == growth
            for id_, entry in campaign.compared.items()
            if id_ in fetched
        )
