"""A temporary Redis server: a real one, on a free port, in its own folder.

The program is the machine's own: Debian's package redis-server, or Homebrew's redis.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

_PROGRAM = "redis-server"
_HOST = "127.0.0.1"
_TIMEOUT = 30  # until it accepts connections, and until it has stopped

# Ends the server, and deletes its folder, when this process ends in whatever way: its standard
# input ends then as well.
_GUARD = 'cat > /dev/null; kill -9 "$(cat "$0/pid")"; rm -rf "$0" || rm -rf "$0"'


class ServerFailed(Exception):
    """Raised when the server does not start."""


@dataclass
class RedisServer:
    """A server that can be stopped, and started again with its data.

    Attributes:
        port: Its port of 127.0.0.1.
        folder: Where its data and its log are.
        password: The password of its default user, if any.
        authority: The certificate of the authority that has signed its own; None without TLS.
    """

    port: int
    folder: Path
    password: str | None = None
    authority: Path | None = None
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    @property
    def url(self) -> str:
        """The URL, with the password and the file of the authority."""
        password = f":{quote(self.password, safe='')}@" if self.password else ""
        address = f"{password}{_HOST}:{self.port}/0"
        if self.authority:
            return f"rediss://{address}?ssl_ca_certs={quote(str(self.authority))}"
        return f"redis://{address}"

    def client(self) -> Redis:
        """Return a client, which reads text, and does not try twice."""
        return Redis.from_url(
            self.url, decode_responses=True, socket_timeout=_TIMEOUT, retry=Retry(NoBackoff(), 0)
        )

    def start(self) -> None:
        """Start the server, and wait until it accepts connections.

        Raises:
            ServerFailed: It does not; with its log.
        """
        log = self.folder / "log"
        with log.open("ab") as lines:
            # In its own group: Ctrl+C would end it before its clients.
            process = subprocess.Popen(
                [_program(), self.folder / "redis.conf"],
                stdout=lines,
                stderr=lines,
                start_new_session=True,
            )
        self._processes.append(process)
        if not self._is_ready(process):
            raise ServerFailed(f"Redis does not start:\n{log.read_text('utf-8')}")

    def stop(self) -> None:
        """Stop the server as a restart of its machine would: it saves what it persists."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop the server without giving it time for anything."""
        self._end(signal.SIGKILL)

    def hang(self) -> None:
        """Let the server accept connections, and answer none until `resume`."""
        self._processes[-1].send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a server that hangs continue."""
        self._processes[-1].send_signal(signal.SIGCONT)

    def _end(self, signum: int) -> None:
        for process in self._processes:
            process.send_signal(signum)
            process.send_signal(signal.SIGCONT)
            try:
                process.wait(_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        (self.folder / "pid").unlink(missing_ok=True)

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the server answers; return whether it does."""
        deadline = time.monotonic() + _TIMEOUT
        with self.client() as client:
            while process.poll() is None and time.monotonic() < deadline:
                with suppress(RedisError):
                    client.ping()
                    return True
                time.sleep(0.02)
        return False


@contextmanager
def redis_server(
    *,
    password: str | None = None,
    tls: bool = False,
    persistent: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[RedisServer]:
    """Run a server; it ends, and its data is deleted, also when this process is killed.

    Args:
        password: The password of its default user; None: it has none.
        tls: Speak only TLS, with a certificate for 127.0.0.1 and localhost.
        persistent: Write each change to the disk, so that a restart keeps it.
        settings: Further lines of redis.conf, such as `{"maxmemory": "2mb"}`.

    Yields:
        The server, ready for connections.

    Raises:
        ServerFailed: If it does not start, or is not installed.
    """
    _program()
    folder = Path(mkdtemp(prefix="redis-"))
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, folder],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = RedisServer(_free_port(), folder, password)
    try:
        lines = {
            "bind": _HOST,
            "port": str(server.port),
            "dir": str(folder),
            "pidfile": str(folder / "pid"),
            "save": '""',
            "appendonly": "yes" if persistent else "no",
            "appendfsync": "always",
        }
        if password:
            lines["requirepass"] = f'"{password}"'
        if tls:
            lines |= _certificates(server)
        lines |= settings or {}
        text = "".join(f"{name} {value}\n" for name, value in lines.items())
        (folder / "redis.conf").write_text(text, "utf-8")
        server.start()
        yield server
    finally:
        server.stop()
        guard.communicate()  # closes its input


def _program() -> str:
    """Return the path of the program.

    Raises:
        ServerFailed: It is not installed.
    """
    path = shutil.which(_PROGRAM)
    if path is None:
        message = (
            f"{_PROGRAM} is not installed: apt-get install redis-server (Debian, Ubuntu) or "
            "brew install redis (macOS)"
        )
        raise ServerFailed(message)
    return path


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _certificates(server: RedisServer) -> dict[str, str]:
    """Make the certificates of a server, and return the lines of redis.conf that name them."""
    import trustme  # noqa: PLC0415 - only few servers speak TLS

    authority = trustme.CA()
    certificate = authority.issue_cert(_HOST, "localhost")
    server.authority = server.folder / "authority.pem"
    authority.cert_pem.write_to_path(server.authority)
    pem = server.folder / "server.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(pem)
    return {
        "port": "0",
        "tls-port": str(server.port),
        "tls-cert-file": str(pem),
        "tls-key-file": str(pem),
        "tls-ca-cert-file": str(server.authority),
        "tls-auth-clients": "no",
    }
