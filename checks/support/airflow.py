"""A real Airflow: its commands, and its services with a database in PostgreSQL.

It has an environment of its own, and keeps all its files in one folder.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from checks.support.meltano import PROJECT, CheckFailed, wait
from checks.support.postgresql import Server, free_port

Command = list[str | Path]

_PROGRAM = PROJECT / ".venv-airflow" / "bin" / "airflow"
_DATABASE = "airflow"
#: What LocalExecutor needs, in addition to the server of the API. A server of logs would listen on
#: a fixed port.
_OTHER_SERVICES: list[Command] = [["dag-processor"], ["scheduler", "--skip-serve-logs"]]
_SECONDS_TO_START = 120
_SECONDS_TO_STOP = 30
_SECONDS_BETWEEN_LOOKS = 0.2


class Airflow:
    """An Airflow whose Dags are not paused, and whose tasks are retried after some seconds.

    Attributes:
        folder: Its folder.
        log: The file with the output of its commands and services.
        logs: The folder with the logs of tasks.
    """

    def __init__(
        self, folder: Path, dags: Path, server: Server, environment: Mapping[str, str]
    ) -> None:
        """Create the folder and the database.

        Args:
            folder: A folder that does not exist.
            dags: The folder of the Dags.
            server: A server without a database named airflow.
            environment: Variables for the tasks.

        Raises:
            CheckFailed: If Airflow fails.
        """
        self.folder = folder
        self.log = folder / "airflow.log"
        self.logs = folder / "logs"
        for name in ("home", "tmp"):
            (folder / name).mkdir(parents=True)
        with server.connect() as connection:
            connection.autocommit = True
            connection.execute(f"create database {_DATABASE}")
        self._server = Server(server.port, database=_DATABASE)
        self._port = free_port()
        self._environment = {
            **environment,
            **_configuration(dags, self._server, self._port),
            "AIRFLOW_HOME": str(folder),
            # For all that does not care about Airflow's.
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "NO_COLOR": "1",
        }
        self.run(["db", "migrate"])

    def run(self, *commands: Command) -> None:
        """Run commands at the same time.

        Args:
            commands: The commands, such as `["pools", "import", file]`.

        Raises:
            CheckFailed: If one fails.
        """
        with ExitStack() as stack:
            processes = [stack.enter_context(self._started(command)) for command in commands]
            for process, command in zip(processes, commands, strict=True):
                _finish(process, f"airflow {' '.join(map(str, command[:2]))}")

    @contextmanager
    def services(self) -> Iterator[None]:
        """Run the scheduler and what it needs.

        Raises:
            CheckFailed: If the server of the API does not start.
        """
        with ExitStack() as stack:
            server = stack.enter_context(self._started(["api-server"]))
            # A task that can't reach it fails.
            if not self._is_ready(server):
                raise CheckFailed("airflow api-server does not start")
            for command in _OTHER_SERVICES:
                stack.enter_context(self._started(command))
            yield

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of Airflow's database."""
        with self._server.connect() as connection:
            return [*connection.execute(sql)]

    def _is_ready(self, server: subprocess.Popen[bytes]) -> bool:
        """Wait until the server of the API accepts connections; return whether it does."""
        deadline = time.monotonic() + _SECONDS_TO_START
        while server.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
                return True
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return False

    @contextmanager
    def _started(self, command: Command) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command, and stop it with all its processes in the end."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [_PROGRAM, *command],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _stop(process)


def _finish(process: subprocess.Popen[bytes], name: str) -> None:
    """Wait for the end of a command.

    Raises:
        CheckFailed: If it fails.
    """
    if status := wait(process, lambda: name):
        raise CheckFailed(f"{name} ended with {status}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a command, and kill what is left of its tasks, which are in sessions of their own."""
    before = _processes()
    tree = {process.pid}
    while children := {pid for pid, (parent, _) in before.items() if parent in tree} - tree:
        tree |= children
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS_TO_STOP)
    for pid, (_, began) in _processes().items():
        if pid in tree and before[pid][1] == began:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def _processes() -> dict[int, tuple[int, str]]:
    """Return the parents of all processes, and when they began."""
    command = ["/bin/ps", "-A", "-o", "pid=,ppid=,lstart="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = (line.split(maxsplit=2) for line in listed.splitlines())
    return {int(pid): (int(parent), began) for pid, parent, began in lines}


def _configuration(dags: Path, server: Server, port: int) -> dict[str, str]:
    """Return Airflow's configuration, as variables."""
    address = f"{server.user}@{server.host}:{server.port}/{server.database}"
    sections: dict[str, dict[str, Any]] = {
        "api": {
            "host": "127.0.0.1",
            "port": port,
            "workers": 1,
            "secret_key": secrets.token_hex(),
        },
        "api_auth": {"jwt_secret": secrets.token_hex(64)},
        "core": {
            "dags_are_paused_at_creation": False,
            "dags_folder": dags,
            "default_task_retry_delay": 5,
            "execution_api_server_url": f"http://127.0.0.1:{port}/execution/",
            "executor": "LocalExecutor",
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "load_examples": False,
            "parallelism": 4,
            "simple_auth_manager_all_admins": True,
        },
        "database": {"sql_alchemy_conn": f"postgresql+psycopg2://{address}"},
    }
    return {
        f"AIRFLOW__{section}__{name}".upper(): str(value)
        for section, settings in sections.items()
        for name, value in settings.items()
    }
