"""Rotating tokens are sent to the platform, which keeps the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from typing_extensions import override

from tap_constantcontact.auth import with_expiry
from tap_constantcontact.token_store.base import Tokens, TokenStore, fingerprint

#: Property of an updated configuration: the sign-in that the access token belongs to. A person who
#: signs in again replaces the refresh token, and may leave another account's access token behind.
OWNER_PROPERTY = "access_token_of"


class PlatformTokenStore(TokenStore):
    """A token store that also sends its tokens to the platform, because a container's disk is lost.

    The store takes precedence if it has tokens, as on a local machine, where a client may keep
    using the old configuration. Otherwise the tokens come from the configuration. The access token
    is sent too, and used until it expires: a platform checks a source before it reads it, and each
    token request avoided is one less refresh token that can be lost.
    """

    def __init__(
        self,
        store: TokenStore,
        configuration: MutableMapping[str, Any],
        send: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Extend a store.

        Args:
            store: The store in a file or in Redis.
            configuration: The whole configuration as it was given.
            send: Sends the configuration to the platform; the new tokens are not used before it
                returns.
        """
        super().__init__(store.client_id, store.refresh_token)
        self._store = store
        self._configuration = configuration
        self._send = send

    @property
    @override
    def limits_place(self) -> Path | str:
        return self._store.limits_place

    @override
    def __str__(self) -> str:
        return str(self._store)

    @override
    def locked(self) -> AbstractContextManager[None]:
        return self._store.locked()

    @override
    def check_writable(self) -> None:
        self._store.check_writable()

    @override
    def read(self) -> Tokens:
        """Return the tokens in the store or in the configuration; empty if there are none.

        Raises:
            LoginError: The store can't be read.
        """
        stored = self._store.read()
        access_token = str(self._configuration.get("access_token") or "").strip()
        is_of_other_sign_in = (self._configuration.get(OWNER_PROPERTY) or self.seed) != self.seed
        if stored or not access_token or is_of_other_sign_in:
            return stored
        return with_expiry({"access_token": access_token}, self.refresh_token)

    @override
    def write(self, tokens: Mapping[str, Any]) -> None:
        """Store the tokens of this sign-in, and send them to the platform.

        Raises:
            LoginError: The store can't be written.
        """
        self._configuration.update(
            {
                "access_token": tokens["access_token"],
                "refresh_token": tokens["refresh_token"],
                OWNER_PROPERTY: fingerprint(self.client_id, tokens["refresh_token"]),
            }
        )
        try:
            self._store.write(tokens)
        finally:  # if that fails, the platform has the tokens
            self._send(self._configuration)

    @override
    def remedy(self) -> str:
        """Return what to do if the refresh token is rejected: another job may have used it."""
        return (
            "Another sync or check with this configuration may have used it in the meantime: run "
            "this one again, and it gets the new token. If that fails too, the token was revoked, "
            "or was unused for 180 days. Sign in again (tap-constantcontact-login) and set "
            "refresh_token to the new token, a long-lived one if several connections use it"
        )
