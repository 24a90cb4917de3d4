"""The exceptions of the tap, and its exit statuses."""

from __future__ import annotations

from requests import Response, compat
from singer_sdk.exceptions import FatalAPIError

#: The SDK reads files with simplejson if it is installed; requests knows which one is used.
JSON_ERROR: type[ValueError] = compat.JSONDecodeError

EXIT_FAILED = 1
#: sysexits.h EX_TEMPFAIL: nothing is broken, and a later run resumes.
EXIT_QUOTA = 75
#: Added to the number of a signal, as shells do.
SIGNAL_STATUS = 128


class RunEnded(SystemExit):
    """Ends the run early but cleanly: the state is saved, then the process exits.

    Not an `Exception`, so that the SDK doesn't report it as an unhandled error.
    """

    def __init__(self, status: int = 0, reason: str = "") -> None:
        """End the run.

        Args:
            status: The exit status.
            reason: Which budget is exhausted, in words for people; empty for a signal or a closed
                pipe.
        """
        super().__init__(status)
        self.status = status
        self.reason = reason


class LoginError(FatalAPIError):
    """Raised when no access token can be obtained; the message says what to do."""


class Refused(FatalAPIError):
    """Raised when the API rejects a request, and would reject it again."""

    def __init__(self, message: str, response: Response) -> None:
        """Keep the status of the response.

        Args:
            message: What was requested, and what the API said.
            response: The response.
        """
        super().__init__(message)
        self.status = response.status_code


class Forbidden(Refused):
    """Raised for a 403: the token lacks a scope, or the user a privilege."""


class NotFound(Refused):
    """Raised for a 404: there is nothing at the path, or nothing any more."""

    def __init__(self, message: str, response: Response, *, may_lack_route: bool = False) -> None:
        """Keep what the response says about the path.

        Args:
            message: What was requested, and what the API said.
            response: The response.
            may_lack_route: Whether the response is the one to paths that the API doesn't have.
        """
        super().__init__(message, response)
        self.may_lack_route = may_lack_route
