"""The tokens in a Redis store, as tests look at them and change them."""

from __future__ import annotations

import json
from typing import Any, Protocol

from redis import Redis

from sandbox import TOKEN_PATH, Sandbox
from support.tap import Run, TapCommand
from tap_constantcontact.token_store.base import fingerprint

TOKENS = "tap-constantcontact:tokens"


class RedisServer(Protocol):
    """A Redis server, real or not."""

    @property
    def url(self) -> str:
        """Its URL."""

    def client(self) -> Redis:
        """Return a client, which reads text."""


class SignIn:
    """A sign-in to a sandbox, whose tokens are in Redis.

    Attributes:
        sandbox: The account.
        settings: The settings, with the refresh token that the sign-in began with.
        seed: The field of its tokens.
    """

    def __init__(self, tap: TapCommand, sandbox: Sandbox, server: RedisServer) -> None:
        self._tap = tap
        self._server = server
        self.sandbox = sandbox
        self.settings = tap.settings(sandbox, token_store=server.url)
        self.seed = fingerprint(self.settings["client_id"], self.settings["refresh_token"])

    def run(self, **settings: Any) -> Run:
        """Read the account."""
        return self._tap.run({**self.settings, **settings}, select=["account"])

    @property
    def token_requests(self) -> int:
        """How many requests the token endpoint got."""
        return len([each for each in self.sandbox.requests if each.path == TOKEN_PATH])

    @property
    def tokens(self) -> dict[str, Any]:
        """The tokens that are kept."""
        content: dict[str, Any] = json.loads(raw(self._server)[self.seed])
        return content

    def expire(self) -> None:
        """Let the stored access token expire."""
        put(self._server, self.seed, json.dumps({**self.tokens, "expires_at": 0}))


def raw(server: RedisServer) -> dict[str, str]:
    """Return all that is kept, by sign-ins."""
    with server.client() as client:
        kept: Any = client.hgetall(TOKENS)
        return dict(kept)


def put(server: RedisServer, seed: str, content: str) -> None:
    """Replace what is kept of a sign-in."""
    with server.client() as client:
        client.hset(TOKENS, seed, content)
