"""The scopes and privileges that streams require, and which of them a token has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.tap import TapConstantContact

#: Without this scope there is no refresh token (documented).
OFFLINE_ACCESS = "offline_access"

Stream = type[ConstantContactStream] | ConstantContactStream


@dataclass(frozen=True)
class GrantedPermissions:
    """What a token is allowed to do.

    Attributes:
        scopes: The scopes that it was granted; None if unknown.
        privileges: The privileges of the user who signed in; None if unknown.
    """

    scopes: frozenset[str] | None
    privileges: frozenset[str] | None = None

    def missing_for(self, stream: Stream) -> str:
        """Return what is missing to read a stream, for people; empty if nothing is."""
        for scope in stream.scopes:
            if self.scopes is not None and scope not in self.scopes:
                return f"the scope {scope}"
        for privilege in stream.privileges:
            if self.privileges is not None and privilege not in self.privileges:
                return f"the privilege {privilege}"
        return ""


def account_streams(tap: TapConstantContact) -> list[ConstantContactStream]:
    """Return the streams that are read with an account login."""
    streams = cast("Iterable[ConstantContactStream]", tap.streams.values())
    return [stream for stream in streams if not stream.for_partners]


def selected_streams(tap: TapConstantContact) -> list[ConstantContactStream]:
    """Return the selected streams of an account, including parents that are read for them."""
    return [
        stream
        for stream in account_streams(tap)
        if stream.selected or stream.has_selected_descendents
    ]


def required_scopes(streams: Iterable[Stream]) -> frozenset[str]:
    """Return the scopes that streams require."""
    return frozenset(scope for stream in streams for scope in stream.scopes)
