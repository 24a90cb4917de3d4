"""The base of all streams: how they request, read and report."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import ParseResult

import requests
from singer_sdk import metrics
from singer_sdk.exceptions import RetriableAPIError
from typing_extensions import override

from tap_constantcontact.api.errors import QUOTA_EXCEEDED, error_from, error_key, vendor_message
from tap_constantcontact.api.pagination import NextLinkPaginator
from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import outline_of, part_of, request_line, rows_of
from tap_constantcontact.api.run_context import RunContext
from tap_constantcontact.details import DetailReader
from tap_constantcontact.exceptions import Forbidden, NotFound
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.permissions import required_permissions
from tap_constantcontact.predictor import RequestPredictor
from tap_constantcontact.records import RecordBuilder, limited
from tap_constantcontact.schema import SCHEMAS, with_extra
from tap_constantcontact.sdk_hooks import StreamHooks

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest, PageContext

    from tap_constantcontact.services import Services
    from tap_constantcontact.tap import TapConstantContact


class ConstantContactStream(StreamHooks):
    """A stream of the API; an endpoint's stream declares in a few lines what is special to it.

    Attributes:
        records_key: property of a response that holds its records; None where the response is the
            record or the array of records itself.
        params: query parameters of the first page.
        context_columns: columns that a context adds to its rows. A stream that has them requests
            its path once per context, and skips a context that is gone or forbidden.
        scopes: scopes that the endpoint requires, as the contract names them.
        privileges: privileges of the user that it requires, as the contract names them.
        requires: what it requires where it is neither of them, in words.
        detail_path: path of a row's detail, where each row is completed by one.
        detail_params: its query parameters.
        for_partners: whether the endpoint is read with the partner's key.
        follows_change_log: whether a run reads what has changed according to the change log.
        notes: what the documents say of it beyond what the other attributes tell.
    """

    records_key: ClassVar[str | None] = None
    params: ClassVar[Mapping[str, Any]] = {}
    primary_keys: Any  # a property of the SDK's, that streams set to a tuple
    context_columns: ClassVar[tuple[str, ...]] = ()
    scopes: tuple[str, ...] = ()
    privileges: tuple[str, ...] = ()
    requires: str = ""
    detail_path: ClassVar[str] = ""
    detail_params: ClassVar[Mapping[str, Any]] = {}
    for_partners: ClassVar[bool] = False
    follows_change_log: ClassVar[bool] = False
    notes: ClassVar[StreamNotes] = StreamNotes(reads="in full in each run")

    def __init__(self, tap: TapConstantContact, services: Services) -> None:
        """Make a stream.

        Args:
            tap: the tap.
            services: what its streams share; the first request opens the connection.
        """
        super().__init__(tap)
        self.tap = tap
        self.services = services
        self.details = DetailReader(self)
        self.predict = RequestPredictor(self)
        #: Records that the API has announced, where it tells.
        self.announced_records = 0
        if self.parent_stream_type:
            _mute(self)

    @cached_property
    @override
    def schema(self) -> dict[str, Any]:
        """The schema of the stream; the SDK asks for it with every record."""
        schema: dict[str, Any] = SCHEMAS.get_schema(self.name)
        return with_extra(schema) if self.config.get("keep_unknown_fields") else schema

    @cached_property
    def records(self) -> RecordBuilder:
        """Turns rows into records."""
        return RecordBuilder(
            self.name, self.schema, self.primary_keys, self.replication_key, self.logger
        )

    @property
    @override
    def api(self) -> RunContext:
        """What all streams of the run share."""
        return self.services.api

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Accept": "application/json"}

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters of a first page: the stream's, and `params` of the context."""
        return {**self.params, **(context or {}).get("params", {})}

    @override
    def get_http_request(self, *, page: PageContext[ParseResult]) -> HTTPRequest:
        """Return the request of a page; the link to a next page already holds its parameters."""
        request = super().get_http_request(page=page)
        if page.next_page_token is not None:
            request.url = page.next_page_token.geturl()
            request.params = {}
        return request

    @override
    def get_new_paginator(self) -> NextLinkPaginator:
        """Return what follows the links to next pages."""
        return NextLinkPaginator(self.url_base)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows, or none where this account has no permission to read them."""
        if self.name in self.api.forbidden:
            return
        if not self.parent_stream_type:
            self.tap.begin_stream(self.name)
            self.api.session.begin_stream(self)
        rows = self.read(context)
        if limit := self.config.get("max_records_per_stream"):
            rows = limited(rows, limit, lambda: self.records.built, self.stream_state)
        try:
            yield from rows
        except Forbidden as refusal:
            self.api.forbidden.add(self.name)
            # The rows so far are not all there are: without this, the SDK makes the newest time
            # seen the bookmark of a stream that is not sorted.
            self.stream_state.pop("progress_markers", None)
            self.logger.warning("%s is skipped: %s", self.name, refusal)
            self.tap.require_readable_stream(refusal)

    def read(self, context: Context | None) -> Iterable[Record]:
        """Yield the rows of all contexts; streams that need more requests override this."""
        for each in self.request_contexts(context):
            yield from self.rows_in(each)

    def request_contexts(self, context: Context | None) -> Iterable[Context | None]:
        """Return what to request: a context fills the placeholders of the path; `params` are sent.

        A child stream requests what its parent's row says.
        """
        return [context]

    def rows_in(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of a context, unless it is one of many and gone or forbidden."""
        if not self.context_columns:
            yield from self.request_records(context)
            return
        try:
            yield from self.rows_of(dict(context or {}))
        except (NotFound, Forbidden) as refusal:
            self.details.skip(refusal)

    def rows_of(self, context: Record) -> Iterator[Record]:
        """Yield the rows of a context, with its columns.

        Raises:
            Refused: the API refuses, perhaps after some rows.
        """
        own = {name: context[name] for name in self.context_columns}
        for row in self.request_records(context):
            yield {**row, **own}

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the first requests of the stream, as `Predictable` says.

        Of contexts, the default knows none: it takes requests to know them.
        """
        if self.context_columns:
            return ()
        return map(self.predict.pages, self.request_contexts(None))

    def predict_details(
        self, page: requests.Response, *, is_last: bool
    ) -> Iterator[PredictedRequest]:
        """Return the requests for details that follow a page.

        Args:
            page: the page.
            is_last: whether it is the last one.
        """
        return self.predict.details(page)

    @property
    def may_be_forbidden(self) -> bool:
        """Whether it is not known yet that this account may read the stream."""
        return self.permissions not in self.api.granted

    @cached_property
    def permissions(self) -> str:
        """What the stream requires, in words for people."""
        return required_permissions(self)

    def is_forbidden(self) -> bool:
        """Return whether this account is known to lack permission for the stream or its parents."""
        streams = self.tap.streams.values()
        parents = {stream.name for stream in streams if self in stream.descendent_streams}
        return not self.api.forbidden.isdisjoint({self.name, *parents})

    @override
    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield the rows of a response.

        Raises:
            FatalAPIError: what is there are no rows.
        """
        if "include_count" in self.params:  # of all pages (contract)
            count = str(part_of(response, f"{self.records_key}_count"))
            announced = int(count) if count.isdecimal() else 0
            self.announced_records = max(self.announced_records, announced)
        return rows_of(response, self.records_key)

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return the record of a row, or None if it lacks its key."""
        return self.records.build(row)

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Raise what a response means for the run, if it is not a good one.

        Raises:
            RetriableAPIError: another attempt may help.
            FatalAPIError: it will not.
            RunEnded: the quota is exhausted.
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

    def checkpoint(self) -> None:
        """Let the state be written if it is time, also where no record has moved it."""
        self.tap.states.write_state(self.tap_state)

    @override
    def end(self) -> None:
        """Write the stream's state at once."""
        self.tap.end_stream(self.name)
        self.tap.states.write_now(self.tap_state)


def _mute(stream: ConstantContactStream) -> None:
    """Keep a child stream, which the SDK syncs once for each parent, out of the log."""
    if not stream.logger.isEnabledFor(logging.DEBUG):
        stream.logger.setLevel(logging.WARNING)
        mute = metrics.MetricExclusionFilter(tags={metrics.Tag.STREAM: stream.name})
        stream.metrics_logger.addFilter(mute)


def _access_token(request: requests.PreparedRequest) -> str:
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
