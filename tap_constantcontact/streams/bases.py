"""What kinds of streams there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, ClassVar

import requests
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.client import OVERLAP, ConstantContactStream
from tap_constantcontact.exceptions import Forbidden, NotFound
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.timestamps import format_timestamp, normalize_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class PerItemStream(ConstantContactStream):
    """A stream that asks its endpoint once for each of something, such as each sent activity.

    Attributes:
        context_columns: what of an item is added to its rows.
    """

    context_columns: ClassVar[tuple[str, ...]]

    def predicted_requests(self) -> Iterable[PredictedRequest] | None:
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
            self.skip(refusal)

    def rows_of(self, item: Record) -> Iterator[Record]:
        """Yield the rows of an item, with what tells which item they are of.

        Raises:
            Refused: the API refuses, perhaps after some rows.
        """
        own = {name: item[name] for name in self.context_columns}
        for row in self.request_records(item):
            yield {**row, **own}


class SelfManagedStateStream(ConstantContactStream):
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


class OldestChangeFirstStream(SelfManagedStateStream):
    """An incremental stream of few rows, listed in full and read oldest change first.

    The bookmark then moves on row by row: a run that ends early goes on where it was. A row is
    completed by its detail, which costs one request.

    Attributes:
        since_param: query parameter that leaves out rows without a later change; where there is
            none, they are left out here.
    """

    since_param: ClassVar[str | None] = None
    notes = StreamNotes(reads="what has changed since the bookmark, the oldest change first")

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the changed rows with their details, oldest change first."""
        changed = self.changed_rows(self.since)
        self.api.session.prefetch(map(self.predict_detail, filter(self.needs_detail, changed)))
        for row in changed:
            # What is listed goes before: the detail of a row that changes meanwhile is newer.
            yield {**self.detail_of(row), **row}
            self.move_bookmark(self.changed_at(row))

    @property
    def since(self) -> str:
        """Where a run begins: the bookmark less an overlap, or nothing."""
        return format_timestamp(self.starts_from - OVERLAP) if self.starts_from else ""

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

    def predicted_requests(self) -> Iterable[PredictedRequest]:
        """Return the list; the details of the changed rows follow."""
        return [self.predict(self._list_since(self.since))]

    def predict_details(
        self, page: requests.Response, *, is_last: bool
    ) -> Iterator[PredictedRequest]:
        """Yield the requests for details, if the page is the list: its order is another one."""
        if is_last and page.url == self.predict(self._list_since(self.since)).url:
            changed = [row for row in self.rows_of_page(page) if self.is_changed(row, self.since)]
            changed.sort(key=self.changed_at)
            yield from map(self.predict_detail, filter(self.needs_detail, changed))

    def _list_since(self, since: str) -> Context:
        return {"params": {self.since_param: since} if self.since_param and since else {}}

    def changed_at(self, row: Record) -> str:
        """Return when a row changed last, or nothing where it does not say."""
        return normalize_timestamp(row.get(self.replication_key or "")) or ""

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
                replication_key_value=min(changed_at, format_timestamp(datetime.now(timezone.utc))),
            )
