"""What the docs say about a stream that its declarations and its schema don't tell."""

from __future__ import annotations

from typing import Any, NamedTuple


class StreamNotes(NamedTuple):
    """Notes on a stream, in Markdown. None inherits the note of the base class.

    Attributes:
        reads: Which rows a run reads.
        cost: The requests that a run makes. If empty, they follow from the declarations.
        limitations: Changes that the stream cannot detect.
    """

    reads: str | None = None
    cost: str | None = None
    limitations: str | None = None


def notes_of(stream: type[Any]) -> StreamNotes:
    """Return the notes on a stream, with those that it inherits."""
    found = [vars(cls)["notes"] for cls in stream.__mro__ if "notes" in vars(cls)]
    fields = zip(*found, strict=True)
    return StreamNotes(*(next((text for text in each if text is not None), "") for each in fields))
