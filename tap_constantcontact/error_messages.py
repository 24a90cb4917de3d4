"""What an error that ends a run means, and what to do, for people."""

from __future__ import annotations

import traceback

from requests import RequestException
from singer_sdk.exceptions import ConfigValidationError, RetriableAPIError, SingerSDKError

from tap_constantcontact.exceptions import JSON_ERROR, Forbidden, Refused
from tap_constantcontact.redaction import without_addresses

_UNKNOWN_LEVEL = "Unknown level"  # so the standard library says it


def error_message(error: Exception) -> str:
    """Return what an error that ends a run means and what to do, for people.

    Args:
        error: whatever it is; the text of one that is not expected may hold what must not be
            printed, and is left out.
    """
    if isinstance(error, ConfigValidationError):
        said = "; ".join(error.errors)
    elif isinstance(error, RetriableAPIError):
        said = f"{error}. It did not get better in several tries; the next run goes on from here"
    elif isinstance(error, Refused) and not isinstance(error, Forbidden):
        said = (
            f"{error}. The API does not take this request: check the settings that it may come "
            "from, and report this if they are right"
        )
    elif isinstance(error, SingerSDKError):
        said = str(error)
    elif isinstance(error, RequestException):
        said = (
            f"The API cannot be reached ({_cause(error)}). Check the network and the settings "
            "api_url and auth_url; the next run goes on from here"
        )
    elif isinstance(error, JSON_ERROR):
        said = (
            f"What was given is not JSON: {error}. Check the files of --config, --catalog and "
            "--state, and lists and objects in the environment"
        )
    elif isinstance(error, ValueError) and str(error).startswith(_UNKNOWN_LEVEL):
        said = f"{error}. LOGLEVEL takes DEBUG, INFO, WARNING or ERROR"
    elif isinstance(error, OSError):
        what = error.strerror or error
        said = f"{error.filename or 'A file'}: {what}. Check its path and its permissions"
    else:
        said = (
            f"Unexpected {type(error).__name__} at {traceback_lines(error)[-1]}. Check the files "
            "and settings given; if they are right, please report this, with the log of a run with "
            "LOGLEVEL=DEBUG"
        )
    return without_addresses(said)


def traceback_lines(error: Exception) -> list[str]:
    """Return the places in the code that an error went through, without any values."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]


def _cause(error: BaseException) -> str:
    """Return the kind of the innermost error, without the address, which may hold an id."""
    inner: BaseException = error
    while cause := inner.__cause__ or inner.__context__:
        inner = cause
    return getattr(inner, "strerror", None) or type(inner).__name__
