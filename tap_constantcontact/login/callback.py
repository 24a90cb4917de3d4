"""A local server that the browser is redirected to with the response of a sign-in."""

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
from typing_extensions import override

from tap_constantcontact.exceptions import LoginError

if TYPE_CHECKING:
    from typing_extensions import Self

# "localhost" is 127.0.0.1 here: browsers try both addresses that the name may resolve to.
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
_GRANTED_PAGE = (
    "Access granted",
    "Return to the terminal, which is now getting the tokens. You can close this window.",
)
_DENIED_PAGE = (
    "Access denied",
    "No tokens were stored; the terminal says why. You can close this window.",
)
_UNEXPECTED_PAGE = (
    "Unexpected response",
    "It belongs to another sign-in. Open the address shown in the terminal and sign in there.",
)
_REPEATED_PAGE = ("Sign-in already completed", "You can close this window.")
_UNKNOWN_PAGE = ("Page not found", "This server only waits for the response of a sign-in.")


class CallbackServer(ThreadingTCPServer):
    """Waits on the loopback address for one response, in a `with` statement.

    Only a response with the state of this sign-in counts; others are ignored. The server listens
    until the statement ends. Each connection has a thread, because browsers open connections that
    they don't use.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, redirect_uri: str, state: str) -> None:
        """Listen on the address of the redirect URI.

        Args:
            redirect_uri: Where the browser is redirected to; on this machine, without encryption.
            state: A secret that only the response to this sign-in contains.

        Raises:
            ConfigurationError: The address is not on this machine, or is already in use.
        """
        uri = _parse_local_uri(redirect_uri)
        address = _ADDRESSES[str(uri.hostname)]
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._uri, self._state = uri, state
        self._responses: SimpleQueue[str] = SimpleQueue()
        self._has_response = threading.Lock()
        try:
            super().__init__((address, uri.port or 80), _Handler)
        except OSError as error:
            message = (
                f"Can't listen on {redirect_uri} ({error.strerror or error}). Free the port, pass "
                "another redirect URI of the application with --redirect-uri, or use --paste"
            )
            raise ConfigurationError(message) from error

    @override
    def __enter__(self) -> Self:
        """Start to serve requests."""
        serve = threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        serve.start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def wait(self, seconds: float) -> str:
        """Wait for the response, and return the whole URL that the browser was redirected to.

        Args:
            seconds: How long to wait.

        Raises:
            LoginError: There was no response in time.
        """
        try:
            return self._responses.get(timeout=seconds)
        except Empty as error:
            message = (
                f"Timed out after {seconds:.0f} s waiting for the sign-in. Try again, with a "
                "longer --timeout if needed; --paste and --device work from another machine"
            )
            raise LoginError(message) from error

    def handle_redirect(
        self, target: str
    ) -> tuple[HTTPStatus, tuple[str, str], Callable[[], None]]:
        """Return the response to a request of the browser.

        Args:
            target: Path and query of the request.

        Returns:
            Status, title and text of a page, and a function to call once the page is sent.
        """
        url = urlsplit(target)
        if (url.path or "/") != (self._uri.path or "/"):
            return HTTPStatus.NOT_FOUND, _UNKNOWN_PAGE, _do_nothing
        if not is_sign_in_response(url.query, self._state):
            return HTTPStatus.BAD_REQUEST, _UNEXPECTED_PAGE, _do_nothing
        if not self._has_response.acquire(blocking=False):
            return HTTPStatus.GONE, _REPEATED_PAGE, _do_nothing
        whole_url = self._uri._replace(query=url.query).geturl()
        page = _GRANTED_PAGE if "code" in parse_qs(url.query) else _DENIED_PAGE
        return HTTPStatus.OK, page, lambda: self._responses.put(whole_url)


class _Handler(BaseHTTPRequestHandler):
    """Shows a page with the outcome of the sign-in."""

    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        """Respond to the browser."""
        server = cast("CallbackServer", self.server)
        status, (title, text), after_sending = server.handle_redirect(self.path)
        page = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        # The URL contains the code and must not leak.
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(page)
        self.wfile.flush()
        after_sending()

    @override
    def log_message(self, *_: object) -> None:
        """Log nothing: the URLs contain codes."""


def is_sign_in_response(query: str, state: str) -> bool:
    """Return whether a query is the response of a sign-in, granted or denied.

    Args:
        query: The query of a URL.
        state: The state of the sign-in.
    """
    values = parse_qs(query)
    given = "".join(values.get("state", [])).encode()
    is_ours = hmac.compare_digest(given, state.encode())
    return is_ours and ("code" in values or "error" in values)


def _parse_local_uri(redirect_uri: str) -> SplitResult:
    """Return the parts of a redirect URI on this machine.

    Raises:
        ConfigurationError: It is not on this machine.
    """
    try:
        uri = urlsplit(redirect_uri)
        is_local = uri.scheme == "http" and uri.hostname in _ADDRESSES and uri.port != 0
    except ValueError:
        is_local = False
    if not is_local:
        message = (
            f"Invalid --redirect-uri: {redirect_uri!r} (must be a local address such as "
            "http://localhost:8888; with --paste, any redirect URI of the application works)"
        )
        raise ConfigurationError(message)
    return uri


def _do_nothing() -> None:
    pass
