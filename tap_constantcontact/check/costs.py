"""What each stream costs in requests, for an account of a given size.

`COSTS` is the only place that knows. A test compares it with real runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, NamedTuple

#: Rows on a page of most lists.
PAGE = 500
_ONE_SLICE = 6000
_CONTACTS_PER_SWEEP_REQUEST = 450
_CAMPAIGNS_PER_STATS_REQUEST = 150
_ACTIVITIES_PER_STATS_REQUEST = 10
#: Most opens and clicks come within so many days after a send.
RECENT_DAYS = 7


@dataclass(frozen=True)
class Size:
    """What an account holds. What was not read in full is estimated from what was.

    Attributes:
        contacts: Contacts, deleted ones included.
        segments: Segments.
        campaigns: Campaigns in the list.
        listed: Those that have changed since start_date.
        present: Those of them that are not removed.
        sent: Campaigns in the summaries.
        recent: Those of them that were sent in the last `RECENT_DAYS`.
        detailed: Those whose reports are read, and whose details no stream of campaigns requests.
        doubtful: Campaigns that are neither, and may have counters.
        scheduled: Scheduled campaigns.
        tested: Those of `present` with an A/B test.
        activities: Activities of `present`.
        primary: Those with the role primary_email.
        reported: Activities that have reports which are read: of sent campaigns, without those that
            skip_old_reports skips.
        of_several: Those of campaigns that have several.
        events: Events in the list.
        current_events: Those that every run reads, as they are not over for long.
        automations: Automations; 0 if not known.
        report_pages: Requested pages of all reports, by the name of their counter.
        is_estimated: Whether something was not read in full.
        known: Which of contacts, campaigns and events were read. The others are not selected, or
            the token does not allow them.
    """

    contacts: int = 0
    segments: int = 0
    campaigns: int = 0
    listed: int = 0
    present: int = 0
    sent: int = 0
    recent: int = 0
    detailed: int = 0
    doubtful: int = 0
    scheduled: int = 0
    tested: int = 0
    activities: int = 0
    primary: int = 0
    reported: int = 0
    of_several: int = 0
    events: int = 0
    current_events: int = 0
    automations: int = 0
    report_pages: Mapping[str, int] = field(default_factory=dict)
    is_estimated: bool = False
    known: tuple[str, ...] = ()


class Cost(NamedTuple):
    """The requests of a stream.

    Attributes:
        first: Those of a first sync.
        idle: Those of a run without a change.
        sweep: Those that are added every `contacts_sweep_days`.
        event_sweep: Those that are added every `events_sweep_days`.
        changed: Those that new opens and clicks of all recent campaigns add to a run.
    """

    first: int
    idle: int
    sweep: int = 0
    event_sweep: int = 0
    changed: int = 0

    @property
    def typical(self) -> int:
        """Those of a run that finds new opens and clicks of all recent campaigns."""
        return self.idle + self.changed

    def per_day(self, runs: int, settings: Mapping[str, Any]) -> int:
        """Return the requests of a day with a number of typical runs, sweeps included.

        Args:
            runs: Runs a day.
            settings: The settings of the tap.
        """
        sweeps = ((self.sweep, "contacts_sweep_days"), (self.event_sweep, "events_sweep_days"))
        shares = (
            requests / settings[days] if settings[days] else runs * requests
            for requests, days in sweeps
        )
        return round(runs * self.typical + sum(shares))


def _pages(rows: int, size: int = PAGE) -> int:
    return max(1, ceil(rows / size))


def _once(size: Size) -> Cost:  # noqa: ARG001 - costs the same for any size
    return Cost(1, 1)


def _twice(size: Size) -> Cost:  # noqa: ARG001 - costs the same for any size
    return Cost(2, 2)


def _nothing(size: Size) -> Cost:  # noqa: ARG001 - depends on settings, or is read with others
    return Cost(0, 0)


def _contacts(size: Size) -> Cost:
    small = size.contacts <= _ONE_SLICE
    sweep = _pages(size.contacts, PAGE if small else _CONTACTS_PER_SWEEP_REQUEST)
    return Cost(sweep, 2, sweep)


def _segments(size: Size) -> Cost:
    return Cost(1 + size.segments, 1)


def _campaigns(size: Size) -> Cost:
    return Cost(_lists(size.listed) + size.present, 1)


def _lists(campaigns: int) -> int:
    pages = _pages(campaigns)
    return 2 * pages if pages > 1 else 1  # a list of several pages is read twice


def _summaries(size: Size) -> Cost:
    return Cost(_pages(size.sent), _pages(size.sent))


def _stats(size: Size) -> Cost:
    batches = ceil(size.sent / _CAMPAIGNS_PER_STATS_REQUEST)
    several = ceil(size.of_several / _ACTIVITIES_PER_STATS_REQUEST)
    # Campaigns that have not changed since start_date may have counters, too.
    lists = _lists(size.campaigns) if size.listed < size.campaigns else 0
    first = batches + size.doubtful + several + lists + size.detailed
    return Cost(first, batches, changed=_counted_again(size))


def _counted_again(size: Size) -> int:
    """Return the requests for the counters of the activities of all recent campaigns."""
    activities = size.recent * size.reported / size.sent if size.sent else 0
    return ceil(activities / _ACTIVITIES_PER_STATS_REQUEST)


def _activity_stats(size: Size) -> Cost:
    # The counters of the others are known by then.
    return Cost(ceil((size.reported - size.of_several) / _ACTIVITIES_PER_STATS_REQUEST), 0)


def _events(size: Size) -> Cost:
    lists, own = _pages(size.events, 100), _each_event(size)
    return own._replace(first=lists + own.first, idle=lists + own.idle)


def _each_event(size: Size) -> Cost:
    current = size.current_events
    return Cost(size.events, current, event_sweep=size.events - current)


def _automations(size: Size) -> Cost:
    return Cost(1 + size.automations, 1 + min(1, size.automations))


def _schedules(size: Size) -> Cost:
    requests = 2 * size.scheduled
    return Cost(size.scheduled, requests)


def _report(kind: str, *, changes: bool = False) -> Callable[[Size], Cost]:
    """Return the cost of a report, of which new opens or clicks may add rows."""
    return lambda size: Cost(
        size.report_pages.get(kind, size.reported), 0, changed=size.recent if changes else 0
    )


def _each_contact(size: Size) -> Cost:
    requests = size.contacts + _pages(size.contacts)
    return Cost(requests, 0, requests)


#: What each stream costs. Any other costs one request a run.
COSTS: dict[str, Callable[[Size], Cost]] = {
    "contacts": _contacts,
    "contact_lists": _twice,
    "segments": _segments,
    "segment_contacts": lambda size: Cost(size.segments, size.segments),
    "email_campaign_summaries": _summaries,
    "email_campaigns": _campaigns,
    "email_campaign_activities": lambda size: Cost(size.activities, 0),
    "email_campaign_schedules": _schedules,
    "email_campaign_ab_tests": lambda size: Cost(size.tested, 0),
    "email_campaign_resends": lambda size: Cost(size.primary, 0),
    "email_campaign_previews": lambda size: Cost(size.primary, 0),
    "email_campaign_stats": _stats,
    "email_campaign_activity_stats": _activity_stats,
    "email_campaign_send_history": _report("activities"),
    "email_links": _report("activities", changes=True),
    "email_sends": _report("sends"),
    "email_opens": _report("opens", changes=True),
    "email_unique_opens": _report("opens", changes=True),
    "email_did_not_opens": _report("sends"),
    "email_clicks": _report("clicks", changes=True),
    "email_bounces": _report("bounces"),
    "email_optouts": _report("optouts"),
    "email_forwards": _report("forwards"),
    "events": _events,
    "event_registrations": _each_event,
    "event_registration_details": _nothing,
    "automations": _automations,
    "contact_sms_engagement_history": _nothing,
    "contact_activity_details": _each_contact,
    "contact_activity_summaries": _each_contact,
    "contact_open_click_rates": _each_contact,
    "contact_id_xrefs": _nothing,
    "list_id_xrefs": _nothing,
    "campaign_id_xrefs": _nothing,
    **dict.fromkeys(
        (
            *("landing_page_contact_opens", "landing_page_unique_opens"),
            *("landing_page_unique_clicks", "landing_page_unique_adds"),
            *("landing_page_unique_updates", "landing_page_unique_sms_optins"),
        ),
        _nothing,
    ),
}


def total_cost(streams: Iterable[str], size: Size) -> Cost:
    """Return what the streams cost together.

    Args:
        streams: The names of the selected streams, and of those that they need.
        size: The size of the account.
    """
    costs = [COSTS.get(name, _once)(size) for name in streams]
    return Cost(*(sum(each) for each in zip(*costs, strict=True))) if costs else Cost(0, 0)


def needed_streams(streams: Iterable[str]) -> list[str]:
    """Return streams with those whose requests they need although they are not selected."""
    names = list(streams)
    reports = {name for name in names if name in COSTS and name in _REPORTS}
    if reports:
        names += ["email_campaign_summaries", "email_campaign_stats"]
    return list(dict.fromkeys(names))


_REPORTS = {
    *("email_campaign_activity_stats", "email_campaign_send_history", "email_links"),
    *("email_sends", "email_opens", "email_unique_opens", "email_did_not_opens"),
    *("email_clicks", "email_bounces", "email_optouts", "email_forwards"),
}
