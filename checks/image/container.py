"""An image that is built in a folder, and commands that run in it as an engine runs them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from checks.image.dockerfile import assignments, instructions

#: What a step that installs has of this machine, as an engine's has: the way to a package index.
_NETWORK = ("PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMESPACE = ("unshare", "--mount", "--pid", "--fork")
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"

# The disk is read-only, except for /tmp; /config has the files that a platform hands over. The
# mounts are gone with the process.
_RUN = """
mount --bind "$1" "$1"
mount --types tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1/config"
mount --types proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --options remount,bind,ro "$1/config"
mount --options remount,bind,ro "$1"
exec chroot --userspec="$3" --groups= "$1" /usr/bin/env --ignore-environment --chdir="$4" "${@:5}"
"""


class StepFailed(Exception):
    """Raised if a step of the Dockerfile fails, or is one that is not known here."""


class Container:
    """What a Dockerfile makes of a base image.

    Attributes:
        entrypoint: The command of its ENTRYPOINT.
        user: The name of its USER.
    """

    def __init__(self, root: Path, context: Path) -> None:
        """Create a container.

        Args:
            root: The folder with the base image.
            context: The folder that files are copied from.
        """
        self.entrypoint: list[str] = []
        self.user = "root"
        self._root = root
        self._context = context
        self._workdir = "/"
        self._env = {"PATH": _PATH}
        for name in ("etc/resolv.conf", "etc/hosts", _CERTIFICATES):
            if Path("/", name).exists():
                shutil.copy(f"/{name}", root / name)

    def build(self, dockerfile: str) -> None:
        """Do what a Dockerfile says after its FROM.

        Raises:
            StepFailed: If a step fails, or is not known here.
        """
        steps = {
            "ENV": self._set,
            "WORKDIR": self._change_folder,
            "COPY": self._copy,
            "RUN": self._run,
            "USER": self._change_user,
            "ENTRYPOINT": self._start_with,
        }
        described = ("FROM", "ARG", "LABEL")  # what the image is called changes nothing in it
        for name, text in instructions(dockerfile):
            if name in described:
                continue
            if name not in steps:
                raise StepFailed(f"{name} {text}: this check doesn't know {name}")
            print(f"  {name} {text}")
            steps[name](text)

    def run(
        self, command: list[str], config: Path, uid: int, folder: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a read-only disk, as a user that the image doesn't know.

        Args:
            command: The program, by its absolute path, and its arguments.
            config: The folder that the command finds as /config, read-only.
            uid: The id of the user, whose group is root's.
            folder: The working folder, by default that of the image.
        """
        (self._root / "config").mkdir(exist_ok=True)
        env = [f"{name}={value}" for name, value in self._env.items()]
        arguments = [str(self._root), str(config), f"{uid}:0", folder or self._workdir, *env]
        return subprocess.run(
            [*_NAMESPACE, "bash", "-ec", _RUN, "run", *arguments, *command],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def _set(self, text: str) -> None:
        self._env.update(assignments(text))

    def _change_user(self, text: str) -> None:
        self.user = text

    def _start_with(self, text: str) -> None:
        self.entrypoint = json.loads(text)

    def _change_folder(self, text: str) -> None:
        self._workdir = text
        (self._root / text.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _copy(self, text: str) -> None:
        *sources, target = shlex.split(text)
        place = self._root / os.path.join(self._workdir, target).lstrip("/")  # noqa: PTH118
        for source in map(self._context.joinpath, sources):
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                if target.endswith("/"):
                    place.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, place)

    def _run(self, text: str) -> None:
        network = {name: os.environ[name] for name in _NETWORK if name in os.environ}
        done = subprocess.run(
            ["chroot", str(self._root), "/bin/sh", "-c", f'cd "$0" && {text}', self._workdir],
            env={**self._env, **network},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StepFailed(f"RUN {text} ended with {done.returncode}:\n{done.stdout}")
