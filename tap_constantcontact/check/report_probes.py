"""What an account shows of the assumptions about tracking reports."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tap_constantcontact.check.account_reader import (
    PAGE,
    AccountReader,
    cursor_in,
    next_link,
    rows_in,
    time_of,
)
from tap_constantcontact.check.outcome import Outcome, Shape, decided, not_observable
from tap_constantcontact.check.probes import probe, spread
from tap_constantcontact.incremental.counters import Counters

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

_KINDS = ("opens", "clicks", "bounces", "optouts", "forwards")
_COUNTED = ("opens", "clicks")
_SAMPLE = 3
_FEW = 10
_NO_REPORT = "no campaign has a report of a page or less"


def _path(activity_id: str, kind: str) -> str:
    return f"/reports/email_reports/{activity_id}/tracking/{kind}"


def _counters(account: AccountReader) -> dict[str, Counters]:
    """Return the counters of sent campaigns with one reported activity, by the activity."""
    return {
        activity_id: Counters.of_stats(account.counters[campaign_id])
        for campaign_id, activity_id in account.single_activities().items()
        if campaign_id in account.counters
    }


def _whole_reports(account: AccountReader) -> list[tuple[int, list[Record]]]:
    """Return counters, and the rows of the report: for three campaigns, each with one page."""
    small = {
        activity_id: counters
        for activity_id, counters in _counters(account).items()
        if 0 < counters.opens <= PAGE and counters.clicks <= PAGE
    }
    largest_first = sorted(small, key=lambda id_: small[id_].opens, reverse=True)
    found = []
    for activity_id in spread(largest_first, _SAMPLE):
        for kind in _COUNTED:
            counted: int = getattr(small[activity_id], kind)
            body = account.get(_path(activity_id, kind), limit=PAGE) if counted else {}
            if counted and not next_link(body):
                found.append((counted, rows_in(body, "tracking_activities")))
    return found


@probe("report_rows_match_counters")
def rows_and_counters(account: AccountReader) -> Outcome:
    """Compare rows of opens and clicks with their counters."""
    reports = _whole_reports(account)
    if not reports:
        return not_observable(_NO_REPORT)
    agreeing = sum(counted == len(rows) for counted, rows in reports)
    return decided(
        agreeing == len(reports),
        reports=len(reports),
        agreeing=agreeing,
        counted=sum(counted for counted, _ in reports),
        rows=sum(len(rows) for _, rows in reports),
    )


@probe("zero_counters_mean_empty_reports")
def zero_counters(account: AccountReader) -> Outcome:
    """Request, for each kind, a report whose counter is zero."""
    counters = _counters(account)
    requested = with_rows = 0
    for kind in _KINDS:
        zero = (id_ for id_, counts in counters.items() if not getattr(counts, kind))
        for activity_id in list(zero)[:1]:
            requested += 1
            rows = account.rows(_path(activity_id, kind), "tracking_activities", limit=1)
            with_rows += bool(rows)
    if not requested:
        return not_observable("no campaign has a counter of zero")
    return decided(not with_rows, reports_with_counter_zero=requested, with_rows=with_rows)


@probe("report_times_are_whole_minutes")
def seconds_of_reports(account: AccountReader) -> Outcome:
    """Look for seconds in the times of reports."""
    times = [
        moment
        for _, rows in _whole_reports(account)
        for row in rows
        if (moment := time_of(row.get("created_time")))
    ]
    if len(times) < _FEW:
        return not_observable("there are too few rows", rows=len(times))
    with_seconds = sum(bool(moment.second or moment.microsecond) for moment in times)
    return decided(not with_seconds, rows=len(times), with_seconds=with_seconds)


@probe("report_links_hold_a_keyset")
def report_pages(account: AccountReader) -> Outcome:
    """Decode the cursor behind a page of one open."""
    counters = _counters(account)
    most = max(counters, key=lambda id_: counters[id_].opens, default="")
    if not most or counters[most].opens <= 1:
        return not_observable("no report has two pages")
    cursor = cursor_in(account.get(_path(most, "opens"), limit=1))
    if not cursor or cursor == "?":
        return not_observable("the link can't be decoded", has_link=bool(cursor))
    query = parse_qs(cursor)
    numbers = [values[0] for name, values in query.items() if name in ("o", "next", "offset")]
    is_number = cursor.isdecimal() or any(number.isdecimal() for number in numbers)
    return decided(not is_number, cursor=Shape.OFFSET if is_number else Shape.KEYSET)


@probe("reports_are_newest_first")
def order_of_reports(account: AccountReader) -> Outcome:
    """Compare the times of neighboring rows."""
    reports = ascending = 0
    for _, rows in _whole_reports(account):
        times = [moment for row in rows if (moment := time_of(row.get("created_time")))]
        reports += len({*times}) > 1
        ascending += any(b > a for a, b in pairwise(times))
    if not reports:
        return not_observable("there are too few rows")
    return decided(not ascending, reports=reports, not_newest_first=ascending)
