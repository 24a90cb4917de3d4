"""The permissions that a stream requires of the token and its user, described for people."""

from __future__ import annotations

from typing import Protocol


class Restricted(Protocol):
    """A stream, or its class.

    Attributes:
        scopes: Scopes that the token must have.
        privileges: Privileges that the user must have.
        requires: What is required instead, if neither scopes nor privileges are.
    """

    scopes: tuple[str, ...]
    privileges: tuple[str, ...]
    requires: str


def required_permissions(stream: Restricted) -> str:
    """Return the permissions that a stream requires, e.g. "the scope X and the privilege Y"."""
    scopes = [f"the scope {scope}" for scope in stream.scopes]
    privileges = [f"the privilege {privilege}" for privilege in stream.privileges]
    return " and ".join([*scopes, *privileges]) or stream.requires
