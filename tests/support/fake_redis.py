"""A Redis to talk to over a real socket, where none is installed."""

from __future__ import annotations

import threading

from fakeredis import TcpFakeServer
from redis import Redis


class FakeRedis:
    """Serves Redis's protocol, with Lua, on a free port."""

    def __init__(self) -> None:
        self._server = TcpFakeServer(("127.0.0.1", 0))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"redis://127.0.0.1:{self._server.server_address[1]}"

    def client(self) -> Redis:
        """Return a client, which reads text."""
        client: Redis = Redis.from_url(self.url, decode_responses=True)
        return client

    def end(self) -> None:
        """End; a second time is no harm."""
        self._server.shutdown()
        self._server.server_close()
