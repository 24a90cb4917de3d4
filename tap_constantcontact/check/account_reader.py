"""Reads parts of an account with few requests, which all probes share."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from singer_sdk.exceptions import RetriableAPIError

from tap_constantcontact.exceptions import NotFound, Refused, RunEnded
from tap_constantcontact.incremental.campaign_details import REPORTED, activities_of, status_of
from tap_constantcontact.streams.account import Account
from tap_constantcontact.timestamps import parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_constantcontact.tap import TapConstantContact

#: The largest pages that the API allows.
PAGE = 500
SUMMARIES = "/reports/summary_reports/email_campaign_summaries"
STATS = "/reports/stats/email_campaigns/"
_IDS_PER_REQUEST = 150
# Of a larger account a part is read, and the rest estimated from it.
_MAX_PAGES = 6
_MAX_DETAILS = 20
# What fails must not use up the requests.
_MAX_ATTEMPTS = 4
_VERSION = re.compile(rb"^\s*version:\s*['\"]?([0-9.]+)", re.MULTILINE)


class BudgetSpent(Exception):
    """Raised if a probe would make a request more than the check may make, or the day has left."""


class AccountReader:
    """Makes the requests of the check, with the session, login and limits of the tap.

    Attributes:
        tap: The tap.
        throttled: For each response with status 429, whether it had a Retry-After header.
        quota_status: The exit status if the daily quota is exhausted, or 0.
    """

    def __init__(self, tap: TapConstantContact, max_requests: int) -> None:
        """Read an account.

        Args:
            tap: A tap whose settings are valid; it must not prefetch.
            max_requests: The maximum number of requests.
        """
        self.tap = tap
        self.throttled: list[bool] = []
        self.quota_status = 0
        self._max_requests = max_requests
        self._bodies: dict[tuple[str, tuple[tuple[str, Any], ...]], Any] = {}
        self._failures: dict[tuple[str, tuple[tuple[str, Any], ...]], Exception] = {}
        tap.api.max_attempts = _MAX_ATTEMPTS
        tap.api.session.hooks["response"].append(self._note_throttling)

    @property
    def requests_made(self) -> int:
        """The number of requests so far, those to the token endpoint not counted."""
        return sum(api.limits.requests for api in self.tap.connections)

    def get(self, path: str, **params: Any) -> Any:
        """Return the body at a path; each is requested once.

        Args:
            path: A path below the API's base URL.
            params: Query parameters.

        Raises:
            BudgetSpent: It would be a request too many.
            Refused: The API rejects the request.
            RetriableAPIError: The API fails, whatever is retried.
        """
        key = (path, tuple(sorted(params.items())))
        if key in self._failures:
            raise self._failures[key]
        if key not in self._bodies:
            self._require_request()
            try:
                self._bodies[key] = self.tap.stream(Account).details.get(path, params)
            except RunEnded as ended:  # a retry reached the budget, or the quota is exhausted
                if self.requests_made < self._max_requests:
                    if not ended.reason:  # a signal
                        raise
                    self.quota_status = ended.status
                raise BudgetSpent from ended
            except (Refused, RetriableAPIError) as failure:
                self._failures[key] = failure
                raise
        return self._bodies[key]

    def _require_request(self) -> None:
        if self.quota_status or self.requests_made >= self._max_requests:
            raise BudgetSpent

    def contract_version(self) -> str:
        """Return the version of the contract that the API publishes, or "" if it doesn't.

        Raises:
            BudgetSpent: It would be a request too many.
        """
        self._require_request()
        api = self.tap.api
        request = requests.Request("GET", f"{api.url}/swagger.yaml")
        try:
            response = api.session.send(api.session.prepare_request(request), timeout=60)
        except requests.RequestException:  # it is a file that some proxies keep back
            return ""
        found = _VERSION.search(response.content) if response.ok else None
        return found[1].decode() if found else ""

    def rows(self, path: str, name: str, **params: Any) -> list[Record]:
        """Return the rows of one page."""
        return rows_in(self.get(path, **params), name)

    def pages(self, path: str, name: str, **params: Any) -> tuple[list[Record], bool]:
        """Return the rows of the first pages of a list, and whether these are all."""
        body = self.get(path, **params)
        rows = rows_in(body, name)
        for _ in range(_MAX_PAGES - 1):
            link = next_link(body)
            if not link:
                return rows, True
            url = urlsplit(link)
            base = urlsplit(self.tap.api.url).path
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            body = self.get(url.path.removeprefix(base), **query)
            rows += rows_in(body, name)
        return rows, not next_link(body)

    # Parts that several probes and the estimate need.

    @cached_property
    def contacts(self) -> list[Record]:
        """Up to 500 contacts, with their lists and tags."""
        include = "list_memberships,taggings"
        return self.rows("/contacts", "contacts", **self._all_contacts, include=include)

    @property
    def contacts_count(self) -> int:
        """The number of contacts that the API announces, deleted ones included."""
        include = "list_memberships,taggings"
        body = self.get("/contacts", **self._all_contacts, include=include)
        return count_of(body, "contacts_count")

    _all_contacts = {"status": "all", "limit": PAGE, "include_count": "true"}

    @cached_property
    def campaigns(self) -> tuple[list[Record], bool]:
        """Listed campaigns, and whether these are all."""
        return self.pages("/emails", "campaigns", limit=PAGE)

    @cached_property
    def summaries(self) -> tuple[list[Record], bool]:
        """Summaries of sent campaigns, and whether these are all."""
        return self.pages(SUMMARIES, "bulk_email_campaign_summaries", limit=PAGE)

    @cached_property
    def counters(self) -> dict[str, Mapping[str, Any]]:
        """The counters of sent campaigns, by id, as the API names them."""
        ids = [str(row.get("campaign_id")) for row in self.summaries[0]]
        found: dict[str, Mapping[str, Any]] = {}
        batches = [ids[at : at + _IDS_PER_REQUEST] for at in range(0, len(ids), _IDS_PER_REQUEST)]
        for batch in batches[:_MAX_PAGES]:
            try:
                rows = self.rows(STATS + ",".join(batch), "results")
            except NotFound:  # one of them has no counters
                continue
            for row in rows:
                found[str(row.get("campaign_id"))] = row.get("stats") or {}
        return found

    def detail(self, campaign_id: str) -> Record:
        """Return the detail of a campaign."""
        detail: Record = self.get(f"/emails/{campaign_id}")
        return detail

    @cached_property
    def details(self) -> list[Record]:
        """Details of up to 20 campaigns that are not removed, sent ones and others in turn."""
        there = [row for row in self.campaigns[0] if status_of(row) != "removed"]
        step = max(1, -(-len(there) // _MAX_DETAILS))
        return [self.detail(str(row.get("campaign_id"))) for row in there[::step]]

    @cached_property
    def events(self) -> list[Record]:
        """Listed events, without a filter."""
        return self.pages("/events", "records", limit=100)[0]

    def sent_details(self) -> Iterator[Record]:
        """Yield the known details of sent campaigns."""
        sent = {row.get("campaign_id") for row in self.summaries[0]}
        return (row for row in self.details if row.get("campaign_id") in sent)

    def single_activities(self) -> dict[str, str]:
        """Return the reported activity of each sent campaign that has exactly one, by campaign."""
        found = {}
        for detail in self.sent_details():
            reported = activities_of(detail, REPORTED)
            if len(reported) == 1:
                found[str(detail["campaign_id"])] = str(reported[0]["campaign_activity_id"])
        return found

    def _note_throttling(self, response: requests.Response, **_: Any) -> None:
        if response.status_code == requests.codes.too_many_requests:
            self.throttled.append("Retry-After" in response.headers)


def rows_in(body: Any, name: str) -> list[Record]:
    """Return the objects of an array in a body."""
    rows = body.get(name) if isinstance(body, dict) else body
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def next_link(body: Any) -> str:
    """Return the link to the next page, or ""."""
    links = body.get("_links") if isinstance(body, dict) else None
    link = links.get("next") if isinstance(links, dict) else None
    return str(link.get("href") or "") if isinstance(link, dict) else ""


def cursor_in(body: Any) -> str:
    """Return the decoded cursor of the link to the next page.

    It is "" if there is no next page, and "?" if it can't be decoded to text.
    """
    query = parse_qs(urlsplit(next_link(body)).query)
    cursor = next((query[name][0] for name in ("cursor", "next") if name in query), "")
    if not cursor:
        return ""
    padded = cursor.replace("*", "=").rstrip("=")
    try:
        text = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
    except ValueError:
        return "?"
    return text if text.isprintable() else "?"


def count_of(body: Any, name: str) -> int:
    """Return a count in a body, or 0."""
    count = str(body.get(name)) if isinstance(body, dict) else ""
    return int(count) if count.isdecimal() else 0


def time_of(value: object) -> datetime | None:
    """Return a time of the API, or None if it isn't one."""
    try:
        return parse_timestamp(value) if isinstance(value, str) else None
    except ValueError:
        return None
