"""The command line: `tap-constantcontact`, or `python -m tap_constantcontact`."""

from __future__ import annotations

import gc
import os
import sys
import traceback

import requests
from singer_sdk.exceptions import ConfigValidationError, RetriableAPIError, SingerSDKError

from tap_constantcontact.errors import EXIT_FAILED, JSON_ERROR, without_addresses
from tap_constantcontact.tap import TapConstantContact

_OBJECTS_BETWEEN_COLLECTIONS = 50_000  # about two pages of contacts
_ENVIRONMENT = "TAP_CONSTANTCONTACT_"


def main() -> None:
    """Run the tap; each expected failure ends in a message for people and an exit status.

    Exit statuses: 0 done, 1 failed, 2 wrong use of the command line, 75 the quota is used up and a
    later run goes on, 128 and the number of the signal that ended it.
    """
    _forget_empty_variables()
    _collect_seldom()
    try:
        TapConstantContact.cli()
    except ConfigValidationError as error:
        _fail("; ".join(error.errors))
    except RetriableAPIError as error:
        _fail(f"{error}. It did not get better in several tries; the next run goes on from here")
    except SingerSDKError as error:
        _fail(str(error))
    except requests.RequestException as error:
        _fail(
            f"The API cannot be reached ({_cause(error)}). Check the network and the settings "
            "api_url and auth_url; the next run goes on from here"
        )
    except JSON_ERROR as error:
        _fail(f"A file given is not JSON: {error}")
    except OSError as error:
        _fail(f"{error.filename or 'A file'}: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - its text may hold what must not be logged
        _fail_unexpectedly(error)


def _forget_empty_variables() -> None:
    """Take out settings of the environment without a value, which mean "not set".

    The SDK would read some of them as numbers.
    """
    for name, value in list(os.environ.items()):
        if name.startswith(_ENVIRONMENT) and not value.strip():
            del os.environ[name]


def _collect_seldom() -> None:
    """Spare the collector what is loaded, and most of the pages, whose records have no cycles."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def _fail(message: str) -> None:
    TapConstantContact.logger.critical(without_addresses(message))
    sys.exit(EXIT_FAILED)


def _fail_unexpectedly(error: Exception) -> None:
    """Say where a mistake of the tap, or an input that nobody thought of, shows."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    TapConstantContact.logger.debug("It came from:\n%s", "\n".join(places))
    _fail(
        f"Unexpected {type(error).__name__} at {places[-1]}. Check the files and settings given; "
        "if they are right, please report this, with the log of a run with LOGLEVEL=DEBUG"
    )


def _cause(error: BaseException) -> str:
    """Return the kind of the innermost error, without the address, which may hold an id."""
    inner: BaseException = error
    while cause := inner.__cause__ or inner.__context__:
        inner = cause
    return getattr(inner, "strerror", None) or type(inner).__name__


if __name__ == "__main__":
    main()
