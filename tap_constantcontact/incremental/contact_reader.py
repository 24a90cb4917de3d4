"""How contacts are read: in passes through a filter, and all of them in slices.

The streams of contacts and of reports on single contacts share one reader.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property, partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import part_of
from tap_constantcontact.incremental.contact_slices import OLDEST, CreatedAtSlicer, Span
from tap_constantcontact.timestamps import format_timestamp, normalize_timestamp

if TYPE_CHECKING:
    from requests import Response
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.api.run_context import RunContext

_MAX_PASSES = 3


class PagePredictor(Protocol):
    """Predicts requests for pages."""

    def pages(self, context: Context | None) -> PredictedRequest:
        """Predict the first page of a context; the others follow."""

    def following(self, page: Response) -> Iterator[PredictedRequest]:
        """Predict what follows a page."""

    def pages_after(self, page: Response) -> int:
        """Return how many pages follow a first one."""


class ContactSource(Protocol):
    """The stream of contacts, which makes the requests.

    It passes each page to `ContactReader.record_page`.
    """

    @property
    def logger(self) -> logging.Logger:
        """The logger of the stream."""

    def request_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the contacts of all pages, as they come; `params` of the context are sent."""

    @property
    def predict(self) -> PagePredictor:
        """Predicts the requests of the stream."""


class ContactPass:
    """A pass through the pages of contacts that a filter lets in.

    Attributes:
        announced: How many contacts the first page has announced.
        found: The ids of the contacts that came.
        is_complete: Whether all contacts came.
    """

    def __init__(self, reader: ContactReader, params: Mapping[str, Any]) -> None:
        """Prepare a pass.

        Args:
            reader: Requests the pages.
            params: The filter, as query parameters.
        """
        self.announced = 0
        self.found: set[str] = set()
        self.is_complete = False
        self._reader = reader
        self._params = params
        self._contacts: Iterator[Record] = iter(())

    def fetch_first_page(self) -> None:
        """Request the first page; the others are requested as the contacts are read."""
        self.announced, self._contacts = self._reader.fetch_pages(self._params)

    def read(self, *seen: set[str]) -> Iterator[Record]:
        """Yield the contacts, each once, without those that were seen before.

        The cursor is a page number: contacts that move between pages meanwhile come twice or not
        at all. If fewer come than the first page announces, the pass is repeated.

        Assumes: contact_pages_are_numbered, contacts_come_newest_first,
        contacts_count_follows_the_filter.
        """
        known = set[str]().union(*seen)
        for number in range(_MAX_PASSES):
            if number:
                self.fetch_first_page()
            before = len(self.found)
            for contact in self._contacts:
                contact_id = str(contact.get("contact_id"))
                is_new = contact_id not in self.found and contact_id not in known
                self.found.add(contact_id)
                if is_new:
                    yield contact
            # If a repeated pass brings no new contact, the API counts something else.
            if len(self.found) >= self.announced or len(self.found) == before > 0:
                self.is_complete = True
                return
        self._reader.warn_incomplete(len(self.found), self.announced)


class ContactSlice(NamedTuple):
    """The contacts created within a span of time.

    Attributes:
        contacts: The pass through them.
        created_from: The moment from which on all contacts are in this slice and those before it;
            None: all.
        left: How many contacts there are in it and the slices to come.
    """

    contacts: ContactPass
    created_from: datetime | None
    left: int

    def read_own(self) -> Iterator[Record]:
        """Yield its contacts, without those of the second before, which are the next slice's."""
        start = format_timestamp(self.created_from) if self.created_from else ""
        return (contact for contact in self.contacts.read() if created_at(contact) >= start)


class ContactReader:
    """Reads contacts for all streams that need them."""

    def __init__(self, stream: ContactSource, api: RunContext) -> None:
        """Make a reader; it requests nothing yet.

        Args:
            stream: Makes the requests.
            api: Tells the time.
        """
        self._stream = stream
        self._api = api
        self._started_at: datetime | None = None
        self._announced: int | None = None

    @property
    def started_at(self) -> datetime:
        """When the first page of contacts was requested in this run, by the API's clock."""
        return self._started_at or self._api.now()

    @cached_property
    def _newest(self) -> datetime:
        """Roughly when the newest contacts were created; the same for the whole run."""
        return self._api.now()

    def record_page(self, page: Response) -> None:
        """Note when the first page came, and how many contacts the first one of a pass announces.

        Args:
            page: A page of contacts.
        """
        if self._started_at is None:
            self._started_at = self._api.now()
        if self._announced is None:
            self._announced = announced_count(page)

    def fetch_pages(self, params: Mapping[str, Any]) -> tuple[int, Iterator[Record]]:
        """Request a first page; return the number of contacts it announces, and the contacts.

        Args:
            params: The filter, as query parameters.
        """
        self._announced = None
        contacts = iter(self._stream.request_records({"params": params}))
        first = list(islice(contacts, 1))
        return self._announced or 0, chain(first, contacts)

    def count(self, before: datetime | None) -> int:
        """Request how many contacts there are; 0 if the API does not say.

        Args:
            before: Only those that were created before this moment; None for all.
        """
        announced, _ = self.fetch_pages({**Span(None, before).filter, "limit": 1})
        return announced

    def fetch_pass(self, params: Mapping[str, Any]) -> ContactPass:
        """Return a pass whose first page has come.

        Args:
            params: The filter, as query parameters.
        """
        contacts = ContactPass(self, params)
        contacts.fetch_first_page()
        return contacts

    def warn_incomplete(self, found: int, announced: int) -> None:
        """Warn that fewer contacts came than the API has announced.

        Args:
            found: How many came.
            announced: How many were announced.
        """
        self._stream.logger.warning(
            "Got %s of %s contacts in %d passes; the rest will be picked up by a later run "
            "(no action needed)",
            f"{found:,}",
            f"{announced:,}",
            _MAX_PASSES,
        )

    def read_slices(
        self, before: datetime | None, size: int, params: Mapping[str, Any]
    ) -> Iterator[ContactSlice]:
        """Yield all contacts in slices by the time of their creation, the newest first.

        Args:
            before: Where to start; None for the newest contact.
            size: How many contacts a slice has, as of `CreatedAtSlicer`.
            params: Further query parameters.
        """
        slicer = CreatedAtSlicer(size, self._newest, before)
        everyone = self.fetch_pass({**params, **Span(None, before).filter})
        left = everyone.announced
        slicer.record_count(everyone.announced)
        last: set[str] | None = None
        while span := slicer.current:
            contacts = self.fetch_pass({**params, **span.filter})
            if slicer.is_slice(contacts.announced):
                yield ContactSlice(contacts, span.after, left)
                left -= len(contacts.found - (last or set()))
                last = contacts.found
            slicer.record_count(contacts.announced)
        if last is None:
            yield ContactSlice(everyone, None, left)
        elif left > 0:  # some have no time of creation, or the filters fail
            yield ContactSlice(self.fetch_pass(params), None, left)

    def predict_slices(self, before: datetime | None, size: int) -> PredictedRequest:
        """Return the request that `read_slices` starts with; the others follow from its response.

        Args:
            before: As of `read_slices`.
            size: As of `read_slices`.
        """
        slicer = CreatedAtSlicer(size, self._newest, before)
        return self._predict_span(Span(None, before), slicer)

    def _predict_span(self, span: Span, slicer: CreatedAtSlicer) -> PredictedRequest:
        """Return the request for the first page of a slicer's current span."""
        first_page = self._stream.predict.pages({"params": span.filter})
        return first_page._replace(then=partial(self._predict_following, slicer))

    def _predict_following(
        self, slicer: CreatedAtSlicer, page: Response
    ) -> Iterator[PredictedRequest]:
        """Yield the other pages of a slice and, before the last ones, the next span."""
        count = announced_count(page) or 0
        pages = self._stream.predict.following(page) if slicer.is_slice(count) else iter(())
        yield from islice(pages, 1)
        slicer.record_count(count)
        if slicer.current:
            later = self._stream.predict.pages_after(page)
            yield self._predict_span(slicer.current, slicer)._replace(later=later)
        yield from pages


def announced_count(page: Response) -> int | None:
    """Return how many contacts a page announces, or None if it does not say."""
    count = str(part_of(page, "contacts_count"))
    return int(count) if count.isdecimal() else None


def created_at(contact: Record) -> str:
    """Return when a contact was created; one without a time comes last."""
    return normalize_timestamp(contact.get("created_at")) or format_timestamp(OLDEST)
