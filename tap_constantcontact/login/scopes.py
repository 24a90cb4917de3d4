"""Which scopes and privileges streams need, and which of them a token has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.tap import TapConstantContact

#: Without it there is no refresh token (documented).
OFFLINE_ACCESS = "offline_access"

Stream = type[ConstantContactStream] | ConstantContactStream


@dataclass(frozen=True)
class Rights:
    """What a token may do.

    Attributes:
        scopes: the scopes that it was granted; None where it does not tell.
        privileges: the privileges of the user who signed in; None where they cannot be read.
    """

    scopes: frozenset[str] | None
    privileges: frozenset[str] | None = None

    def lacking(self, stream: Stream) -> str:
        """Return what is missing to read a stream, for people; nothing if all is there."""
        for scope in stream.scopes:
            if self.scopes is not None and scope not in self.scopes:
                return f"the scope {scope}"
        for privilege in stream.privileges:
            if self.privileges is not None and privilege not in self.privileges:
                return f"the privilege {privilege}"
        return ""


def streams_of_account(tap: TapConstantContact) -> list[ConstantContactStream]:
    """Return the streams that are read with the login of an account."""
    streams = cast("Iterable[ConstantContactStream]", tap.streams.values())
    return [stream for stream in streams if not stream.for_partners]


def selected_streams(tap: TapConstantContact) -> list[ConstantContactStream]:
    """Return the selected streams of an account, and their parents, which are read for them."""
    return [
        stream
        for stream in streams_of_account(tap)
        if stream.selected or stream.has_selected_descendents
    ]


def scopes_of(streams: Iterable[Stream]) -> frozenset[str]:
    """Return the scopes that streams need."""
    return frozenset(scope for stream in streams for scope in stream.scopes)
