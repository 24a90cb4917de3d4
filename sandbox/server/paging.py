"""How lists are divided into pages, and how a page links to the next one."""

from __future__ import annotations

import base64
import hashlib
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, parse_qsl, quote, urlencode

if TYPE_CHECKING:
    from sandbox.server.options import Options

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


START = Number("next", first=0, of_pages=False)
"""The place of the first row, from 0."""


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
class After:
    """What the last row of a page is sorted by: rows that enter or leave shift no page.

    Observed in a cursor of the V2 API: a time in ms, the id of a contact, and more.

    Attributes:
        order: Returns what a row is sorted by, as texts and numbers.
    """

    order: Callable[[Any], tuple[Any, ...]]
    key = "next"

    def read(self, text: str) -> list[Any]:
        """Parse what `slice` returned."""
        if not text:
            return []
        position = json.loads(base64.b64decode(text, validate=True))
        if not isinstance(position, list):
            raise ValueError(text)  # noqa: TRY004 - as for any other position
        return position

    def slice(
        self, rows: Sequence[Any], limit: int, position: list[Any]
    ) -> tuple[Sequence[Any], str]:
        """Return one page of sorted rows. Those that are sorted alike are numbered."""
        numbers = Counter[tuple[Any, ...]]()
        keys = []
        for row in rows:
            key = self.order(row)
            keys.append([*key, numbers[key]])
            numbers[key] += 1
        start = bisect_right(keys, position) if position else 0
        end = start + limit
        last = json.dumps(keys[end - 1]) if end < len(rows) else ""
        return rows[start:end], base64.b64encode(last.encode()).decode()


class Form(Protocol):
    """How a next link is written."""

    def write(self, parameter: str, first: Mapping[str, str], key: str, position: str) -> str:
        """Return the query of a next link.

        Args:
            parameter: The query parameter of the cursor.
            first: The parameters of the first request, `limit` included.
            key: The name of the position.
            position: The position of the next page.
        """

    def read(
        self, parameter: str, query: Mapping[str, str], key: str
    ) -> tuple[dict[str, str], str]:
        """Return the parameters of the first request, and the position of the page.

        Raises:
            ValueError: If the cursor is invalid.
        """


class Encoded:
    """A cursor in base64 that holds the parameters of the first request too (observed).

    That no parameter may accompany it is an assumption, and the strict one.
    """

    def write(self, parameter: str, first: Mapping[str, str], key: str, position: str) -> str:
        """Return the query of a next link."""
        return f"{parameter}={quote(self.encode(urlencode({**first, key: position})), safe='=')}"

    def read(
        self, parameter: str, query: Mapping[str, str], key: str
    ) -> tuple[dict[str, str], str]:
        """Return the parameters of the first request, and the position of the page."""
        if len(query) > 1:
            message = f"no parameter may accompany {parameter}"
            raise ValueError(message)
        first = dict(parse_qsl(self.decode(query[parameter]), strict_parsing=True))
        return first, first.pop(key, "")

    def encode(self, text: str) -> str:
        """Return the cursor of a text."""
        return base64.b64encode(text.encode()).decode()

    def decode(self, cursor: str) -> str:
        """Return the text of a cursor."""
        return base64.b64decode(cursor, validate=True).decode()


class Opaque(Encoded):
    """A cursor of encrypted bytes, in base64 for URLs without padding (documented by an example).

    What is encrypted is an assumption.
    """

    _SECRET = hashlib.sha512(b"sandbox").digest()
    _BLOCK = 16

    def encode(self, text: str) -> str:
        """Return the cursor of a text."""
        content = text.encode()
        content += b"\0" * (-len(content) % self._BLOCK)
        return base64.urlsafe_b64encode(self._masked(content)).decode().rstrip("=")

    def decode(self, cursor: str) -> str:
        """Return the text of a cursor."""
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return self._masked(content).rstrip(b"\0").decode()

    def _masked(self, content: bytes) -> bytes:
        return bytes(a ^ b for a, b in zip(content, cycle(self._SECRET), strict=False))


class Bare:
    """A position alone, padded with `*`; the parameters stand beside it (observed)."""

    def write(self, parameter: str, first: Mapping[str, str], key: str, position: str) -> str:
        """Return the query of a next link."""
        limit, rest = first["limit"], {k: v for k, v in first.items() if k != "limit"}
        cursor = base64.b64encode(position.encode()).decode().replace("=", "*")
        return urlencode({"limit": limit, parameter: cursor, **rest}, safe="*:")

    def read(
        self, parameter: str, query: Mapping[str, str], key: str
    ) -> tuple[dict[str, str], str]:
        """Return the parameters of the first request, and the position of the page."""
        first = dict(query)
        cursor = first.pop(parameter).replace("*", "=")
        return first, base64.b64decode(cursor, validate=True).decode()


ENCODED, OPAQUE, BARE = Encoded(), Opaque(), Bare()


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
        form: How next links are written.
        option: The option of the sandbox that chooses another cursor, if there is one.
        other_cursors: These cursors, by the value of the option.
    """

    records: str
    cursor: Cursor
    default: int = 50
    max_limit: int = 500
    parameter: str = "cursor"
    end: Record = field(default_factory=dict)
    form: Form = ENCODED
    option: str = ""
    other_cursors: Mapping[str, Cursor] = field(default_factory=dict)

    def chosen(self, options: Options) -> Paging:
        """Return how the endpoint pages with the cursor that an option chooses."""
        value = str(getattr(options, self.option, "")) if self.option else ""
        cursor = self.other_cursors.get(value)
        return replace(self, cursor=cursor) if cursor else self

    def requested_page(self, query: Mapping[str, str]) -> tuple[dict[str, str], Any]:
        """Return which page is requested.

        A next link holds all parameters of the first request.

        Returns:
            The parameters of the first request, and the position of the page.

        Raises:
            ValueError: If the cursor is invalid.
        """
        if self.parameter not in query:
            return dict(query), self.cursor.read("")
        first, position = self.form.read(self.parameter, query, self.cursor.key)
        return first, self.cursor.read(position)

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
            all_ = {**first, "limit": str(limit)}
            query = self.form.write(self.parameter, all_, self.cursor.key, following)
            return {**body, **listing.link(f"{path}?{query}", parse_qs(query)[self.parameter][0])}
        return {**body, **self.end}
