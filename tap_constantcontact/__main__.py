"""The command line: `tap-constantcontact`, or `python -m tap_constantcontact`."""

from __future__ import annotations

import json
import sys

import requests
from singer_sdk.exceptions import (
    ConfigurationError,
    ConfigValidationError,
    FatalAPIError,
    RetriableAPIError,
)

from tap_constantcontact.errors import EXIT_FAILED
from tap_constantcontact.tap import TapConstantContact

# The SDK reads files with simplejson, whose error is another one; requests knows both.
JSON_ERRORS = (json.JSONDecodeError, requests.compat.JSONDecodeError)


def main() -> None:
    """Run the tap; each expected failure ends in a message for people and an exit status.

    Exit statuses: 0 done, 1 failed, 75 the quota is used up and a later run goes on, 128 and the
    number of the signal that ended it.
    """
    try:
        TapConstantContact.cli()
    except ConfigValidationError as error:
        _fail("; ".join(error.errors))
    except (ConfigurationError, FatalAPIError) as error:
        _fail(str(error))
    except RetriableAPIError as error:
        _fail(f"{error}. It did not get better in several tries; the next run goes on from here")
    except requests.RequestException as error:
        _fail(
            f"The API cannot be reached ({_cause(error)}). Check the network and the settings "
            "api_url and auth_url; the next run goes on from here"
        )
    except JSON_ERRORS as error:
        _fail(f"A file given is not JSON: {error}")
    except OSError as error:
        _fail(f"{error.filename or 'A file'}: {error.strerror or error}")


def _fail(message: str) -> None:
    TapConstantContact.logger.critical(message)
    sys.exit(EXIT_FAILED)


def _cause(error: BaseException) -> str:
    """Return the kind of the innermost error, without the address, which may hold an id."""
    inner: BaseException = error
    while cause := inner.__cause__ or inner.__context__:
        inner = cause
    return getattr(inner, "strerror", None) or type(inner).__name__


if __name__ == "__main__":
    main()
