"""The base of all streams: requests, paging, errors and records."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import ParseResult

import backoff
import requests
from singer_sdk import RESTStream, StreamSchema, metrics
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams.rest import PageContext

from tap_constantcontact.api.errors import QUOTA_EXCEEDED, error_from, error_key, vendor_message
from tap_constantcontact.api.pagination import NextLinkPaginator
from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import body_of, outline_of, part_of, request_line, rows_of
from tap_constantcontact.api.run_context import TIMEOUT_SECONDS, RunContext
from tap_constantcontact.api.session import PrefetchingSession
from tap_constantcontact.exceptions import Forbidden, NotFound, Refused
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.output.conversion import Converter, converter
from tap_constantcontact.permissions import required_permissions
from tap_constantcontact.schema import SCHEMAS, SchemaOfStream
from tap_constantcontact.timestamps import parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest

    from tap_constantcontact.auth import Login
    from tap_constantcontact.tap import TapConstantContact

#: How far behind its bookmark an incremental stream begins: "after" may leave out the second
#: itself (not documented), and a change may show late.
OVERLAP = timedelta(minutes=5)

_SECONDS_OF_DAY = 86400
_LONGEST_WAIT_SECONDS = 60


class ConstantContactStream(RESTStream[ParseResult]):
    """A stream of the API; an endpoint's stream is a few lines that say what is special to it.

    Attributes:
        records_key: property of an answer that holds its records; None where the answer is the
            record or the array of records itself.
        params: query parameters of the first page.
        scopes: scopes that the endpoint requires, as the contract names them.
        privileges: privileges of the user that it requires, as the contract names them.
        requires: what it requires where it is neither of them, in words.
        detail_path: path of a row's detail, where each row is completed by one.
        detail_params: its query parameters.
        for_partners: whether the endpoint is read with the partner's key.
        notes: what the documents say of it beyond what the other attributes tell.
    """

    records_key: ClassVar[str | None] = None
    params: ClassVar[Mapping[str, Any]] = {}
    primary_keys: Any  # a property of the SDK's, that streams set to a tuple
    scopes: tuple[str, ...] = ()
    privileges: tuple[str, ...] = ()
    requires: str = ""
    detail_path: ClassVar[str] = ""
    detail_params: ClassVar[Mapping[str, Any]] = {}
    for_partners: ClassVar[bool] = False
    notes: ClassVar[StreamNotes] = StreamNotes(reads="in full in each run")

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

    def __init__(self, tap: TapConstantContact, connect: Callable[[], RunContext]) -> None:
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
        self.skipped_items: Counter[type[Refused]] = Counter()
        self._extra: dict[str, list[Any]] = {}
        #: Properties that came and are in no schema.
        self.unknown_properties: set[str] = set()
        self._given = 0
        if self.parent_stream_type:
            self._quieten()

    @property
    def api(self) -> RunContext:
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
    def requests_session(self) -> PrefetchingSession:
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
        return TIMEOUT_SECONDS

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
    def starts_from(self) -> datetime | None:
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
        self._tap.states.write_now(self.tap_state)

    def get_new_paginator(self) -> NextLinkPaginator:
        """Return what follows the links to next pages."""
        return NextLinkPaginator(self.url_base)

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
            self.api.session.begin_stream(self)
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

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the requests that will be made, as `Predictable` says."""
        return map(self.predict, self.first_pages(None))

    @cached_property
    def permissions(self) -> str:
        """What the stream requires, in words for people."""
        return required_permissions(self)

    @property
    def may_be_forbidden(self) -> bool:
        """Whether it is not known yet that this account may read the stream."""
        return self.permissions not in self.api.granted

    def predict(self, context: Context | None, *, whole: bool = True) -> PredictedRequest:
        """Return the guess that the pages of a context will be asked for.

        Args:
            context: fills the placeholders of the path; `params` are sent.
            whole: whether all pages will be read, and not only the first.
        """
        first = PageContext(stream_context=context, next_page_token=None)
        request = self.get_http_request(page=first)
        prepared = self._prepared(request.url, request.encode_params())
        return (
            PredictedRequest(prepared, self.predict_following)
            if whole
            else PredictedRequest(prepared)
        )

    def predict_path(self, path: str, params: Mapping[str, Any] | None = None) -> PredictedRequest:
        """Return the guess that one more answer will be asked for, as by `fetch`."""
        return PredictedRequest(self._prepared(self.url_base + path, params))

    def predict_following(self, page: requests.Response) -> Iterator[PredictedRequest]:
        """Yield what will be asked for when a page has come: the next one, details of its rows."""
        url = self.get_new_paginator().get_next_url(page)
        if url:
            yield PredictedRequest(self._prepared(url), self.predict_following)
        if self.detail_path:
            yield from self.predict_details(page, is_last=url is None)

    def predict_details(
        self, page: requests.Response, *, is_last: bool
    ) -> Iterator[PredictedRequest]:
        """Yield the requests for the details of a page's rows.

        Args:
            page: the page.
            is_last: whether no other follows.
        """
        return map(self.predict_detail, filter(self.needs_detail, self.rows_of_page(page)))

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

    def predict_detail(self, row: Record) -> PredictedRequest:
        """Return the request that `detail_of` makes."""
        return self.predict_path(self.detail_path.format(**row), self.detail_params)

    def needs_detail(self, row: Record) -> bool:
        """Return whether the detail of a row will be asked for."""
        return self._has_key(row)

    def detail_of(self, row: Record) -> Record:
        """Return what one more request tells of a row: nothing, where it is gone."""
        if not self._has_key(row):
            return {}
        return self.find(self.detail_path.format(**row), self.detail_params) or {}

    def with_detail(self, row: Record) -> Record:
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
            self.skip(refusal)
            return None

    def skip(self, refusal: Refused) -> None:
        """Go on without an item that is gone, or that cannot be read though others can.

        Raises:
            Forbidden: nothing of the kind can be read.
        """
        forbidden = isinstance(refusal, Forbidden)
        if forbidden and self.permissions not in self.api.granted:
            raise refusal
        self.note_skipped(refusal, logging.WARNING if forbidden else logging.INFO)

    def note_skipped(self, refusal: Refused, level: int = logging.INFO) -> None:
        """Count an item that is left out; only the first of a kind is logged.

        Args:
            refusal: why it is.
            level: the level of the log.
        """
        kind = type(refusal)
        level = logging.DEBUG if self.skipped_items[kind] else level
        self.skipped_items[kind] += 1
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
        self.api.responses[self.name] += 1
        self.api.update_clock_skew(response)
        if response.status_code == requests.codes.unauthorized:
            self.api.login.reject(_access_token(response.request))
            raise RetriableAPIError(f"{request_line(response)}: 401, with a new token", response)
        if response.status_code == requests.codes.too_many_requests:
            if error_key(response) == QUOTA_EXCEEDED:
                self.api.limits.wait_for_quota()  # no request is worth trying before that
            message = f"{request_line(response)}: 429 {vendor_message(response)}"
            raise RetriableAPIError(message, response)
        failure = error_from(response, self.permissions)
        if failure:
            raise failure
        outline_of(response)
        self.api.login.accept()
        self.api.granted.add(self.permissions)

    def backoff_wait_generator(self) -> Any:
        """Return the seconds between tries: 1, 2, 4, … and some jitter."""
        return backoff.expo(max_value=_LONGEST_WAIT_SECONDS)

    def backoff_max_tries(self) -> int:
        """Return the number of tries."""
        return self.api.max_attempts

    def backoff_handler(self, details: Any) -> None:
        """Count a try that failed; the SDK has logged it."""
        self.api.retries += 1

    def _expect_some_stream(self, refusal: object) -> None:
        """Raise where no selected stream can be read: an empty run must not look good."""
        streams = cast("Iterable[ConstantContactStream]", self._tap.streams.values())
        if all(stream.is_forbidden() for stream in streams if stream.selected):
            message = f"This account may read none of the selected streams; the last one: {refusal}"
            raise FatalAPIError(message)

    def is_forbidden(self) -> bool:
        """Return whether it is known that this account may not read the stream, or its parents."""
        streams = self._tap.streams.values()
        parents = {stream.name for stream in streams if self in stream.descendent_streams}
        return not self.api.forbidden.isdisjoint({self.name, *parents})

    @cached_property
    def _clean(self) -> Converter:
        return converter(self.schema, self._note_misfit, self._note_unknown)

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


def _access_token(request: requests.PreparedRequest) -> str:
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
