"""What the documents say of a stream beyond what its declarations and its schema tell."""

from __future__ import annotations

from typing import Any, NamedTuple


class StreamNotes(NamedTuple):
    """Notes on a stream, in Markdown; what is None, the base class says.

    Attributes:
        reads: which rows a run reads.
        cost: the requests of a run; where it is empty, they follow from the declarations.
        limitations: changes that no run sees.
    """

    reads: str | None = None
    cost: str | None = None
    limitations: str | None = None


def notes_of(stream: type[Any]) -> StreamNotes:
    """Return the notes on a stream, filled in from its base classes."""
    found = [vars(cls)["notes"] for cls in stream.__mro__ if "notes" in vars(cls)]
    fields = zip(*found, strict=True)
    return StreamNotes(*(next((text for text in each if text is not None), "") for each in fields))
