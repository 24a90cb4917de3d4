"""A server that returns what a test says."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class FakeServer(dict[str, Any]):
    """Responses by path: a body, a status, a body and headers, or a function that returns these.

    A path with its query comes first, then the path alone.

    They are the same for GET and POST.
    """

    def __init__(self) -> None:
        super().__init__()
        responses = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path if self.path in responses else urlsplit(self.path).path
                response = responses.get(path, (404, {}))
                response = response() if callable(response) else response
                given = response if isinstance(response, tuple) else (200, response)
                status, body, headers = given if len(given) == 3 else (*given, {})
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def settings(self) -> dict[str, Any]:
        api_url = f"http://127.0.0.1:{self.port}/v3"
        return {"api_url": api_url, "access_token": "any", "requests_per_second": 1000}
