"""A local server that the browser is redirected to with the response of a sign-in."""

from __future__ import annotations

import hmac
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from queue import Empty, SimpleQueue
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, parse_qs, urlsplit

from singer_sdk.exceptions import ConfigurationError
from typing_extensions import override

from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.login import pages

if TYPE_CHECKING:
    from typing_extensions import Self

# "localhost" is 127.0.0.1 here: browsers try both addresses that the name may resolve to.
_ADDRESSES = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}
_IDLE_SECONDS = 10
_POLL_SECONDS = 0.05

# Browsers give up on a response that takes minutes, so they get a page that they request again.
_HOLD_SECONDS = 20
_SHOW_SECONDS = 3


class CallbackServer(ThreadingTCPServer):
    """Waits on the loopback address for one response, in a `with` statement.

    Only a response with the state of this sign-in counts; others are ignored. The browser waits
    until the statement ends, and then shows how: with tokens, or with an error. Each connection has
    a thread, because browsers open connections that they don't use.
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
        self._query: str | None = None
        self._first = threading.Lock()
        self._outcome: pages.Page | None = None
        self._has_ended = threading.Event()
        self._is_shown = threading.Event()
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
    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        """Let the browser show the outcome, then stop listening."""
        self._outcome = pages.outcome(error)
        self._has_ended.set()
        if self._query is not None:
            self._is_shown.wait(_SHOW_SECONDS)
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

    def respond(self, target: str) -> tuple[HTTPStatus, pages.Page]:
        """Return the response to a request of the browser; it may wait for the outcome.

        Args:
            target: Path and query of the request.

        Returns:
            Status and page.
        """
        url = urlsplit(target)
        if (url.path or "/") != (self._uri.path or "/"):
            return HTTPStatus.NOT_FOUND, pages.UNKNOWN
        if not is_sign_in_response(url.query, self._state):
            return HTTPStatus.BAD_REQUEST, pages.UNEXPECTED
        with self._first:
            if self._query is None:
                self._query = url.query
                self._responses.put(self._uri._replace(query=url.query).geturl())
        if url.query != self._query:
            return HTTPStatus.GONE, pages.REPEATED
        self._has_ended.wait(_HOLD_SECONDS)
        return HTTPStatus.OK, self._outcome or pages.WAITING

    def note_sent(self, page: pages.Page) -> None:
        """Note that the browser has received a page."""
        if page is self._outcome:
            self._is_shown.set()


class _Handler(BaseHTTPRequestHandler):
    """Shows a page with the outcome of the sign-in."""

    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        """Respond to the browser."""
        server = cast("CallbackServer", self.server)
        status, shown = server.respond(self.path)
        page = shown.html(refreshes=shown is pages.WAITING)
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
        server.note_sent(shown)

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
