"""Messages for people about errors that end a run: what is wrong, and what to do."""

from __future__ import annotations

import traceback

from requests import RequestException
from singer_sdk.exceptions import ConfigValidationError, RetriableAPIError, SingerSDKError

from tap_constantcontact.exceptions import JSON_ERROR, Forbidden, Refused
from tap_constantcontact.help_topics import with_topic
from tap_constantcontact.redaction import without_addresses

# As the standard library puts it.
_UNUSABLE_LOG = "Unable to configure "
_UNKNOWN_LEVEL = "Unknown level: "


def error_message(error: Exception) -> str:
    """Return a message about an error that ends a run: what is wrong, what to do, where to look.

    Args:
        error: Any error; the text of an unexpected one is omitted, as it may contain values that
            must not be printed.
    """
    if isinstance(error, ConfigValidationError):
        message = "; ".join(error.errors)
    elif isinstance(error, RetriableAPIError):
        message = f"{error}. Retries failed; the next run resumes from here"
    elif isinstance(error, Refused) and not isinstance(error, Forbidden):
        message = (
            f"{error}. The API rejects this request. Check the settings that it may come from, and "
            "report this if they are correct"
        )
    elif isinstance(error, SingerSDKError):
        message = str(error)
    elif isinstance(error, RequestException):
        message = (
            f"Can't reach the API ({_cause(error)}). Check the network, api_url and auth_url; the "
            "next run resumes from here"
        )
    elif isinstance(error, JSON_ERROR):
        message = (
            f"Invalid JSON: {error}. Check the files given with --config, --catalog and --state"
        )
    elif isinstance(error, ValueError) and str(error).startswith(_UNKNOWN_LEVEL):
        level = str(error).removeprefix(_UNKNOWN_LEVEL)
        message = f"Invalid LOGLEVEL: {level} (must be DEBUG, INFO, WARNING or ERROR)"
    elif isinstance(error, ValueError) and str(error).startswith(_UNUSABLE_LOG):
        message = (
            f"Invalid logging configuration: {error}. Fix the file that SINGER_SDK_LOG_CONFIG "
            "names, or unset the variable"
        )
    elif isinstance(error, OSError):
        problem = error.strerror or error
        message = f"{error.filename or 'A file'}: {problem}. Check its path and its permissions"
    else:
        message = (
            f"Unexpected {type(error).__name__} at {traceback_lines(error)[-1]}. Check the given "
            "files and settings; if they are correct, please report this, with the log of a run "
            "with LOGLEVEL=DEBUG"
        )
    return with_topic(without_addresses(message))


def traceback_lines(error: Exception) -> list[str]:
    """Return the places in the code that an error passed through, without any values."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]


def _cause(error: BaseException) -> str:
    """Return the innermost error without its URL, which may contain an ID."""
    inner: BaseException = error
    while cause := inner.__cause__ or inner.__context__:
        inner = cause
    return getattr(inner, "strerror", None) or type(inner).__name__
