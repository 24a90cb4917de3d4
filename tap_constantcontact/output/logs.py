"""The log, as the SDK or a file of Meltano's or of the user's configures it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

from tap_constantcontact.output.log_filters import add_topic

_OURS = ("tap-constantcontact", "singer_sdk", "py.warnings")


def keep_explanations(logger: logging.Logger) -> None:
    """Make sure that a failure is explained on stderr, once the log is configured.

    The file that SINGER_SDK_LOG_CONFIG names may disable the loggers that exist already, which
    Meltano 4.0 and 4.1 ask for and which is the default, or it may send the log elsewhere.

    Args:
        logger: The logger of explanations.
    """
    for name, existing in logging.root.manager.loggerDict.items():
        if name.startswith(_OURS) and isinstance(existing, logging.Logger):
            existing.disabled = False
    handlers = (each for each in _handlers(logger) if isinstance(each, logging.StreamHandler))
    if not any(each.stream is sys.stderr for each in handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setLevel(logging.ERROR)
        logger.addHandler(handler)
    for each in _handlers(logger):
        each.addFilter(add_topic)


def _handlers(logger: logging.Logger | None) -> Iterator[logging.Handler]:
    """Yield the handlers that get the messages of a logger."""
    while logger:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None
