"""Error responses of the API: what they mean for the run, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from requests import Response
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_constantcontact.api.responses import (
    outline_of,
    part_of,
    request_id,
    request_line,
    rows_of,
)
from tap_constantcontact.exceptions import Forbidden, NotFound, Refused
from tap_constantcontact.redaction import in_one_line

#: Error key of a 429 response once today's quota is exhausted.
QUOTA_EXCEEDED = "quota_exceeded"

# Error key of a path that the API doesn't have, and of some objects that are gone (observed).
_NO_ROUTE = "not_found"
_ERROR_PROPERTIES = ("error_key", "error_message", "error", "error_description")


def error_from(response: Response, permissions: str) -> Exception | None:
    """Return the error to raise for a response, or None if the response is good.

    401 and 429 are not decided here: they concern the login and the rate limit.

    Args:
        response: The response.
        permissions: Scopes and privileges that the request requires, in words for people.
    """
    status = response.status_code
    is_success = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    if is_success and status != HTTPStatus.ACCEPTED and not error_key(response):
        return None
    message = describe(response)
    if status == HTTPStatus.ACCEPTED:  # "processing": try again later (contract, getContacts)
        return RetriableAPIError(message, response)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return RetriableAPIError(message, response)
    if status == HTTPStatus.FORBIDDEN:
        message += (
            f". Requires {permissions}. Sign in with the required permissions, or deselect the "
            "stream"
        )
        return Forbidden(message, response)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(message, response, may_lack_route=error_key(response) == _NO_ROUTE)
    return Refused(message, response)


def describe(response: Response) -> str:
    """Return which request an error response answers, what it says, and its request ID."""
    status = response.status_code
    says = f"{request_line(response)}: {status} {vendor_message(response)}"
    return says + request_id(response)


def vendor_message(response: Response) -> str:
    """Return what an error response says, in one line and without email addresses.

    It is put into sentences, and so has no full stop.
    """
    texts = (_text_of(error).rstrip(" .") for error in _errors_of(response))
    return "; ".join(filter(None, texts)) or in_one_line(response.reason or "") or "no reason given"


def error_key(response: Response) -> str:
    """Return the key of the (first) error in a response, or an empty text."""
    error = next(_errors_of(response), {})
    return str(error.get("error_key") or error.get("error") or "")


def _errors_of(response: Response) -> Iterator[dict[str, Any]]:
    """Yield the errors in a response, or objects with no error properties.

    The API has three shapes of errors: an array of objects on most endpoints, one object on
    reports and the gateway, `error` and `error_description` on the token endpoint.
    """
    with suppress(RetriableAPIError, FatalAPIError):  # not JSON, or not objects
        if isinstance(outline_of(response), dict):
            yield {name: part_of(response, name) for name in _ERROR_PROPERTIES}
        else:
            yield from rows_of(response, None)


def _text_of(error: dict[str, Any]) -> str:
    key = error.get("error_key") or error.get("error") or ""
    text = error.get("error_message") or error.get("error_description") or ""
    return in_one_line(": ".join(str(part) for part in (key, text) if part))
