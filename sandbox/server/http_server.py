"""The HTTP server below the app: HTTP/1.1, with connections that stay open."""

from __future__ import annotations

import io
import socket
from contextlib import suppress
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app


class Server(ThreadedWSGIServer):
    """Closes its connections when it stops, because clients keep them open."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Start without connections."""
        self._connections: set[Any] = set()
        super().__init__(*args, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle the requests of a new connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Shut down all connections; their threads close them."""
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(WSGIRequestHandler):
    """Keeps HTTP/1.1 connections open, unlike werkzeug's own handler."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet

    def run_wsgi(self) -> None:
        """Handle one request."""
        environ = self.make_environ()
        # Read the whole body: the rest of it would be taken for the next request.
        length = int(self.headers.get("Content-Length") or 0)
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(length))
        chunks, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        self.send_response_only(int(status.split()[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.writelines(chunks)

    def finish(self) -> None:
        """Close the connection, which the client or a fault may have closed already."""
        with suppress(ConnectionError):
            super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: the sandbox keeps its requests in a list."""
