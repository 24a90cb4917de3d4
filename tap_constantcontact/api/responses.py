"""What an answer of the API holds, parsed no further than it is asked for.

Rows are parsed one by one: a page that is parsed at once is out of the processor's caches before
its last row is written. What is not JSON is noticed before the first row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

if TYPE_CHECKING:
    from requests import Response
    from singer_sdk.helpers.types import Record

#: Numbers keep their digits; a `float` would not.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_OUTLINE = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw] | None)
_NUL = b"\\u0000"
# PostgreSQL refuses NUL in text, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def body_of(response: Response) -> Any:
    """Return the parsed body: an object or an array, with the exact digits of its numbers.

    No text of it has characters that databases refuse.

    Raises:
        RetriableAPIError: it is none of the API's; a cut or foreign one is worth another try.
    """
    outline = outline_of(response)
    if isinstance(outline, dict):
        return {name: _parsed(part) for name, part in outline.items()}
    return [_parsed(part) for part in outline]


def part_of(response: Response, name: str) -> Any:
    """Return a property of a body that is an object; None where it is not there.

    Raises:
        RetriableAPIError: as of `body_of`.
    """
    outline = outline_of(response)
    return _parsed(outline.get(name)) if isinstance(outline, dict) else None


def rows_of(response: Response, name: str | None) -> Iterator[Record]:
    """Yield the rows of a body.

    Args:
        response: the API's answer.
        name: the property that holds them; None where the body is the row or the array of rows.

    Raises:
        FatalAPIError: what is there are no rows.
        RetriableAPIError: as of `body_of`.
    """
    rows: Any = outline_of(response)
    if isinstance(rows, dict):
        rows = _listed(rows.get(name)) if name else [body_of(response)]
    for row in rows if isinstance(rows, list) else [rows]:
        parsed = _parsed(row)
        if not isinstance(parsed, dict):
            message = (
                f"{request_line(response)}: the answer holds no records where they should be. The "
                "API may have changed: try a newer version of the tap, or report this"
            )
            raise FatalAPIError(message)
        yield parsed


def outline_of(response: Response) -> dict[str, Any] | list[Any]:
    """Return the body with its parts as they came, or parsed where that was needed to read it.

    Raises:
        RetriableAPIError: as of `body_of`.
    """
    if "outline" not in response.__dict__:
        outline = _outlined(response)
        if not isinstance(outline, (dict, list)):
            kind = response.headers.get("Content-Type", "no content type")
            message = f"{request_line(response)}: the answer is no JSON object or array ({kind})"
            raise RetriableAPIError(message, response)
        response.__dict__["outline"] = outline
    found: dict[str, Any] | list[Any] = response.__dict__["outline"]
    return found


def without_unstorable(value: Any) -> Any:
    """Return a value of any shape whose texts have no characters that databases refuse."""
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("", name): without_unstorable(value[name]) for name in value}
    if isinstance(value, list):
        return [without_unstorable(item) for item in value]
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else value


def request_line(response: Response) -> str:
    """Return the method and the path of the request behind an answer, without its query."""
    return f"{response.request.method} {urlsplit(response.url).path}"


def _outlined(response: Response) -> Any:
    """Return the outline of the body, or None where it is not JSON, or not even text.

    What the fast parser refuses (half a character, NaN, other encodings) has a second chance.
    """
    with suppress(ValueError, msgspec.DecodeError):
        return _OUTLINE.decode(response.content)
    with suppress(ValueError):
        return without_unstorable(response.json(parse_float=Decimal))
    return None


def _listed(part: Any) -> Any:
    """Return the rows in a part, not parsed yet, if it is an array; none where it is null."""
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
    except UnicodeDecodeError:  # an outline does not look into texts
        value = json.loads(text.decode(errors="replace"), parse_float=Decimal)
    has_nul = b"\\" in text and _NUL in text  # the shorter search is much faster
    return without_unstorable(value) if has_nul else value
