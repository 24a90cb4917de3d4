"""Answers with an error status."""

from __future__ import annotations

from typing import Any

BARE = (401, 429)
"""Of these statuses all endpoints speak in one voice: a bare object (documented, seen)."""

# Status, key and message of errors that are the same everywhere, or nearly.
UNAUTHORIZED = (401, "unauthorized", "Unauthorized")
THROTTLED = (429, "throttled", "Too Many Requests")
QUOTA_EXCEEDED = (429, "quota_exceeded", "Limit Exceeded")


class ApiError(Exception):
    """An error answer of the API.

    Most endpoints answer an array with one object; 401, 429 and reporting answer the bare object
    (documented, seen).
    """

    def __init__(self, status: int, key: str, message: str, *, bare: bool = False) -> None:
        """Make an error answer.

        Args:
            status: The HTTP status.
            key: The `error_key`.
            message: The `error_message`.
            bare: Answer a bare object instead of an array, whatever the status.
        """
        super().__init__(message)
        self.status = status
        error = {"error_key": key, "error_message": message}
        self.body: Any = error if bare or status in BARE else [error]


OAUTH = {400: "invalid_request", 401: "invalid_client", 500: "server_error"}
"""What OAuth 2 calls errors of these statuses."""


class TokenError(Exception):
    """An error answer of the token endpoint, in the form of OAuth 2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        """Make an error answer.

        Args:
            status: The HTTP status.
            error: The `error`.
            description: The `error_description`.
        """
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}
