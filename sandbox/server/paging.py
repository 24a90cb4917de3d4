"""How lists are divided into pages, and how a page links to the next one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode

Record = dict[str, Any]

NO_NEXT: Record = {"_links": {"next": {"href": None}}}
"""The last page of some lists."""


def unchanged(record: Record) -> Record:
    """Return a record as it is."""
    return record


def no_properties(_: Sequence[Record]) -> Record:
    """Add no properties to the envelope."""
    return {}


def next_link(href: str, cursor: str) -> Record:  # noqa: ARG001
    """Link to the next page as nearly all endpoints do."""
    return {"_links": {"next": {"href": href}}}


@dataclass(frozen=True)
class Listing:
    """All rows that meet the filters of a request, in the API's order.

    Attributes:
        rows: The records.
        show: Converts a row to the record in the response; called for one page only.
        envelope: Returns the other properties of the envelope, from the records on the page.
        link: Returns the properties of the envelope that link to the next page, from the link and
            from the cursor inside it.
    """

    rows: Sequence[Any]
    show: Callable[[Any], Record] = unchanged
    envelope: Callable[[Sequence[Record]], Record] = no_properties
    link: Callable[[str, str], Record] = next_link


class Cursor(Protocol):
    """Finds a page from the position in a next link."""

    @property
    def key(self) -> str:
        """The name of the position inside the link."""

    def read(self, text: str) -> Any:
        """Parse a position; "" is the first page.

        Raises:
            ValueError: If it is not a position.
        """

    def slice(self, rows: Sequence[Any], limit: int, position: Any) -> tuple[Sequence[Any], str]:
        """Return one page.

        Returns:
            The rows of the page, and the position of the next page or "".
        """


@dataclass(frozen=True)
class Number:
    """A page number or row offset: rows shift if the list changes between two pages."""

    key: str
    first: int
    of_pages: bool

    def read(self, text: str) -> int:
        """Parse a number that is not before the first page."""
        number = int(text or self.first)
        if number < self.first:
            raise ValueError(text)
        return number

    def slice(self, rows: Sequence[Any], limit: int, position: int) -> tuple[Sequence[Any], str]:
        """Return one page."""
        size = limit if self.of_pages else 1
        start = (position - self.first) * size
        more = start + limit < len(rows)
        return rows[start : start + limit], str(position + limit // size) if more else ""


PAGE_NUMBER = Number("next", first=1, of_pages=True)
"""Inferred from two real cursors: page sizes 1 and 5 both lead to `next=2`."""

OFFSET = Number("o", first=0, of_pages=False)
"""How many rows to skip (observed: `o=1`)."""


@dataclass(frozen=True)
class Keyset:
    """The id of the next page's first row, in a list sorted by id (observed for tags)."""

    id_: str
    key = "next"

    def read(self, text: str) -> str:
        """Accept any text: rows before and after it may come and go."""
        return text

    def slice(self, rows: Sequence[Any], limit: int, position: str) -> tuple[Sequence[Any], str]:
        """Return one page."""
        rest = [row for row in rows if str(row[self.id_]) >= position]
        return rest[:limit], str(rest[limit][self.id_]) if limit < len(rest) else ""


@dataclass(frozen=True)
class Paging:
    """How an endpoint pages.

    Attributes:
        records: The name of the array in the envelope.
        cursor: What next links hold.
        default: Rows on a page if the request has no `limit`.
        max_limit: The largest `limit`.
        parameter: The query parameter of next links.
        end: The properties of the last page's envelope, in place of the link.
    """

    records: str
    cursor: Cursor
    default: int = 50
    max_limit: int = 500
    parameter: str = "cursor"
    end: Record = field(default_factory=dict)

    def requested_page(self, query: Mapping[str, str]) -> tuple[dict[str, str], Any]:
        """Return which page is requested.

        A next link holds all parameters of the first request. That no parameter may be added is
        an assumption, and the strict one.

        Returns:
            The parameters of the first request, and the position of the page.

        Raises:
            ValueError: If the cursor is invalid.
        """
        if self.parameter not in query:
            return dict(query), self.cursor.read("")
        if len(query) > 1:
            message = f"no parameter may accompany {self.parameter}"
            raise ValueError(message)
        decoded = base64.b64decode(query[self.parameter], validate=True).decode()
        first = dict(parse_qsl(decoded, strict_parsing=True))
        return first, self.cursor.read(first.pop(self.cursor.key, ""))

    def page(
        self, listing: Listing, first: Mapping[str, str], position: Any, limit: int, path: str
    ) -> Record:
        """Return the body of a response with one page of a list.

        Args:
            listing: The whole list.
            first: The parameters of the first request.
            position: The position of the page.
            limit: Rows on a page.
            path: The path of the request.
        """
        rows, following = self.cursor.slice(listing.rows, limit, position)
        shown = [listing.show(row) for row in rows]
        body = {self.records: shown, **listing.envelope(shown)}
        if following:
            inside = urlencode({**first, "limit": limit, self.cursor.key: following})
            cursor = base64.b64encode(inside.encode()).decode()
            href = f"{path}?{self.parameter}={quote(cursor, safe='=')}"
            return {**body, **listing.link(href, cursor)}
        return {**body, **self.end}
