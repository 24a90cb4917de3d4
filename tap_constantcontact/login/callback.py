"""The address on this machine to which the browser comes back with the answer."""

from __future__ import annotations

import hmac
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from queue import Empty, SimpleQueue
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, parse_qs, urlsplit

from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.exceptions import LoginError

if TYPE_CHECKING:
    from typing_extensions import Self

# "localhost" is 127.0.0.1 here: browsers try both addresses that the name may stand for.
_ADDRESSES = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}
_IDLE_SECONDS = 10
_POLL_SECONDS = 0.05

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto 0;
         padding: 0 1.5rem; color: #1c2733; background: #f6f8fa; }}
  h1 {{ font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem; }}
  p {{ margin: 0; }}
  small {{ display: block; margin-top: 2rem; color: #5b6875; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{text}</p>
<small>tap-constantcontact-login</small>
</body>
</html>
"""
_ALLOWED = (
    "Access is allowed",
    "Go back to the terminal, which gets the tokens now. You can close this window.",
)
_REFUSED = (
    "Access was not given",
    "Nothing was stored. The terminal says why. You can close this window.",
)
_FOREIGN = (
    "This is not the answer that is waited for",
    "It belongs to another sign-in. Open the address that the terminal shows, and sign in there.",
)
_USED = ("This sign-in is over", "Its answer came before. You can close this window.")
_NOTHING = ("There is nothing here", "Only the answer to a sign-in is waited for.")


class Callback(ThreadingTCPServer):
    """Waits on the loopback address for one answer, in a `with` statement.

    Only an answer that has the state of this sign-in counts; others change nothing. It listens
    until the statement ends. Browsers open connections that they do not use: each one has a thread.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, redirect_uri: str, state: str) -> None:
        """Listen.

        Args:
            redirect_uri: where the browser will come to; on this machine, without encryption.
            state: what only the answer to this sign-in can know.

        Raises:
            ConfigurationError: the address is not on this machine, or somebody else listens there.
        """
        uri = _local(redirect_uri)
        address = _ADDRESSES[str(uri.hostname)]
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._uri, self._state = uri, state
        self._answers: SimpleQueue[str] = SimpleQueue()
        self._is_answered = threading.Lock()
        try:
            super().__init__((address, uri.port or 80), _Handler)
        except OSError as error:
            message = (
                f"Nobody can listen at {redirect_uri} ({error.strerror or error}): end what uses "
                "the port, give another one with --redirect-uri that the application knows too, or "
                "use --paste"
            )
            raise ConfigurationError(message) from error

    def __enter__(self) -> Self:
        """Answer requests from here on."""
        serve = threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def wait(self, seconds: float) -> str:
        """Return the whole address that the browser has come to with the answer.

        Args:
            seconds: how long to wait for it.

        Raises:
            LoginError: it has not come.
        """
        try:
            return self._answers.get(timeout=seconds)
        except Empty as error:
            message = (
                f"Nobody has signed in within {seconds:.0f} s. Try it again, with a longer "
                "--timeout if need be; --paste and --device work from another machine"
            )
            raise LoginError(message) from error

    def answer(self, target: str) -> tuple[HTTPStatus, tuple[str, str], Callable[[], None]]:
        """Return how to answer a request.

        Args:
            target: its path and query.

        Returns:
            The status, the title and the text of a page, and what to do once it is sent.
        """
        asked = urlsplit(target)
        if (asked.path or "/") != (self._uri.path or "/"):
            return HTTPStatus.NOT_FOUND, _NOTHING, _nothing
        if not is_answer(asked.query, self._state):
            return HTTPStatus.BAD_REQUEST, _FOREIGN, _nothing
        if not self._is_answered.acquire(blocking=False):
            return HTTPStatus.GONE, _USED, _nothing
        whole = self._uri._replace(query=asked.query).geturl()
        page = _ALLOWED if "code" in parse_qs(asked.query) else _REFUSED
        return HTTPStatus.OK, page, lambda: self._answers.put(whole)


class _Handler(BaseHTTPRequestHandler):
    """Shows a page that says how it went."""

    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer the browser."""
        status, (title, text), then = cast("Callback", self.server).answer(self.path)
        page = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        # The address holds the code: it is told to nobody.
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(page)
        self.wfile.flush()
        then()

    def log_message(self, *_: object) -> None:
        """Say nothing: the addresses hold codes."""


def is_answer(query: str, state: str) -> bool:
    """Return whether the query of an address is the answer to a sign-in, be it yes or no.

    Args:
        query: the query.
        state: the state of the sign-in.
    """
    values = parse_qs(query)
    given = "".join(values.get("state", [])).encode()
    is_ours = hmac.compare_digest(given, state.encode())
    return is_ours and ("code" in values or "error" in values)


def _local(redirect_uri: str) -> SplitResult:
    """Return the parts of an address on this machine.

    Raises:
        ConfigurationError: it is not on this machine.
    """
    try:
        uri = urlsplit(redirect_uri)
        is_local = uri.scheme == "http" and uri.hostname in _ADDRESSES and uri.port != 0
    except ValueError:
        is_local = False
    if not is_local:
        message = (
            f"No browser can come back to {redirect_uri!r} by itself: that takes an address on "
            "this machine, such as http://localhost:8888. With --paste any address will do that "
            "the application knows"
        )
        raise ConfigurationError(message)
    return uri


def _nothing() -> None:
    """Do nothing."""
