"""What `make` says while it installs, and with which Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.install import find_uv, run

PROJECT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with what `make` needs to install."""
    for name in ("Makefile", "pyproject.toml", "constraints", "tools"):
        (tmp_path / name).symlink_to(PROJECT / name)
    return tmp_path


def make(folder: Path, python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make with a program as python3."""
    env = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def fake_python(folder: Path, version: tuple[int, int, int]) -> Path:
    """Return a python3 of another version, which `make` takes for it."""
    program = folder / "bin" / "python3"
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c "
        f"\"import sys; sys.version_info = {version}; code = sys.argv[2]; sys.argv[:] = ['-c']; "
        'exec(code)" "$@"\n'
    )
    program.chmod(0o755)
    return program


@pytest.mark.e2e
@pytest.mark.parametrize("version", [(3, 9, 18), (2, 7, 18), (3, 14, 0)])
def test_demo_with_an_unfit_python_fails_in_one_sentence(
    checkout: Path, version: tuple[int, int, int]
) -> None:
    done = make(checkout, fake_python(checkout, version), "demo")
    assert done.returncode == 2
    sentence, end = done.stderr.splitlines()
    dotted = ".".join(map(str, version))
    assert sentence == (
        f".venv-demo needs Python 3.10 to 3.13, and python3 is {dotted}. Install one that fits, or "
        "name it: make demo PYTHON=python3.12"
    )
    assert end.startswith("make: *** ")
    assert done.stdout == ""


@pytest.mark.e2e
def test_environment_for_tests_has_no_newest_python(checkout: Path) -> None:
    done = make(checkout, fake_python(checkout, (3, 9, 1)), "check")
    assert ".venv needs Python 3.10 or newer, and python3 is 3.9.1." in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("uv", ["", "no"])
def test_environment_of_an_older_python_is_replaced(checkout: Path, uv: str) -> None:
    (checkout / "Makefile").unlink()
    rules = (PROJECT / "Makefile").read_text("utf-8")
    rules += "\n.venv-small/made: WHAT = nothing\n.venv-small/made:\n\t$(call install,build,pip)\n"
    (checkout / "Makefile").write_text(rules)
    old = checkout / ".venv-small" / "bin" / "python"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make(checkout, Path(sys.executable), ".venv-small/made", f"UV={uv}")
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    assert first == "Installing nothing into .venv-small …"
    assert last.startswith("Installed nothing in ")
    assert subprocess.run([old, "--version"], check=False).returncode == 0
    pins = (PROJECT / "constraints" / "build.txt").read_text("utf-8")
    (line,) = re.findall("^pip==.+$", pins, re.MULTILINE)
    freeze = [str(old), "-m", "pip", "list", "--format=freeze"]
    said = subprocess.run(freeze, check=True, capture_output=True)
    assert line in said.stdout.decode().splitlines()
    assert (checkout / ".venv-uv").exists() == (uv == "" and not shutil.which("uv"))


@pytest.mark.e2e
def test_machine_that_cannot_have_uv_takes_pip(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", fake_python(tmp_path, (3, 9, 0)))
    assert find_uv(time.monotonic()) is None
    assert capsys.readouterr().out == "uv can't be installed here; pip takes longer.\n"
    assert not (tmp_path / ".venv-uv").exists()


@pytest.mark.e2e
def test_long_command_shows_signs_of_life(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    status = run(
        [sys.executable, "-c", "import sys, time; time.sleep(0.5); sys.exit(3)"], began, 0.1
    )
    assert status == 3
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= (time.monotonic() - began) / 0.1
