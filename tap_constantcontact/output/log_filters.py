"""Keeps lines of the SDK out of the log that tell nothing, and adds where to look to warnings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from singer_sdk import metrics

from tap_constantcontact.help_topics import with_topic

if TYPE_CHECKING:
    from singer_sdk import Stream

#: The message of a skipped stream. On a terminal, the line of the stream says the same.
SKIPPED = "%s is skipped: %s"
#: The message of the first item of a stream that is gone or forbidden; the line counts them all.
SKIPPED_ITEM = "%s: skipping one item: %s"


_OURS = ("tap-constantcontact", "tap_constantcontact")


def add_topic(record: logging.LogRecord) -> bool:
    """Append the section of the documentation to warnings and errors of the tap.

    A filter of handlers, so that no place that logs has to know the sections.

    Args:
        record: The record, which is changed.
    """
    if record.levelno >= logging.WARNING and record.name.startswith(_OURS):
        message = record.getMessage()
        record.msg = f"{record.msg}{with_topic(message).removeprefix(message)}"
    return True


def mute_child(stream: Stream) -> None:
    """Keep a child stream out of the log: the SDK syncs it once for each row of the parent."""
    if not stream.logger.isEnabledFor(logging.DEBUG):
        stream.logger.setLevel(logging.WARNING)
        mute = metrics.MetricExclusionFilter(tags={metrics.Tag.STREAM: stream.name})
        stream.metrics_logger.addFilter(mute)


def mute_notes_on_order() -> None:
    """Keep a warning of the SDK out of the log: it sounds like a failure, and calls for nothing.

    It says that a stream without an order (such as a list that is short) will be read in full by
    the next run if this one is interrupted. A switch in the SDK would replace this.
    """
    logging.getLogger("singer_sdk").addFilter(_is_no_note_on_order)


def _is_no_note_on_order(record: logging.LogRecord) -> bool:
    return "progress is not resumable" not in str(record.msg)
