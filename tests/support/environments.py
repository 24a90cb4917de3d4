"""Environments with nothing but what a test installs."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment, which pip of this environment installs into: that is quick."""

    folder: Path

    def __post_init__(self) -> None:
        venv.create(self.folder)

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def pip(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run pip on the environment, and return what it prints."""
        command = [sys.executable, "-m", "pip", "--python", self.program("python"), *arguments]
        env = {**os.environ, "PIP_NO_COMPILE": "1"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd, env=env)
        return done.stdout
