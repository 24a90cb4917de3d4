"""The users who signed in, each to an account of its own, and which of them a request is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import Authorization

    from sandbox.auth.api_keys import ApiKey
    from sandbox.auth.tokens import Tokens


class Users:
    """The users of all accounts. Where none of them fits, the first one stands in."""

    def __init__(self, users: Sequence[Tokens]) -> None:
        """Take the users, in the order of their accounts; at least one."""
        self._users = users

    def with_access_token(self, token: str, *, of_partner: bool = False) -> Tokens | None:
        """Return the user whom a valid access token was issued to."""
        for user in self._users:
            if user.is_valid(token, of_partner=of_partner):
                return user
        return None

    def named(self, name: str, api_key: ApiKey) -> Tokens | None:
        """Return the user of an API key with a name."""
        for user in self._users:
            if user.user == name and user.api_key is api_key:
                return user
        return None

    def names(self, api_key: ApiKey) -> str:
        """Return the names of the users of an API key, in words for people."""
        return " or ".join(user.user for user in self._users if user.api_key is api_key)

    @property
    def api_keys(self) -> list[ApiKey]:
        """The API keys that users signed in with."""
        return list({id(user.api_key): user.api_key for user in self._users}.values())

    def api_key(self, client_id: str) -> ApiKey | None:
        """Return an API key."""
        return next((key for key in self.api_keys if key.client_id == client_id), None)

    def requesting(self, form: Mapping[str, str], credentials: Authorization | None) -> Tokens:
        """Return the user of a request for tokens."""
        client_id = _client_id(form, credentials)
        of_key = [user for user in self._users if user.api_key.client_id == client_id]
        of_form = [user for user in of_key if user.is_for(form)]
        return [*of_form, *of_key, self._users[0]][0]

    def partner(self, credentials: Authorization | None) -> Tokens:
        """Return the user of a request for the tokens of a partner."""
        name = credentials and credentials.username
        return next((user for user in self._users if user.partner[0] == name), self._users[0])


def _client_id(form: Mapping[str, str], credentials: Authorization | None) -> str | None:
    return credentials.username if credentials else form.get("client_id")
