"""How a run can end early, and what the API says when it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from requests import compat
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_constantcontact.answers import outline_of, part_of, request_line, rows_of

if TYPE_CHECKING:
    from requests import Response

#: The SDK reads files with simplejson where it is installed; requests knows which it is.
JSON_ERROR: type[ValueError] = compat.JSONDecodeError

#: Key of the answer (429) that says that no request is left for today.
QUOTA_EXCEEDED = "quota_exceeded"

EXIT_FAILED = 1
#: sysexits.h EX_TEMPFAIL: nothing is broken, a later run goes on.
EXIT_QUOTA = 75

_PROPERTIES_OF_AN_ERROR = ("error_key", "error_message", "error", "error_description")
_EMAIL_ADDRESS = re.compile(r"[^\s\"'<>(),;:=/?&]+@[^\s\"'<>(),;:=/?&]+")


class RunEnded(SystemExit):
    """The run is over before its streams are, in good order: state is written, then it exits.

    Not an `Exception`, so that the SDK does not report it as an unhandled error.
    """

    def __init__(self, status: int = 0, reason: str = "") -> None:
        """End with an exit status.

        Args:
            status: the exit status.
            reason: which budget is used up, for people; of other ends there is nothing to say.
        """
        super().__init__(status)
        self.status = status
        self.reason = reason


class LoginError(FatalAPIError):
    """No access token is to be had; the message says what to do."""


class Refused(FatalAPIError):
    """The API refused a request for good."""

    def __init__(self, message: str, response: Response) -> None:
        """Keep the status beside the message.

        Args:
            message: what was asked, and what the API said.
            response: the API's answer.
        """
        super().__init__(message)
        self.status = response.status_code


class Forbidden(Refused):
    """403: the token lacks a scope, or the user a privilege."""


class NotFound(Refused):
    """404: what was asked for is not there (any more)."""


def failure_of(response: Response, needs: str) -> Exception | None:
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


def without_addresses(text: str) -> str:
    """Return a text in which every e-mail address is masked."""
    return _EMAIL_ADDRESS.sub("<e-mail address>", text)


def in_one_line(text: str) -> str:
    """Return what others say as a log or a terminal may show it.

    In one line, without characters that steer a terminal, and without e-mail addresses.
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    return without_addresses(" ".join(printable.split()))


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
