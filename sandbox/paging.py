"""How a list is cut into pages, and what leads from one page to the next."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode

Record = dict[str, Any]


def as_it_is(record: Record) -> Record:
    """Show a record whole."""
    return record


def nothing(_: Sequence[Record]) -> Record:
    """Add nothing to the envelope."""
    return {}


def next_link(href: str) -> Record:
    """Write a link as nearly all endpoints do."""
    return {"next": {"href": href}}


@dataclass(frozen=True)
class Listing:
    """Everything that meets the filters of a request, in the API's order.

    Attributes:
        rows: The records.
        show: Makes of a record what the answer holds of it; called for one page only.
        beside: Makes the other properties of the envelope from the page's records as shown.
        link: Writes the link to the next page.
    """

    rows: Sequence[Record]
    show: Callable[[Record], Record] = as_it_is
    beside: Callable[[Sequence[Record]], Record] = nothing
    link: Callable[[str], Record] = next_link


class Cursor(Protocol):
    """Finds a page again from what a next link says."""

    key: str
    """The name of the position inside of the link."""

    def cut(
        self, rows: Sequence[Record], limit: int, position: str
    ) -> tuple[Sequence[Record], str]:
        """Cut a page out.

        Returns:
            The rows of the page, and the position of the next one or "".
        """


class PageNumber:
    """A page number: rows shift when the list changes between two pages.

    Inferred from two real cursors: page sizes 1 and 5 both lead to `next=2`.
    """

    key = "next"

    def cut(
        self, rows: Sequence[Record], limit: int, position: str
    ) -> tuple[Sequence[Record], str]:
        """Cut a page out."""
        number = int(position or 1)
        more = number * limit < len(rows)
        return rows[(number - 1) * limit : number * limit], str(number + 1) if more else ""


class Offset:
    """A number of rows to leave out: rows shift when the list changes (seen: `o=1`)."""

    key = "o"

    def cut(
        self, rows: Sequence[Record], limit: int, position: str
    ) -> tuple[Sequence[Record], str]:
        """Cut a page out."""
        end = int(position or 0) + limit
        return rows[int(position or 0) : end], str(end) if end < len(rows) else ""


@dataclass(frozen=True)
class Keyset:
    """The id of the next page's first row, in a list that is ordered by that id (seen for tags)."""

    id_: str
    key = "next"

    def cut(
        self, rows: Sequence[Record], limit: int, position: str
    ) -> tuple[Sequence[Record], str]:
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
        end: `_links` of the last page; None leaves it out.
    """

    records: str
    cursor: Cursor
    default: int = 50
    most: int = 500
    parameter: str = "cursor"
    end: Record | None = None

    def asked(self, query: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """Find out which page a request asks for.

        A next link holds all parameters of the first request. That nothing may be added to it is
        a guess, and the strict one.

        Returns:
            The parameters of the first request, and the position of the page or "".

        Raises:
            ValueError: If the cursor is none of ours.
        """
        if self.parameter not in query:
            return dict(query), ""
        if len(query) > 1:
            message = f"nothing goes with {self.parameter}"
            raise ValueError(message)
        decoded = base64.b64decode(query[self.parameter], validate=True).decode()
        first = dict(parse_qsl(decoded, strict_parsing=True))
        return first, first.pop(self.cursor.key, "")

    def page(
        self, listing: Listing, first: Mapping[str, str], position: str, limit: int, path: str
    ) -> Record:
        """Write the answer with one page of a list.

        Args:
            listing: The whole list.
            first: The parameters of the first request.
            position: The position of the page, or "".
            limit: Rows on a page.
            path: The path of the request.
        """
        rows, following = self.cursor.cut(listing.rows, limit, position)
        shown = [listing.show(row) for row in rows]
        body = {self.records: shown, **listing.beside(shown)}
        if following:
            inside = urlencode({**first, "limit": limit, self.cursor.key: following})
            cursor = quote(base64.b64encode(inside.encode()).decode(), safe="=")
            body["_links"] = listing.link(f"{path}?{self.parameter}={cursor}")
        elif self.end is not None:
            body["_links"] = self.end
        return body
