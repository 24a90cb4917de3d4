"""The permissions of a Redis user that the docs name, in a database that has to be selected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from checks.support.redis_server import RedisServer

_PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "rate-limits.md"
_COMMAND = re.compile(r"`(ACL SETUSER tap .*?)`", re.DOTALL)


def add_documented_user(server: RedisServer) -> str:
    """Add the user of the docs to a server, and return the URL of its second database for it."""
    (command,) = _COMMAND.findall(_PAGE.read_text("utf-8"))
    with server.client() as client:
        execute: Any = client.execute_command
        execute(*command.replace(">PASSWORD", ">pass").split())
    return server.url.replace("//", "//tap:pass@").replace("/0", "/1")
