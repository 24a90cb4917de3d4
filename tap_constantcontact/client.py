"""The base of all streams: requests, paging, errors and records."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import ParseResult, urlencode, urljoin, urlsplit

import backoff
import requests
from singer_sdk import RESTStream, SchemaDirectory, StreamSchema, metrics
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.pagination import BaseHATEOASPaginator
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams.rest import PageContext

from tap_constantcontact.answers import body_of, outline_of, part_of, request_line, rows_of
from tap_constantcontact.errors import (
    QUOTA_EXCEEDED,
    Forbidden,
    NotFound,
    Refused,
    error_key,
    failure_of,
    vendor_message,
)
from tap_constantcontact.limits import Limits
from tap_constantcontact.read_ahead import Guess, ReadAhead
from tap_constantcontact.values import (
    Cleaner,
    Misfit,
    cleaner,
    parse_timestamp,
    timestamp,
)

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest

    from tap_constantcontact.auth import Login
    from tap_constantcontact.tap import TapConstantContact

#: How far behind its bookmark an incremental stream begins: "after" may leave out the second
#: itself (not documented), and a change may show late.
OVERLAP = timedelta(minutes=5)

_SECONDS_OF_DAY = 86400
_TIMEOUT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 60


def _schemas() -> Any:
    """Return the folder of schemas: in the package when installed, beside it in a checkout."""
    packaged = files(__package__) / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "schemas"


SCHEMAS = SchemaDirectory(_schemas())
#: The column for what a schema does not know.
EXTRA = {
    "type": ["object", "null"],
    "description": "Properties that the schema does not know: their paths, and lists of values.",
}


class SchemaOfStream(StreamSchema):
    """The schema of a stream, with a place for what it does not know where that is asked for."""

    def get_stream_schema(self, stream: Any, stream_class: type[Any]) -> dict[str, Any]:
        """Return the schema of a stream.

        Args:
            stream: the stream.
            stream_class: its class.
        """
        schema: dict[str, Any] = super().get_stream_schema(stream, stream_class)
        if stream.config.get("keep_unknown_fields"):
            schema = {**schema, "properties": {**schema["properties"], "_extra": EXTRA}}
        # Is found there from now on: the SDK asks for it with every record.
        vars(stream)["schema"] = schema
        return schema


@dataclass
class Api:
    """What all streams of a run share: the login, the limits, a session, and the counts."""

    url: str
    login: Login
    limits: Limits
    user_agent: str
    #: How often a request is tried: the default takes about two minutes in all.
    tries: int = 8
    #: Answers by stream.
    answers: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    #: Streams that this account may not read.
    forbidden: set[str] = field(default_factory=set)
    #: Needs that were met: what has them can be read, but for single items.
    met: set[str] = field(default_factory=set)
    #: How many requests may be on their way at a time.
    max_parallel_requests: int = 1
    #: The streams, in the order in which they are read.
    streams: Sequence[ConstantContactStream] = ()
    #: How far our clock is ahead of the API's, as far as it is known.
    ahead: timedelta | None = None

    def now(self) -> datetime:
        """Return the time by the API's clock, or by ours where that is earlier, in whole seconds.

        A moment that the next run goes on from must not be too late: of answers that are to be
        read, some may have been asked for already. None of them is older.
        """
        return self._before(self.session.age)

    @property
    def asked_at(self) -> datetime:
        """When the answer that was read last was asked for, by the same clock."""
        return self._before(self.session.age_of_last)

    def _before(self, seconds: float) -> datetime:
        ahead = self.ahead or timedelta(0)
        moment = datetime.now(timezone.utc) - ahead - timedelta(seconds=seconds)
        return moment.replace(microsecond=0)

    @property
    def today(self) -> int:
        """The UTC day of that time, counted from 1970."""
        return int(self.now().timestamp()) // _SECONDS_OF_DAY

    def compare_clocks(self, response: requests.Response) -> None:
        """Take notice of the time of an answer; the quickest one tells it best."""
        try:
            date = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return
        sent = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        ahead = max(datetime.now(timezone.utc) - sent, timedelta(0))
        self.ahead = ahead if self.ahead is None else min(ahead, self.ahead)

    @cached_property
    def session(self) -> ReadAhead:
        """The connections of the run; each request takes its turn within the limits."""
        return ReadAhead(
            self.url,
            self.streams,
            self.max_parallel_requests,
            self.limits,
            self.login,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )


class NextLink(BaseHATEOASPaginator):
    """Follows the link to the next page as it is: it carries the filters of the first page."""

    def __init__(self, api_url: str) -> None:
        """Follow links of one host.

        Args:
            api_url: address of the API; a token is sent to no other host.
        """
        super().__init__()
        self._origin = _origin(api_url)
        self._followed: set[str] = set()

    def get_next_url(self, response: requests.Response) -> str | None:
        """Return the address of the next page, if there is one.

        Raises:
            FatalAPIError: the link leads to another host.
        """
        link = _next_link(response)
        if link is None:
            return None
        try:
            url = urljoin(response.url, link)
        except ValueError:
            url = ""
        if _origin(url) != self._origin:
            message = (
                f"{request_line(response)}: the next page is said to be on another host than the "
                "API's; it is not followed and no token is sent there. Check the setting api_url; "
                "if it is right, report this"
            )
            raise FatalAPIError(message)
        return url

    def get_next(self, response: requests.Response) -> ParseResult | None:
        """Return the address of the next page for the request to come.

        Raises:
            FatalAPIError: the pages go round in a circle.
        """
        url = super().get_next(response)
        if url is not None:
            if url.geturl() in self._followed:
                message = (
                    f"{request_line(response)}: the links to the next page go in a circle. Run "
                    "again; if it says so again, report this"
                )
                raise FatalAPIError(message)
            self._followed.add(url.geturl())
        return url

    def continue_if_empty(self, response: requests.Response) -> bool:
        """Go on after a page without records where it names a next one: filters can empty it."""
        return self.get_next_url(response) is not None


class ConstantContactStream(RESTStream[ParseResult]):
    """A stream of the API; an endpoint's stream is a few lines that say what is special to it.

    Attributes:
        records_key: property of an answer that holds its records; None where the answer is the
            record or the array of records itself.
        params: query parameters of the first page.
        needs: scope and privilege that the endpoint asks for, as the contract names them.
        detail_path: path of a row's detail, where the rows are completed by one.
        detail_params: its query parameters.
        for_partners: whether the endpoint is read with the partner's key.
        reading: what a run reads of it, for the documents (Markdown), as the two below.
        cost: the requests of a run; where it is empty, they follow from the other attributes.
        unseen: what of its rows no run sees, if there is such a thing.
    """

    records_key: ClassVar[str | None] = None
    params: ClassVar[Mapping[str, Any]] = {}
    primary_keys: Any  # a property of the SDK's, that streams set to a tuple
    needs: ClassVar[str]
    detail_path: ClassVar[str] = ""
    detail_params: ClassVar[Mapping[str, Any]] = {}
    for_partners: ClassVar[bool] = False
    reading: ClassVar[str] = "in full in each run"
    cost: ClassVar[str] = ""
    unseen: ClassVar[str] = ""

    schema: ClassVar[StreamSchema] = SchemaOfStream(SCHEMAS)
    allow_redirects = False
    payload_as_json = False
    # Asked for after each record; the tap's writer sees to it that it is not too often.
    STATE_MSG_FREQUENCY = 1
    # `post_process` does it, for free objects too, which the SDK's does not take.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    # A line for each request says too much; the run ends with the number of requests.
    _LOG_REQUEST_METRICS = False

    _tap: TapConstantContact

    def __init__(self, tap: TapConstantContact, connect: Callable[[], Api]) -> None:
        """Make a stream.

        Args:
            tap: the tap.
            connect: gives what its streams share; is not called before the first request.
        """
        super().__init__(tap)
        self._connect = connect
        self._reported: set[str] = set()
        #: Records that the API has announced, where it tells.
        self.announced_records = 0
        #: Items that were left out, by the kind of refusal.
        self.items_left_out: Counter[type[Refused]] = Counter()
        self._extra: dict[str, list[Any]] = {}
        #: Properties that came and are in no schema.
        self.unknown_properties: set[str] = set()
        self._given = 0
        if self.parent_stream_type:
            self._quieten()

    @property
    def api(self) -> Api:
        """What all streams of the run share."""
        return self._connect()

    @property
    def url_base(self) -> str:
        """The API's address."""
        return self.api.url

    @property
    def authenticator(self) -> Login:
        """The login that all streams share."""
        return self.api.login

    @property
    def requests_session(self) -> ReadAhead:
        """The session that all streams share."""
        return self.api.session

    @property
    def user_agent(self) -> str:
        """Name of the tap for the API's logs."""
        return self.api.user_agent

    @property
    def http_headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Accept": "application/json"}

    @property
    def timeout(self) -> int:
        """Seconds to wait for a connection, and for each part of an answer."""
        return _TIMEOUT_SECONDS

    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters of a first page: the stream's, and `params` of the context."""
        return {**self.params, **(context or {}).get("params", {})}

    def get_http_request(self, *, page: PageContext[ParseResult]) -> HTTPRequest:
        """Return the request of a page; the link to a next page already holds its parameters."""
        request = super().get_http_request(page=page)
        if page.next_page_token is not None:
            request.url = page.next_page_token.geturl()
            request.params = {}
        return request

    @property
    def begins_at(self) -> datetime | None:
        """Where a run begins: the bookmark, else start_date, if there is any.

        The SDK's `get_starting_timestamp` knows it only when the stream has begun, which is too
        late for requests that are sent ahead.
        """
        if self.replication_method != REPLICATION_INCREMENTAL:
            return None
        begin = self.stream_state.get("replication_key_value") or self.config.get("start_date")
        return parse_timestamp(begin) if begin else None

    def compare_start_date(self, value: str, start_date_value: str) -> str:
        """Return the bookmark: a start_date that moves with the clock must not overtake it."""
        return value

    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """Return none: states that are written early would claim rows of unfinished batches."""

    @property
    def emit_activate_version_messages(self) -> bool:
        """Never: a stream that is skipped or ends early would lose its rows in the target."""
        return False

    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Yield the messages of a record.

        Where all is selected nothing is to be taken out, and the SDK's walk through all properties
        of each record, which costs as much as to clean them, is left out.
        """
        if not self._is_whole:
            yield from super()._generate_record_messages(record)
            return
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                now = datetime.now(timezone.utc)
                yield RecordMessage(stream_map.stream_alias, mapped, time_extracted=now)

    @cached_property
    def _is_whole(self) -> bool:
        """Whether all properties are selected."""
        return all(self.mask.values())

    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        """Return what child streams are read for, without a copy of the record if none are."""
        return super().generate_child_contexts(record, context) if self.child_streams else ()

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, None]:
        """Read and write the records; however that ends, none is left waiting."""
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        finally:
            self._tap.message_writer.flush()

    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Move the bookmark, where the record has a time: the SDK warns of each that has none."""
        if not self.replication_key or latest_record[self.replication_key] is not None:
            super()._increment_stream_state(latest_record, context=context)

    def _write_state_message(self) -> None:
        """Let a state be written if it is time, also where no record has moved it."""
        self._tap.state_writer.write_state(self.tap_state)

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End a stream; its state is written at once."""
        super().finalize_state_progress_markers(state)
        self._tap.end_stream(self.name)
        self._tap.state_writer.write_now(self.tap_state)

    def get_new_paginator(self) -> NextLink:
        """Return what follows the links to next pages."""
        return NextLink(self.url_base)

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log what the SDK says of the stream; of each report that is empty it says too much."""
        if message.startswith("Pagination stopped"):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the records, or none where this account may not read them."""
        if self.name in self.api.forbidden:
            return
        if not self.parent_stream_type:
            self._tap.begin_stream(self.name)
            self.api.session.begin(self)
        try:
            yield from self._at_most(self.config.get("max_records_per_stream"), context)
        except Forbidden as refusal:
            self.api.forbidden.add(self.name)
            self.keep_bookmark()
            self.logger.warning("%s is skipped: %s", self.name, refusal)
            self._expect_some_stream(refusal)

    def _at_most(self, most: int | None, context: Context | None) -> Iterator[Record]:
        """Yield all records, or those of a quick look, after which bookmarks are as before.

        That of a parent too, whose children may have been cut off.
        """
        if most is None:
            yield from self.read(context)
            return
        before = deepcopy(self.stream_state)
        try:
            for record in self.read(context):
                if self._given >= most:
                    break
                yield record
        finally:
            self.stream_state.clear()
            self.stream_state.update(before)

    def read(self, context: Context | None) -> Iterable[Record]:
        """Yield the records of all pages; streams that need more requests say so here."""
        for first_page in self.first_pages(context):
            yield from self.request_records(first_page)

    def first_pages(self, context: Context | None) -> Iterable[Context | None]:
        """Return what the first pages are asked for with; it is known before any answer."""
        return [context]

    def guesses(self) -> Iterable[Guess] | None:
        """Return the requests that will be made, as `Foreseeing` says."""
        return map(self.guess_of, self.first_pages(None))

    @property
    def may_be_refused(self) -> bool:
        """Whether it is not known yet that this account may read the stream."""
        return self.needs not in self.api.met

    def guess_of(self, context: Context | None, *, whole: bool = True) -> Guess:
        """Return the guess that the pages of a context will be asked for.

        Args:
            context: fills the placeholders of the path; `params` are sent.
            whole: whether all pages will be read, and not only the first.
        """
        first = PageContext(stream_context=context, next_page_token=None)
        request = self.get_http_request(page=first)
        prepared = self._prepared(request.url, request.encode_params())
        return Guess(prepared, self.guesses_from) if whole else Guess(prepared)

    def guess_of_path(self, path: str, params: Mapping[str, Any] | None = None) -> Guess:
        """Return the guess that one more answer will be asked for, as by `fetch`."""
        return Guess(self._prepared(self.url_base + path, params))

    def guesses_from(self, page: requests.Response) -> Iterator[Guess]:
        """Yield what will be asked for when a page has come: the next one, details of its rows."""
        url = self.get_new_paginator().get_next_url(page)
        if url:
            yield Guess(self._prepared(url), self.guesses_from)
        if self.detail_path:
            yield from self.guesses_of_details(page, is_last=url is None)

    def guesses_of_details(self, page: requests.Response, *, is_last: bool) -> Iterator[Guess]:
        """Yield the requests for the details of a page's rows.

        Args:
            page: the page.
            is_last: whether no other follows.
        """
        return map(self.guess_of_detail, filter(self.needs_detail, self.rows_of_page(page)))

    def rows_of_page(self, page: requests.Response) -> Iterable[Record]:
        """Return the rows of a page as they came."""
        return rows_of(page, self.records_key)

    def _prepared(
        self, url: str, params: str | Mapping[str, Any] | None = None
    ) -> requests.PreparedRequest:
        return self.build_prepared_request(
            method="GET", url=url, params=params, headers=self.http_headers
        )

    def keep_bookmark(self) -> None:
        """Leave the bookmark where it was: the rows so far are not all there are.

        Else the SDK makes the newest time seen the bookmark, of a stream that is not sorted.
        """
        self.stream_state.pop("progress_markers", None)

    def guess_of_detail(self, row: Record) -> Guess:
        """Return the request that `detail_of` makes."""
        return self.guess_of_path(self.detail_path.format(**row), self.detail_params)

    def needs_detail(self, row: Record) -> bool:
        """Return whether the detail of a row will be asked for."""
        return self._has_key(row)

    def detail_of(self, row: Record) -> Record:
        """Return what one more request tells of a row: nothing, where it is gone."""
        if not self._has_key(row):
            return {}
        return self.find(self.detail_path.format(**row), self.detail_params) or {}

    def completed(self, row: Record) -> Record:
        """Return a row with what its detail knows beside it."""
        detail = {name: value for name, value in self.detail_of(row).items() if value is not None}
        return {**row, **detail, **{key: row.get(key) for key in self.primary_keys}}

    def fetch(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the body of one more answer, for records that need several requests.

        Args:
            path: path below the API's address.
            params: query parameters.

        Raises:
            Refused: the API refuses; `NotFound` where there is nothing at the path.
        """
        request = self._prepared(self.url_base + path, params)
        return body_of(self.request_decorator(self._request)(request, None))

    def find(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the body of one more answer, or None where there is nothing at the path.

        Details of what a list names can be gone or not readable (seen: removed campaigns and
        some activities answer 404).

        Raises:
            Forbidden: the account may not read such details at all.
        """
        try:
            return self.fetch(path, params)
        except (NotFound, Forbidden) as refusal:
            self.leave_out(refusal)
            return None

    def leave_out(self, refusal: Refused) -> None:
        """Go on without an item that is gone, or that cannot be read though others can.

        Raises:
            Forbidden: nothing of the kind can be read.
        """
        forbidden = isinstance(refusal, Forbidden)
        if forbidden and self.needs not in self.api.met:
            raise refusal
        self.note_left_out(refusal, logging.WARNING if forbidden else logging.INFO)

    def note_left_out(self, refusal: Refused, level: int = logging.INFO) -> None:
        """Count an item that is left out; only the first of a kind is logged.

        Args:
            refusal: why it is.
            level: the level of the log.
        """
        kind = type(refusal)
        level = logging.DEBUG if self.items_left_out[kind] else level
        self.items_left_out[kind] += 1
        self.logger.log(level, "%s: one is left out: %s", self.name, refusal)

    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield the records of an answer.

        Raises:
            FatalAPIError: what is there are no records.
        """
        if "include_count" in self.params:  # of all pages (contract)
            count = str(part_of(response, f"{self.records_key}_count"))
            announced = int(count) if count.isdecimal() else 0
            self.announced_records = max(self.announced_records, announced)
        return rows_of(response, self.records_key)

    @property
    def announced_pages(self) -> int:
        """How many pages the API has announced, where it tells; else 0."""
        return -(-self.announced_records // int(self.params.get("limit", 1)))

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return a record in the types of its schema, or None if it lacks its key."""
        row.pop("_links", None)
        self._extra = {}
        row = self._clean(row)
        if self._extra and "_extra" in self.effective_schema["properties"]:
            row["_extra"] = self._extra
        if self.replication_key:
            row.setdefault(self.replication_key, None)
        if not self._has_key(row):
            keys = ", ".join(self.primary_keys)
            self._report(f"a record without its key {keys} is left out; please report it")
            return None
        self._given += 1
        return row

    def _has_key(self, row: Record) -> bool:
        return None not in map(row.get, self.primary_keys)

    def _request(
        self, prepared_request: requests.PreparedRequest, context: Context | None
    ) -> requests.Response:
        """Return an answer; what was read before it leaves before the wait."""
        self._tap.message_writer.flush()
        return super()._request(prepared_request, context)

    def validate_response(self, response: requests.Response) -> None:
        """Raise what an answer means for the run, if it is not a good one.

        Raises:
            RetriableAPIError: another try may help.
            FatalAPIError: it will not.
            RunEnded: the quota is used up.
        """
        self.api.answers[self.name] += 1
        self.api.compare_clocks(response)
        if response.status_code == requests.codes.unauthorized:
            self.api.login.reject(_access_token(response.request))
            raise RetriableAPIError(f"{request_line(response)}: 401, with a new token", response)
        if response.status_code == requests.codes.too_many_requests:
            if error_key(response) == QUOTA_EXCEEDED:
                self.api.limits.quota_exceeded()  # a used-up quota is never asked again
            message = f"{request_line(response)}: 429 {vendor_message(response)}"
            raise RetriableAPIError(message, response)
        failure = failure_of(response, self.needs)
        if failure:
            raise failure
        outline_of(response)
        self.api.login.accept()
        self.api.met.add(self.needs)

    def backoff_wait_generator(self) -> Any:
        """Return the seconds between tries: 1, 2, 4, … and some jitter."""
        return backoff.expo(max_value=_LONGEST_WAIT_SECONDS)

    def backoff_max_tries(self) -> int:
        """Return the number of tries."""
        return self.api.tries

    def backoff_handler(self, details: Any) -> None:
        """Count a try that failed; the SDK has logged it."""
        self.api.retries += 1

    def _expect_some_stream(self, refusal: object) -> None:
        """Raise where no selected stream can be read: an empty run must not look good."""
        streams = cast("Iterable[ConstantContactStream]", self._tap.streams.values())
        if all(stream.is_out_of_reach() for stream in streams if stream.selected):
            message = f"This account may read none of the selected streams; the last one: {refusal}"
            raise FatalAPIError(message)

    def is_out_of_reach(self) -> bool:
        """Return whether it is known that this account may not read the stream, or its parents."""
        streams = self._tap.streams.values()
        parents = {stream.name for stream in streams if self in stream.descendent_streams}
        return not self.api.forbidden.isdisjoint({self.name, *parents})

    @cached_property
    def _clean(self) -> Cleaner:
        return cleaner(self.schema, self._note_misfit, self._note_unknown)

    def _note_misfit(self, path: str, _: Any) -> None:
        self._report(f"a value of {path} that has another type is null; please report it")

    def _note_unknown(self, path: str, value: Any) -> None:
        self.unknown_properties.add(path)
        self._extra.setdefault(path, []).append(value)

    def _report(self, what: str) -> None:
        """Log what happens to records, once and without a value."""
        if what not in self._reported:
            self._reported.add(what)
            self.logger.warning("%s: %s", self.name, what)

    def _quieten(self) -> None:
        """Keep a child stream, which the SDK syncs once for each parent, out of the log."""
        if not self.logger.isEnabledFor(logging.DEBUG):
            self.logger.setLevel(logging.WARNING)
            mute = metrics.MetricExclusionFilter(tags={metrics.Tag.STREAM: self.name})
            self.metrics_logger.addFilter(mute)


class ForEachStream(ConstantContactStream):
    """A stream that asks its endpoint once for each of something, such as each sent activity.

    Attributes:
        own_columns: what of an item is added to its rows.
    """

    own_columns: ClassVar[tuple[str, ...]]

    def guesses(self) -> Iterable[Guess] | None:
        """Return none: what the items are takes requests to know."""
        return ()

    def items(self, context: Context | None) -> Iterable[Record]:
        """Yield what to ask for: an item fills the placeholders of the path; `params` are sent.

        A child stream asks for what its parent's row says.
        """
        yield dict(context or {})

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of each item."""
        for item in self.items(context):
            yield from self.readable_rows_of(item)

    def readable_rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the rows of an item, if it is not gone, and can be read as others can."""
        try:
            yield from self.rows_of(item)
        except (NotFound, Forbidden) as refusal:
            self.leave_out(refusal)

    def rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the rows of an item, with what tells which item they are of.

        Raises:
            Refused: the API refuses, perhaps after some rows.
        """
        own = {name: item[name] for name in self.own_columns}
        for row in self.request_records(item):
            yield {**row, **own}


class OwnProgressStream(ConstantContactStream):
    """An incremental stream that notes itself how far it came, by other means than a bookmark."""

    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Leave the state to the stream."""

    @property
    def first_start(self) -> str:
        """The start_date that this run goes by, or nothing.

        A relative one moves on, but the rows of the table stay the same: the earliest one that
        runs began with counts, which is kept as `since` in the state.
        """
        start = str(self.config.get("start_date", ""))
        return min(start, str(self.stream_state.get("since", start)))


class OldestFirstStream(OwnProgressStream):
    """An incremental stream of few rows, listed in full and read oldest change first.

    The bookmark then moves on row by row: a run that ends early goes on where it was. A row is
    completed by its detail, which costs one request.

    Attributes:
        since_param: query parameter that leaves out rows without a later change; where there is
            none, they are left out here.
    """

    since_param: ClassVar[str | None] = None
    reading = "what has changed since the bookmark, the oldest change first"

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the changed rows with their details, oldest change first."""
        changed = self.changed_rows(self.since)
        self.api.session.foresee(map(self.guess_of_detail, filter(self.needs_detail, changed)))
        for row in changed:
            # What is listed goes before: the detail of a row that changes meanwhile is newer.
            yield {**self.detail_of(row), **row}
            self.move_bookmark(self.changed_at(row))

    @property
    def since(self) -> str:
        """Where a run begins: the bookmark less an overlap, or nothing."""
        return timestamp(self.begins_at - OVERLAP) if self.begins_at else ""

    def changed_rows(self, since: str) -> list[Record]:
        """Return the rows that changed since a moment, oldest change first.

        Rows without a time of change come first, and always.
        """
        # By key, since a row that changes meanwhile can come on two pages.
        listed = {row.get(self.primary_keys[0]): row for row in self.list_rows(since)}
        changed = {key: self.changed_at(row) for key, row in listed.items()}
        return [
            listed[key]
            for key in sorted(listed, key=changed.__getitem__)
            if self.is_changed(listed[key], since)
        ]

    def is_changed(self, row: Record, since: str) -> bool:
        """Return whether a row changed since a moment, or does not say."""
        changed_at = self.changed_at(row)
        return not changed_at or changed_at >= since

    def list_rows(self, since: str) -> Iterable[Record]:
        """Yield the rows as the list has them.

        Args:
            since: rows that changed before may be left out.
        """
        return self.request_records(self._list_since(since))

    def guesses(self) -> Iterable[Guess]:
        """Return the list; the details of the changed rows follow."""
        return [self.guess_of(self._list_since(self.since))]

    def guesses_of_details(self, page: requests.Response, *, is_last: bool) -> Iterator[Guess]:
        """Yield the requests for details, if the page is the list: its order is another one."""
        if is_last and page.url == self.guess_of(self._list_since(self.since)).url:
            changed = [row for row in self.rows_of_page(page) if self.is_changed(row, self.since)]
            changed.sort(key=self.changed_at)
            yield from map(self.guess_of_detail, filter(self.needs_detail, changed))

    def _list_since(self, since: str) -> Context:
        return {"params": {self.since_param: since} if self.since_param and since else {}}

    def changed_at(self, row: Record) -> str:
        """Return when a row changed last, or nothing where it does not say."""
        try:
            return timestamp(parse_timestamp(str(row.get(self.replication_key or ""))))
        except (Misfit, OverflowError):
            return ""

    def move_bookmark(self, changed_at: str) -> None:
        """Move the bookmark to a time of change, and never back.

        A row with a time to come, by mistake, must not hide all others from the next runs.
        """
        if (
            changed_at > self.stream_state.get("replication_key_value", "")
            and self.replication_method == REPLICATION_INCREMENTAL
        ):
            self.stream_state.update(
                replication_key=self.replication_key,
                replication_key_value=min(changed_at, timestamp(datetime.now(timezone.utc))),
            )


def _next_link(response: requests.Response) -> str | None:
    """Return the link to the next page, in any of the API's forms.

    `_links.next.href` is missing, null or in an empty `_links` on the last page (seen); the
    contract has `_links.next.next.href` for tags, and `next_cursor` with the query parameter
    `next` for events.
    """
    link = _part(part_of(response, "_links"), "next")
    href = _part(link, "href") or _part(_part(link, "next"), "href")
    cursor = part_of(response, "next_cursor")
    if href or not cursor:
        return str(href) if href else None
    return urlsplit(response.url)._replace(query=urlencode({"next": cursor})).geturl()


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address, the port of the scheme where it names none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


def _access_token(request: requests.PreparedRequest) -> str:
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
