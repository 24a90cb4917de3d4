"""The exceptions of the tap, and its exit statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests import compat
from singer_sdk.exceptions import FatalAPIError

if TYPE_CHECKING:
    from requests import Response

#: The SDK reads files with simplejson where it is installed; requests knows which one it is.
JSON_ERROR: type[ValueError] = compat.JSONDecodeError

EXIT_FAILED = 1
#: sysexits.h EX_TEMPFAIL: nothing is broken, a later run resumes.
EXIT_QUOTA = 75
#: Added to a signal's number, as shells do.
SIGNAL_STATUS = 128


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
