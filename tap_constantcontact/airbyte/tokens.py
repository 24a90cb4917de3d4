"""Tokens that rotate are handed over to the platform, which keeps the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from tap_constantcontact.auth import with_expiry
from tap_constantcontact.token_store import Tokens, TokenStore, fingerprint

#: Property of a configuration that was handed over: whose the access token is. Somebody who signs
#: in again replaces the refresh token, and may leave the access token of another account there.
OWNER = "access_token_of"


class HandingStore(TokenStore):
    """A token store that also hands its tokens over, as the disk of a container does not stay.

    The file counts where it stays, as with a client on a machine of one's own, which may go on with
    the configuration of before. Else the tokens are those of the configuration. The access token is
    handed over too, and used until it ends: a platform checks a source before it reads it, and each
    token request less is a refresh token less that can be lost.
    """

    def __init__(
        self,
        store: TokenStore,
        configuration: MutableMapping[str, Any],
        hand_over: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Extend a store.

        Args:
            store: the store in a file.
            configuration: the whole configuration, as it was given.
            hand_over: gives it to the platform; the new tokens are not used before it returns.
        """
        super().__init__(store.path, store.seed)
        self._configuration = configuration
        self._hand_over = hand_over

    def read(self) -> Tokens:
        """Return the tokens of the file, or those of the configuration, or none.

        Raises:
            LoginError: there is a file, but it cannot be read.
        """
        kept = super().read()
        access_token = str(self._configuration.get("access_token") or "").strip()
        is_of_others = (self._configuration.get(OWNER) or self.seed) != self.seed
        if kept or not access_token or is_of_others:
            return kept
        refresh_token = str(self._configuration["refresh_token"]).strip()
        return with_expiry({"access_token": access_token}, refresh_token)

    def write(self, tokens: Mapping[str, Any]) -> None:
        """Store the tokens of this sign-in, and hand them over.

        Raises:
            LoginError: the store cannot be written to.
        """
        super().write(tokens)
        client_id = str(self._configuration["client_id"]).strip()
        self._configuration.update(
            {
                "access_token": tokens["access_token"],
                "refresh_token": tokens["refresh_token"],
                OWNER: fingerprint(client_id, tokens["refresh_token"]),
            }
        )
        self._hand_over(self._configuration)
