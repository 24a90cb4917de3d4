"""Settings of the environment and of the `.env` file of the working folder."""

from __future__ import annotations

import codecs
import os
from io import StringIO
from pathlib import Path

from dotenv import find_dotenv, load_dotenv
from singer_sdk.exceptions import ConfigurationError

_PREFIX = "TAP_CONSTANTCONTACT_"
#: What other programs read: the SDK the log level, and Meltano its own, with a second underscore.
_OF_OTHERS = ("LOGLEVEL", "_")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_environment() -> tuple[dict[str, str], str]:
    """Return the settings as texts by their names, and the path of `.env`, if there is one.

    `.env` is the one of the working folder, or of the nearest folder above it. The SDK would search
    above its own code, where an installed tool has none. Its variables are added to the
    environment, whose own values take precedence. Empty ones are not set, here and there.

    Raises:
        ConfigurationError: `.env` is not a text in UTF-8.
    """
    for name in [*filter(_is_empty, os.environ)]:
        del os.environ[name]
    file = find_dotenv(usecwd=True)
    if file:
        load_dotenv(stream=StringIO(_text_of(Path(file))))
    settings = {
        variable.removeprefix(_PREFIX).lower(): text
        for variable, text in os.environ.items()
        if variable.startswith(_PREFIX) and not _is_empty(variable)
        if not variable.removeprefix(_PREFIX).startswith(_OF_OTHERS)
    }
    return settings, file


def _is_empty(variable: str) -> bool:
    """Return whether a variable of the tap has no value."""
    return variable.startswith(_PREFIX) and not os.environ[variable].strip()


def _text_of(file: Path) -> str:
    """Return the text of `.env`, which PowerShell writes in UTF-16 or with a byte order mark.

    Raises:
        ConfigurationError: It is not text.
    """
    content = file.read_bytes()
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except ValueError:
        text = None
    if text is None or "\0" in text:
        raise ConfigurationError(f"Can't read {file}: not a text file in UTF-8. Save it as UTF-8")
    return text
