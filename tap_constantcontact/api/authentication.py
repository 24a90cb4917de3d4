"""What the API modules need to know about a login."""

from __future__ import annotations

import threading
from typing import Protocol

from requests import PreparedRequest


class Login(Protocol):
    """Signs requests, and learns whether the API accepted the access token."""

    #: Held during a token request: a process that is about to exit waits for it.
    requesting: threading.Lock

    def __call__(self, request: PreparedRequest, /) -> PreparedRequest:
        """Return the request, signed with an access token."""

    def accept(self) -> None:
        """Note that the API accepted the access token."""

    def reject(self, access_token: str) -> None:
        """Note that the API rejected an access token.

        Raises:
            LoginError: Another token wouldn't help, or can't be obtained.
        """


def access_token_of(request: PreparedRequest) -> str:
    """Return the access token that a request was signed with."""
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
