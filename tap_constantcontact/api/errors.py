"""What an error response of the API means, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_constantcontact.api.responses import outline_of, part_of, request_line, rows_of
from tap_constantcontact.exceptions import Forbidden, NotFound, Refused
from tap_constantcontact.redaction import in_one_line

if TYPE_CHECKING:
    from requests import Response

#: Key of the answer (429) that says that no request is left for today.
QUOTA_EXCEEDED = "quota_exceeded"

_PROPERTIES_OF_AN_ERROR = ("error_key", "error_message", "error", "error_description")


def error_from(response: Response, needs: str) -> Exception | None:
    """Return what an answer means for the run: None, or an error to raise.

    401 and 429 are not decided here: they concern the login and the limits.

    Args:
        response: the API's answer.
        needs: the scope and privilege that the request needs, for people.
    """
    status = response.status_code
    is_good = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    if is_good and status != HTTPStatus.ACCEPTED and not error_key(response):
        return None
    message = f"{request_line(response)}: {status} {vendor_message(response)}"
    if status == HTTPStatus.ACCEPTED:  # "processing": ask again (contract, getContacts)
        return RetriableAPIError(message, response)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return RetriableAPIError(message, response)
    if status == HTTPStatus.FORBIDDEN:
        message += f". It needs {needs}: sign in so, or deselect what needs it"
        return Forbidden(message, response)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(message, response)
    return Refused(message, response)


def vendor_message(response: Response) -> str:
    """Return what the API says about an error, in one line and without e-mail addresses."""
    said = map(_said, _errors_of(response))
    return "; ".join(filter(None, said)) or response.reason or "no reason given"


def error_key(response: Response) -> str:
    """Return the key of an answer's (first) error, or an empty text."""
    error = next(_errors_of(response), {})
    return str(error.get("error_key") or error.get("error") or "")


def _errors_of(response: Response) -> Iterator[dict[str, Any]]:
    """Yield the errors of an answer, or objects that have none of their properties.

    The API has three shapes of errors: an array of objects on most endpoints, one object on
    reports and the gateway, `error` and `error_description` on the token endpoint.
    """
    with suppress(RetriableAPIError, FatalAPIError):  # it is no JSON, or there are no objects
        if isinstance(outline_of(response), dict):
            yield {name: part_of(response, name) for name in _PROPERTIES_OF_AN_ERROR}
        else:
            yield from rows_of(response, None)


def _said(error: dict[str, Any]) -> str:
    key = error.get("error_key") or error.get("error") or ""
    text = error.get("error_message") or error.get("error_description") or ""
    return in_one_line(": ".join(str(part) for part in (key, text) if part))
