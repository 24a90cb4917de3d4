"""How large an account is: what it costs to read follows from that.

Of a large account a part is read, and the rest estimated from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from tap_constantcontact.check.account_reader import AccountReader, rows_in
from tap_constantcontact.check.costs import PAGE, RECENT_DAYS, Size
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

_AB_TEST = 57
_NEVER_SENT = {"draft", "scheduled", "removed"}


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
    yield "recent", sum(_is_recent(account, row) for row in summaries)
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


def _is_recent(account: AccountReader, summary: Record) -> bool:
    oldest = to_hour(account.tap.api.now() - timedelta(days=RECENT_DAYS))
    return Counters.of_summary(None, summary.get("last_sent_date")).sent >= oldest


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
    further = round(sent * sum(max(0, ceil(count / PAGE) - 1) for count in counts) / len(counts))
    # The 1st, 2nd, 4th, … report that should be empty is read as a proof.
    return with_rows + further + (reported - with_rows).bit_length()
