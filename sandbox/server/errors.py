"""Error responses."""

from __future__ import annotations

from typing import Any

BARE = (401, 429)
"""All endpoints write errors of these statuses as a bare object (documented, observed)."""

# Status, key and message of errors that are the same for all endpoints, or nearly.
UNAUTHORIZED = (401, "unauthorized", "Unauthorized")
THROTTLED = (429, "throttled", "Too Many Requests")
QUOTA_EXCEEDED = (429, "quota_exceeded", "Limit Exceeded")
NO_ROUTE = (404, "not_found", "The requested resource was not found.")
"""Of a path or a method that is not routed, with or without a token (observed)."""


class ApiError(Exception):
    """An error response of the API.

    Most endpoints return an array with one object; 401, 429 and reporting return the bare object
    (documented, observed).
    """

    def __init__(self, status: int, key: str, message: str, *, bare: bool = False) -> None:
        """Build an error response.

        Args:
            status: The HTTP status.
            key: The `error_key`.
            message: The `error_message`.
            bare: Return a bare object instead of an array, whatever the status.
        """
        super().__init__(message)
        self.status = status
        error = {"error_key": key, "error_message": message}
        self.body: Any = error if bare or status in BARE else [error]


OAUTH = {400: "invalid_request", 401: "invalid_client", 500: "server_error"}
"""The names of these statuses in OAuth 2."""


class TokenError(Exception):
    """An error response of the token endpoint, in the form of OAuth 2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        """Build an error response.

        Args:
            status: The HTTP status.
            error: The `error`.
            description: The `error_description`.
        """
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}
