"""Settings of the environment and of the `.env` file of the working folder."""

from __future__ import annotations

import codecs
import os
from collections.abc import Collection
from io import StringIO
from pathlib import Path

from dotenv import find_dotenv, load_dotenv
from singer_sdk.exceptions import ConfigurationError

_PREFIX = "TAP_CONSTANTCONTACT_"
_OF_THE_SDK = "loglevel"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_environment(known: Collection[str]) -> tuple[dict[str, str], str]:
    """Return the settings as texts by their names, and the path of `.env`, if there is one.

    `.env` is the one of the working folder, or of the nearest folder above it. The SDK would search
    above its own code, where an installed tool has none. Its variables are added to the
    environment, whose own values take precedence. Empty ones are not set, here and there.

    Unknown settings are among them, because they may be misspelled, but not what Meltano sets, with
    a second underscore, and not those of other plugins whose names begin alike, such as
    TAP_CONSTANTCONTACT_EU_CLIENT_ID.

    Args:
        known: The names of all settings.

    Raises:
        ConfigurationError: `.env` is not a text in UTF-8.
    """
    for name in [*filter(_is_empty, os.environ)]:
        del os.environ[name]
    file = find_dotenv(usecwd=True)
    if file:
        load_dotenv(stream=StringIO(_text_of(Path(file))))
    variables = {
        name.removeprefix(_PREFIX).lower(): text
        for name, text in os.environ.items()
        if name.startswith(_PREFIX) and not _is_empty(name)
    }
    of_others = (_OF_THE_SDK, *(f"_{name}" for name in known))
    settings = {
        name: text
        for name, text in variables.items()
        if name in known or not (name.startswith("_") or name.endswith(of_others))
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
