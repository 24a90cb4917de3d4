"""How a list is cut into pages, and what leads from one page to the next."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode

Record = dict[str, Any]

NO_NEXT: Record = {"_links": {"next": {"href": None}}}
"""How some lists end."""


def as_it_is(record: Record) -> Record:
    """Show a record whole."""
    return record


def nothing(_: Sequence[Record]) -> Record:
    """Add nothing to the envelope."""
    return {}


def next_link(href: str, cursor: str) -> Record:  # noqa: ARG001
    """Lead to the next page as nearly all endpoints do."""
    return {"_links": {"next": {"href": href}}}


@dataclass(frozen=True)
class Listing:
    """Everything that meets the filters of a request, in the API's order.

    Attributes:
        rows: The records.
        show: Makes of a record what the answer holds of it; called for one page only.
        beside: Makes the other properties of the envelope from the page's records as shown.
        lead: Makes the properties of the envelope that lead to the next page, from its link and
            from the cursor inside of the link.
    """

    rows: Sequence[Any]
    show: Callable[[Any], Record] = as_it_is
    beside: Callable[[Sequence[Record]], Record] = nothing
    lead: Callable[[str, str], Record] = next_link


class Cursor(Protocol):
    """Finds a page again from what a next link says."""

    @property
    def key(self) -> str:
        """The name of the position inside of the link."""

    def read(self, text: str) -> Any:
        """Read a position; "" stands for the first page.

        Raises:
            ValueError: If it is none.
        """

    def cut(self, rows: Sequence[Any], limit: int, position: Any) -> tuple[Sequence[Any], str]:
        """Cut a page out.

        Returns:
            The rows of the page, and the position of the next one or "".
        """


@dataclass(frozen=True)
class Number:
    """A number of pages or rows: rows shift when the list changes between two pages."""

    key: str
    first: int
    of_pages: bool

    def read(self, text: str) -> int:
        """Read a number that is not before the first page."""
        number = int(text or self.first)
        if number < self.first:
            raise ValueError(text)
        return number

    def cut(self, rows: Sequence[Any], limit: int, position: int) -> tuple[Sequence[Any], str]:
        """Cut a page out."""
        size = limit if self.of_pages else 1
        start = (position - self.first) * size
        more = start + limit < len(rows)
        return rows[start : start + limit], str(position + limit // size) if more else ""


PAGE_NUMBER = Number("next", first=1, of_pages=True)
"""Inferred from two real cursors: page sizes 1 and 5 both lead to `next=2`."""

OFFSET = Number("o", first=0, of_pages=False)
"""How many rows to leave out (seen: `o=1`)."""


@dataclass(frozen=True)
class Keyset:
    """The id of the next page's first row, in a list that is ordered by that id (seen for tags)."""

    id_: str
    key = "next"

    def read(self, text: str) -> str:
        """Take any text: rows before and after it may come and go."""
        return text

    def cut(self, rows: Sequence[Any], limit: int, position: str) -> tuple[Sequence[Any], str]:
        """Cut a page out."""
        left = [row for row in rows if str(row[self.id_]) >= position]
        return left[:limit], str(left[limit][self.id_]) if limit < len(left) else ""


@dataclass(frozen=True)
class Paging:
    """How an endpoint pages.

    Attributes:
        records: The name of the array in the envelope.
        cursor: What next links hold.
        default: Rows on a page if no `limit` is sent.
        most: The largest `limit`.
        parameter: The query parameter of next links.
        end: Properties of the last page's envelope, where others have what leads on.
    """

    records: str
    cursor: Cursor
    default: int = 50
    most: int = 500
    parameter: str = "cursor"
    end: Record = field(default_factory=dict)

    def asked(self, query: Mapping[str, str]) -> tuple[dict[str, str], Any]:
        """Find out which page a request asks for.

        A next link holds all parameters of the first request. That nothing may be added to it is
        a guess, and the strict one.

        Returns:
            The parameters of the first request, and the position of the page.

        Raises:
            ValueError: If the cursor is none of ours.
        """
        if self.parameter not in query:
            return dict(query), self.cursor.read("")
        if len(query) > 1:
            message = f"nothing goes with {self.parameter}"
            raise ValueError(message)
        decoded = base64.b64decode(query[self.parameter], validate=True).decode()
        first = dict(parse_qsl(decoded, strict_parsing=True))
        return first, self.cursor.read(first.pop(self.cursor.key, ""))

    def page(
        self, listing: Listing, first: Mapping[str, str], position: Any, limit: int, path: str
    ) -> Record:
        """Write the answer with one page of a list.

        Args:
            listing: The whole list.
            first: The parameters of the first request.
            position: The position of the page.
            limit: Rows on a page.
            path: The path of the request.
        """
        rows, following = self.cursor.cut(listing.rows, limit, position)
        shown = [listing.show(row) for row in rows]
        body = {self.records: shown, **listing.beside(shown)}
        if following:
            inside = urlencode({**first, "limit": limit, self.cursor.key: following})
            cursor = base64.b64encode(inside.encode()).decode()
            href = f"{path}?{self.parameter}={quote(cursor, safe='=')}"
            return {**body, **listing.lead(href, cursor)}
        return {**body, **self.end}
