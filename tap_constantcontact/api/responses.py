"""The content of API responses, parsed only when it's needed.

Rows are parsed one by one: a page that is parsed in one go has left the processor's caches before
its last row is written. A body that isn't JSON is still noticed before the first row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import msgspec
import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

#: A body whose properties or rows are still JSON text, or parsed where that was needed to read it.
Outline: TypeAlias = "dict[str, Any] | list[Any]"

# Numbers keep their digits; a `float` would not.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_OUTLINE = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw] | None)
_NUL = b"\\u0000"
# PostgreSQL rejects NUL in text, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# A page of contacts has 600 KB. With the default of 10 KB, each piece would take Python's lock away
# from the main thread.
_CHUNK_BYTES = 1024 * 1024
_REQUEST_ID = "x-amzn-RequestId"  # of the API's gateway (observed)
_USUAL_REQUEST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


class ApiResponse(requests.Response):
    """A response that is read in large pieces and parsed once."""

    @override
    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Any:
        """Yield the body in pieces of 1 MB or more.

        Args:
            chunk_size: Size of a piece, if larger; None yields the data as it arrives.
            decode_unicode: Whether to decode the pieces.
        """
        size = None if chunk_size is None else max(chunk_size, _CHUNK_BYTES)
        return super().iter_content(size, decode_unicode)

    @cached_property
    def outline(self) -> Outline:
        """The body, parsed on first use.

        Raises:
            RetriableAPIError: The body isn't a JSON object or array.
        """
        return _parse_outline(self)


def outline_of(response: requests.Response) -> Outline:
    """Return the body with its properties or rows not parsed yet.

    Raises:
        RetriableAPIError: The body isn't a JSON object or array.
    """
    return response.outline if isinstance(response, ApiResponse) else _parse_outline(response)


def body_of(response: requests.Response) -> Any:
    """Return the parsed body: an object or an array, with the exact digits of its numbers.

    Texts have no characters that databases reject.

    Raises:
        RetriableAPIError: The body isn't a JSON object or array; another try may help.
    """
    outline = outline_of(response)
    if isinstance(outline, dict):
        return {name: _parsed(part) for name, part in outline.items()}
    return [_parsed(part) for part in outline]


def part_of(response: requests.Response, name: str) -> Any:
    """Return a property of a body, or None if the body has no such property.

    Raises:
        RetriableAPIError: The body isn't a JSON object or array.
    """
    outline = outline_of(response)
    return _parsed(outline.get(name)) if isinstance(outline, dict) else None


def count_of(response: requests.Response, name: str) -> int:
    """Return a count of a body, or 0 if the body has none.

    Raises:
        RetriableAPIError: The body isn't a JSON object or array.
    """
    count = str(part_of(response, name))
    return int(count) if count.isdecimal() else 0


def rows_of(response: requests.Response, name: str | None) -> Iterator[Record]:
    """Yield the rows of a body.

    Args:
        response: The response.
        name: Property that holds the rows; None if the body is the row or the array of rows.

    Raises:
        FatalAPIError: The body has something other than rows there.
        RetriableAPIError: The body isn't a JSON object or array.
    """
    rows: Any = outline_of(response)
    if isinstance(rows, dict):
        rows = _listed(rows.get(name)) if name else [body_of(response)] if rows else []
    for row in rows if isinstance(rows, list) else [rows]:
        parsed = _parsed(row)
        if not isinstance(parsed, dict):
            message = (
                f"{request_line(response)}: the response has no records where they are expected"
                f"{request_id(response)}. The API may have changed: try a newer version of the "
                "tap, or report this"
            )
            raise FatalAPIError(message)
        yield parsed


def without_unstorable(value: Any) -> Any:
    """Return a value of any shape, without the characters that databases reject."""
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("", name): without_unstorable(value[name]) for name in value}
    if isinstance(value, list):
        return [without_unstorable(item) for item in value]
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else value


def request_line(response: requests.Response) -> str:
    """Return the method and the path of the request, without its query."""
    return f"{response.request.method} {urlsplit(response.url).path}"


def request_id(response: requests.Response) -> str:
    """Return the id by which the vendor's support finds a request; "" if there is none."""
    id_ = response.headers.get(_REQUEST_ID, "")
    return f"; request ID {id_}" if _USUAL_REQUEST_ID.fullmatch(id_) else ""


def retry_after(response: requests.Response) -> float:
    """Return the seconds that a response asks to wait; 0 if it doesn't say."""
    with suppress(ValueError):
        return max(0.0, float(response.headers.get("Retry-After", 0)))
    return 0.0


def _parse_outline(response: requests.Response) -> Outline:
    if response.status_code == HTTPStatus.NO_CONTENT:
        return []  # no logo, for instance (contract): an empty body that no retry would fill
    outline = _decode_outline(response)
    if not isinstance(outline, (dict, list)):
        content_type = response.headers.get("Content-Type", "no content type")
        message = (
            f"{request_line(response)}: the response is not a JSON object or array ({content_type})"
            f"{request_id(response)}"
        )
        raise RetriableAPIError(message, response)
    return outline


def _decode_outline(response: requests.Response) -> Any:
    """Return the outline of the body, or None if it isn't JSON, or not even text.

    The standard library's parser gets a second chance at what the fast one rejects (half a
    character, NaN, other encodings).
    """
    with suppress(ValueError, msgspec.DecodeError):
        return _OUTLINE.decode(response.content)
    with suppress(ValueError):
        return without_unstorable(response.json(parse_float=Decimal))
    return None


def _listed(part: Any) -> Any:
    """Return the rows of an array, not parsed yet; none if it is null."""
    if not isinstance(part, msgspec.Raw):
        return part or []
    with suppress(msgspec.ValidationError):
        return _ROWS.decode(part) or []
    return part


def _parsed(part: Any) -> Any:
    if not isinstance(part, msgspec.Raw):
        return part
    text = bytes(part)
    try:
        value = _DECODER.decode(text)
    except UnicodeDecodeError:  # an outline is not checked for valid text
        value = json.loads(text.decode(errors="replace"), parse_float=Decimal)
    has_nul = b"\\" in text and _NUL in text  # the shorter search is much faster
    return without_unstorable(value) if has_nul else value
