"""What a first sync and an idle run will cost in requests, for an account of a given size.

`COSTS` is the only place that knows what a stream costs. A test compares it with real runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_constantcontact.check.account_reader import AccountReader, rows_in
from tap_constantcontact.incremental.campaign_details import (
    PRIMARY,
    REPORTED,
    activities_of,
    status_of,
)
from tap_constantcontact.incremental.counters import COUNTED, Counters
from tap_constantcontact.incremental.event_cycle import is_settled
from tap_constantcontact.incremental.start_date import STILL_ACTIVE, with_overlap
from tap_constantcontact.timestamps import normalize_timestamp, parse_timestamp, to_hour

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

_PAGE = 500
_AB_TEST = 57
_NEVER_SENT = {"draft", "scheduled", "removed"}
_ONE_SLICE = 6000
_CONTACTS_PER_SWEEP_REQUEST = 450
_CAMPAIGNS_PER_STATS_REQUEST = 150
_ACTIVITIES_PER_STATS_REQUEST = 10


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
    """

    first: int
    idle: int
    sweep: int = 0
    event_sweep: int = 0


def _pages(rows: int, size: int = _PAGE) -> int:
    return max(1, ceil(rows / size))


def _once(size: Size) -> Cost:  # noqa: ARG001 - costs the same for any size
    return Cost(1, 1)


def _twice(size: Size) -> Cost:  # noqa: ARG001 - costs the same for any size
    return Cost(2, 2)


def _nothing(size: Size) -> Cost:  # noqa: ARG001 - depends on settings, or is read with others
    return Cost(0, 0)


def _contacts(size: Size) -> Cost:
    small = size.contacts <= _ONE_SLICE
    sweep = _pages(size.contacts, _PAGE if small else _CONTACTS_PER_SWEEP_REQUEST)
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
    return Cost(batches + size.doubtful + several + lists + size.detailed, batches)


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


def _report(kind: str) -> Callable[[Size], Cost]:
    return lambda size: Cost(size.report_pages.get(kind, size.reported), 0)


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
    "email_links": _report("activities"),
    "email_sends": _report("sends"),
    "email_opens": _report("opens"),
    "email_unique_opens": _report("opens"),
    "email_did_not_opens": _report("sends"),
    "email_clicks": _report("clicks"),
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


def measure(account: AccountReader, streams: Iterable[str]) -> Size:
    """Return the size of an account, of which a large part may be estimated.

    Args:
        account: The account.
        streams: The names of the selected streams: what they don't need isn't read.

    Raises:
        BudgetSpent: The check may make no more requests.
    """
    names = {*streams}
    facts: dict[str, Any] = dict(_sizes(account, names))
    known = tuple(name for name in ("contacts", "campaigns", "events") if name in facts)
    return Size(**facts, known=known)


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


def _sizes(account: AccountReader, names: set[str]) -> Iterator[tuple[str, object]]:
    """Yield the attributes of the size."""
    if any(name.startswith("contact") for name in names):
        yield "contacts", account.contacts_count
    if names & {"segments", "segment_contacts"}:
        yield "segments", len(account.rows("/segments", "segments", sort_by="date", limit=1000))
    if any(name.startswith("email_") for name in names):
        yield from _campaign_sizes(account, names)
    if any(name.startswith("event") for name in names):
        yield "events", len(account.events)
        now, config = account.tap.api.now(), account.tap.config
        yield "current_events", sum(not is_settled(each, now, config) for each in account.events)
    if "automations" in names:
        yield "automations", len(rows_in(account.get("/automations/workflows"), "flow_summaries"))


def _campaign_sizes(account: AccountReader, names: set[str]) -> Iterator[tuple[str, object]]:
    all_, lists_all = account.campaigns
    summaries, sums_all = account.summaries
    start = account.tap.config.get("start_date")
    since = with_overlap(parse_timestamp(start)) if start else ""
    listed = [row for row in all_ if (normalize_timestamp(row.get("updated_at")) or "") >= since]
    present = {row.get("campaign_id") for row in listed if status_of(row) != "removed"}
    sent = {row.get("campaign_id") for row in summaries}
    of_present = [row for row in account.details if row.get("campaign_id") in present]
    factor = len(present) / len(of_present) if of_present else 0.0
    yield "campaigns", len(all_)
    yield "listed", len(listed)
    yield "present", len(present)
    yield "sent", len(sent)
    yield "doubtful", sum(_is_doubtful(row, sent) for row in all_)
    yield "scheduled", sum(status_of(row) == "scheduled" for row in all_)
    yield "tested", sum(row.get("type_code") == _AB_TEST for row in listed)
    for name, roles in (("activities", frozenset[str]()), ("primary", PRIMARY)):
        yield name, round(factor * sum(len(activities_of(row, roles)) for row in of_present))
    there = sum(status_of(row) != "removed" for row in all_)
    yield "is_estimated", not (lists_all and sums_all) or len(account.details) < there
    yield from _report_sizes(account, present if "email_campaigns" in names else set())


def _report_sizes(account: AccountReader, detailed: set[Any]) -> Iterator[tuple[str, object]]:
    """Yield the attributes of the size that are about reports.

    Args:
        account: The account.
        detailed: The campaigns whose details a stream of campaigns requests.
    """
    read = {row.get("campaign_id") for row in account.summaries[0] if not _is_skipped(account, row)}
    details = [row for row in account.details if row.get("campaign_id") in read]
    activities = [activities_of(row, REPORTED) for row in details]
    factor = len(read) / len(activities) if activities else 0.0
    reported = round(factor * sum(map(len, activities)))
    yield "detailed", len(read - detailed)
    yield "reported", reported
    yield "of_several", round(factor * sum(len(each) for each in activities if len(each) > 1))
    yield "report_pages", _report_pages(account, read, reported)


def _is_skipped(account: AccountReader, summary: Record) -> bool:
    """Return whether skip_old_reports skips the reports on a campaign."""
    config = account.tap.config
    if not config["skip_old_reports"] or not config.get("start_date"):
        return False
    sent = Counters.of_summary(None, summary.get("last_sent_date")).sent
    return 0 < sent < to_hour(parse_timestamp(config["start_date"]) - STILL_ACTIVE)


def _is_doubtful(campaign: Record, sent: set[object]) -> bool:
    return status_of(campaign) not in _NEVER_SENT and campaign.get("campaign_id") not in sent


def _report_pages(account: AccountReader, read: set[Any], reported: int) -> dict[str, int]:
    """Return the pages of all reports of each kind, without those that should be empty.

    Args:
        account: The account.
        read: The campaigns whose reports are read.
        reported: The number of their activities.
    """
    every = [Counters.of_stats(stats) for id_, stats in account.counters.items() if id_ in read]
    return {"activities": reported} | {
        kind: _pages_of_kind([getattr(each, kind) for each in every], len(read), reported)
        for kind in COUNTED
    }


def _pages_of_kind(counts: list[int], sent: int, reported: int) -> int:
    """Return the pages of the reports of a kind.

    Args:
        counts: Its counter, for some of the sent campaigns.
        sent: The number of sent campaigns.
        reported: The number of their activities, of which each has a report.
    """
    if not counts:
        return 0
    with_rows = round(reported * sum(map(bool, counts)) / len(counts))
    further = round(sent * sum(max(0, ceil(count / _PAGE) - 1) for count in counts) / len(counts))
    # The 1st, 2nd, 4th, … report that should be empty is read as a proof.
    return with_rows + further + (reported - with_rows).bit_length()
