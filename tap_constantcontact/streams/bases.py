"""Streams that are read oldest change first, and the period of reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, ClassVar

import requests
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.incremental.bookmark import Bookmark
from tap_constantcontact.incremental.changed_rows import ChangedRows
from tap_constantcontact.incremental.start_date import starting_point, with_overlap
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.timestamps import format_timestamp, parse_start

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.tap import TapConstantContact


def report_window(tap: TapConstantContact) -> tuple[str, str]:
    """Return start and end of the period of reports, the same for all requests of a run."""
    now = datetime.fromtimestamp(tap.initialized_at / 1000, timezone.utc)
    start, end = tap.config["report_start"], tap.config.get("report_end", "-0h")
    return format_timestamp(parse_start(start, now)), format_timestamp(parse_start(end, now))


class OldestChangeFirstStream(ConstantContactStream):
    """An incremental stream of few rows, listed in full and read oldest change first.

    The bookmark advances row by row, so that the next run resumes where a run ended early. Each
    row is completed by its detail, which takes one request.

    Attributes:
        since_param: Query parameter that filters the list by time of change. Without one, the
            stream filters the rows itself.
    """

    manages_state = True
    since_param: ClassVar[str | None] = None
    notes = StreamNotes(reads="rows that changed since the bookmark, oldest change first")

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the changed rows with their details, oldest change first."""
        changed = self.unread(self.changes.select(self.list_rows(self.since), self.since))
        self.api.session.prefetch(map(self.predict.detail, filter(self.needs_detail, changed)))
        for row in changed:
            # The list wins: if the row has changed since, its detail is newer than the bookmark.
            yield {**self.detail_of(row), **row}
            self.advance_bookmark(row)

    @property
    def changes(self) -> ChangedRows:
        """Finds the listed rows that have changed."""
        return ChangedRows(self.row_key[0], str(self.replication_key))

    def unread(self, rows: list[Record]) -> list[Record]:
        """Return the changed rows without those that were read since they changed."""
        if not self._is_incremental:
            return rows
        changes, bookmark = self.changes, self._bookmark
        return [
            row
            for row in rows
            if not bookmark.has_read(str(row.get(changes.key)), changes.changed_at(row))
        ]

    @property
    def since(self) -> str:
        """Where a run starts: the bookmark minus an overlap, or ""."""
        return with_overlap(starting_point(self))

    def list_rows(self, since: str) -> Iterable[Record]:
        """Return the rows of the list.

        Args:
            since: Rows that last changed before this time may be missing.
        """
        return self.request_records(self.list_context(since))

    def list_context(self, since: str) -> Context:
        """Return the request context of the list."""
        return {"params": {self.since_param: since} if self.since_param and since else {}}

    def needs_detail(self, row: Record) -> bool:
        """Return whether the detail of a row will be requested."""
        return self.records.has_key(row)

    def detail_of(self, row: Record) -> Record:
        """Return the detail of a row."""
        return self.details.detail_of(row)

    @override
    def predicted_requests(self) -> Iterable[PredictedRequest]:
        """Return the request for the list. Those for the details of changed rows follow."""
        return [self.predict.pages(self.list_context(self.since))]

    @override
    def predict_details(
        self, page: requests.Response, *, is_last: bool
    ) -> Iterator[PredictedRequest]:
        """Return the requests for details if the page is the whole list, which is to be sorted."""
        if is_last and page.url == self.predict.pages(self.list_context(self.since)).url:
            rows = self.predict.rows_of(page)
            changed = [row for row in rows if self.changes.is_changed(row, self.since)]
            changed = self.unread(changed)
            changed.sort(key=self.changes.changed_at)
            yield from map(self.predict.detail, filter(self.needs_detail, changed))

    def advance_bookmark(self, row: Record) -> None:
        """Advance the bookmark to the change of a listed row that was read."""
        if self._is_incremental:
            changes = self.changes
            self._bookmark.advance(
                str(row.get(changes.key)), changes.changed_at(row), datetime.now(timezone.utc)
            )

    @property
    def _bookmark(self) -> Bookmark:
        return Bookmark(self.stream_state, str(self.replication_key))

    @property
    def _is_incremental(self) -> bool:
        return bool(self.replication_method == REPLICATION_INCREMENTAL)
