"""The base of all streams: how they request, read and report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import ParseResult

import requests
from singer_sdk.exceptions import AbortedSyncPausedException, RetriableAPIError
from typing_extensions import override

from tap_constantcontact.api.authentication import access_token_of
from tap_constantcontact.api.errors import QUOTA_EXCEEDED, describe, error_from, error_key
from tap_constantcontact.api.pagination import NextLinkPaginator
from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import count_of, outline_of, request_line, rows_of
from tap_constantcontact.api.run_context import RunContext
from tap_constantcontact.details import DetailReader
from tap_constantcontact.exceptions import Forbidden, NotFound
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.output.log_filters import SKIPPED, mute_child
from tap_constantcontact.permissions import required_permissions
from tap_constantcontact.predictor import RequestPredictor
from tap_constantcontact.records import RecordBuilder, limited
from tap_constantcontact.schema import SCHEMAS, key_of, with_added, without_added
from tap_constantcontact.sdk_hooks.streams import StreamHooks
from tap_constantcontact.settings.custom_streams import ACCOUNT_ID

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest, PageContext

    from tap_constantcontact.incremental.counters import ReportKind
    from tap_constantcontact.services import Services
    from tap_constantcontact.tap import TapConstantContact


class ConstantContactStream(StreamHooks):
    """A stream of the API. Each endpoint declares in a few lines what is special about it.

    Attributes:
        records_key: Property of the response that holds the records. None if the response is the
            record or the array of records itself.
        params: Query parameters of the first page.
        context_columns: Columns that a context adds to its rows. A stream with such columns
            requests its path once per context, and skips a context that is gone or forbidden.
        scopes: Scopes that the endpoint requires, as the contract names them.
        privileges: Privileges that the endpoint requires of the user, as the contract names them.
        requires: What the endpoint requires instead, if neither scopes nor privileges.
        detail_path: Path of the detail that completes each row.
        detail_params: Query parameters of the detail.
        for_partners: Whether the endpoint is read with the partner's key.
        leads_to_others: Whether requests of many other streams follow from its responses.
        follows_change_log: Whether a run reads only what has changed, according to the change log.
        report_kind: What it reads then: which counters tell that a report has changed or is empty.
        notes: What the docs say about the stream that its other attributes don't tell.
    """

    records_key: ClassVar[str | None] = None
    params: ClassVar[Mapping[str, Any]] = {}
    primary_keys: Any  # a property of the SDK that streams set to a tuple
    context_columns: ClassVar[tuple[str, ...]] = ()
    scopes: tuple[str, ...] = ()
    privileges: tuple[str, ...] = ()
    requires: str = ""
    detail_path: ClassVar[str] = ""
    detail_params: ClassVar[Mapping[str, Any]] = {}
    for_partners: ClassVar[bool] = False
    leads_to_others: ClassVar[bool] = False
    follows_change_log: ClassVar[bool] = False
    report_kind: ClassVar[ReportKind]
    notes: ClassVar[StreamNotes] = StreamNotes(reads="all rows, in every run")

    def __init__(self, tap: TapConstantContact, services: Services) -> None:
        """Make a stream.

        Args:
            tap: The tap.
            services: What its streams share. The first request opens the connection.
        """
        super().__init__(tap)
        self.tap = tap
        self.services = services
        self.details = DetailReader(self)
        self.predict = RequestPredictor(self)
        #: The key of a row, without the column that add_account_id adds.
        self.row_key = tuple(self.primary_keys)
        self.primary_keys = key_of(self.row_key, self.config)
        #: The total number of records, if the API reports it.
        self.announced_records = 0
        if self.parent_stream_type:
            mute_child(self)

    @cached_property
    @override
    def schema(self) -> dict[str, Any]:
        """The schema of the stream. Cached, because the SDK looks it up for every record."""
        return with_added(SCHEMAS.get_schema(self.name), self.config)

    @cached_property
    @override
    def records(self) -> RecordBuilder:
        """Builds records from rows."""
        return RecordBuilder(
            self.name,
            without_added(self.schema),
            self.row_key,
            self.logger,
            keeps_unknown="_extra" in self.written_schema["properties"],
            has_keys_once=self.has_keys_once,
        )

    @property
    def has_keys_once(self) -> bool:
        """Whether a repeated key is skipped: rows move between pages while they are read."""
        return not self.replication_key and "occurrence" not in self.primary_keys

    @property
    @override
    def api(self) -> RunContext:
        """The run context that all streams share."""
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
        """Return the parameters of a first page: `params` of the stream and of the context."""
        return {**self.params, **(context or {}).get("params", {})}

    @override
    def get_http_request(self, *, page: PageContext[ParseResult]) -> HTTPRequest:
        """Return the request for a page. The link to a next page already has its parameters."""
        request = super().get_http_request(page=page)
        if page.next_page_token is not None:
            request.url = page.next_page_token.geturl()
            request.params = {}
        return request

    @override
    def get_new_paginator(self) -> NextLinkPaginator:
        """Return a paginator that follows the links to next pages."""
        return NextLinkPaginator(self.url_base)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows, or none if this account can't read them."""
        if self.name in self.api.unreadable:
            return
        if not self.parent_stream_type:
            self.tap.begin_stream(self.name)
            self.api.session.begin_stream(self)
        if self.config["add_account_id"]:
            self.records.added = {ACCOUNT_ID: self.services.account_id()}
        rows = self.read(context)
        if limit := self.config.get("max_records_per_stream"):
            rows = limited(rows, limit, lambda: self.records.built, self.stream_state)
        try:
            yield from rows
        except (Forbidden, NotFound) as refusal:
            if not self.api.note_unreadable(self, refusal):
                raise
            # The rows so far are not complete. Otherwise the SDK would make the newest time among
            # them the bookmark of an unsorted stream.
            self.stream_state.pop("progress_markers", None)
            self.logger.warning(SKIPPED, self.name, refusal)
            self.tap.require_readable_stream(refusal)

    def read(self, context: Context | None) -> Iterable[Record]:
        """Yield the rows of all contexts. Streams that need more requests override this."""
        for each in self.request_contexts(context):
            yield from self.rows_in(each)

    def request_contexts(self, context: Context | None) -> Iterable[Context | None]:
        """Return the contexts to request.

        A context fills the placeholders of the path, and its `params` are sent. A child stream
        gets its context from a row of its parent.
        """
        return [context]

    def rows_in(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of a context. Skip one of several contexts if it is gone or forbidden."""
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
            Refused: The API rejects a request, perhaps after some rows.
            AbortedSyncPausedException: A test has tried contexts enough.
        """
        records = self.ABORT_AT_RECORD_COUNT  # in a test; no context may have any
        if records and self.api.responses[self.name] >= 2 * records:
            raise AbortedSyncPausedException
        self.records.forget_keys()  # the key has columns of the context
        own = {name: context[name] for name in self.context_columns}
        for row in self.request_records(context):
            yield {**row, **own}

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
        """Return the first requests of the stream, as described in `Predictable`.

        By default the requests for contexts are not predicted: finding them takes requests.
        """
        contexts = () if self.context_columns else self.request_contexts(None)
        return map(self.predict.pages, contexts)

    def predict_details(
        self, page: requests.Response, *, is_last: bool
    ) -> Iterator[PredictedRequest]:
        """Return the requests for details that follow a page.

        Args:
            page: The page.
            is_last: Whether it is the last page.
        """
        return self.predict.details(page)

    @property
    def may_be_forbidden(self) -> bool:
        """Whether the API has not yet accepted a request that requires these permissions."""
        return self.permissions not in self.api.granted

    @cached_property
    def permissions(self) -> str:
        """The permissions that the stream requires, described for people."""
        return required_permissions(self)

    def why_unreadable(self) -> str:
        """Return why the stream or a parent of it can't be read; "" if nothing is known of it."""
        streams = self.tap.streams.values()
        names = [self.name, *(each.name for each in streams if self in each.descendent_streams)]
        return self.api.why_unreadable(names)

    @override
    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield the rows of a response.

        Raises:
            FatalAPIError: The response has no rows where they are expected.
        """
        if "include_count" in self.params:  # the count of all pages (contract)
            announced = count_of(response, f"{self.records_key}_count")
            self.announced_records = max(self.announced_records, announced)
        return rows_of(response, self.records_key)

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return the record of a row, or None if the row lacks its key."""
        return self.records.build(row)

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Raise an error if the API rejected the request.

        Raises:
            RetriableAPIError: Another attempt may succeed.
            FatalAPIError: No attempt will succeed.
            RunEnded: The quota is exhausted.
        """
        self.api.responses[self.name] += 1
        self.api.update_clock_skew(response)
        if response.status_code == requests.codes.unauthorized:
            self.api.login.reject(access_token_of(response.request))
            raise RetriableAPIError(f"{request_line(response)}: 401, with a new token", response)
        if response.status_code == requests.codes.too_many_requests:
            if error_key(response) == QUOTA_EXCEEDED:
                self.api.limits.wait_for_quota()  # every request would fail until then
            raise RetriableAPIError(describe(response), response)
        if failure := error_from(response, self.permissions):
            raise failure
        outline_of(response)
        self.api.login.accept()
        self.api.granted.add(self.permissions)
        self.api.answered.add(self.name)

    def checkpoint(self) -> None:
        """Write the state if it is time, even if no record has changed it."""
        self.tap.states.write_state(self.tap_state)

    @override
    def end(self) -> None:
        """Write the stream's state at once."""
        self.tap.end_stream(self.name)
        self.tap.states.write_now(self.tap_state)
