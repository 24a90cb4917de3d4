"""The permissions of a Redis user that the docs name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from redis import Redis

_PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "rate-limits.md"
_COMMAND = re.compile(r"`(ACL SETUSER tap .*?)`", re.DOTALL)


def add_documented_user(client: Redis) -> str:
    """Add the user of the docs to a server, and return the login of a URL: name and password."""
    (command,) = _COMMAND.findall(_PAGE.read_text("utf-8"))
    execute: Any = client.execute_command
    execute(*command.replace(">PASSWORD", ">pass").split())
    return "tap:pass"
