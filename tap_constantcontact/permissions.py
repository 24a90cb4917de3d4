"""What a stream requires of the token and of the user who signed in, in words for people."""

from __future__ import annotations

from typing import Protocol


class Restricted(Protocol):
    """A stream, or its class.

    Attributes:
        scopes: scopes that the token must have.
        privileges: privileges that the user must have.
        requires: what else is required, where it is neither of them.
    """

    scopes: tuple[str, ...]
    privileges: tuple[str, ...]
    requires: str


def required_permissions(stream: Restricted) -> str:
    """Return what a stream requires, such as "the scope contact_data and the privilege …"."""
    scopes = [f"the scope {scope}" for scope in stream.scopes]
    privileges = [f"the privilege {privilege}" for privilege in stream.privileges]
    return " and ".join([*scopes, *privileges]) or stream.requires
