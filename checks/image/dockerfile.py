"""The instructions of a Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each instruction, in capitals, and what it is given.

    Lines that a backslash continues are one; comments are skipped.

    Args:
        text: The text of the Dockerfile.
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        yield name.upper(), rest.strip()


def assignments(text: str) -> dict[str, str]:
    """Return the names and values of an ENV or a LABEL, without their quotes."""
    found = re.findall(r'([\w.-]+)=("[^"]*"|\S*)', text)
    return {name: value.strip('"') for name, value in found}
