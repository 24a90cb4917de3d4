"""The wheel installs in an empty environment and holds all that the tap needs."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(PROJECT)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_schemas_and_nothing_that_is_only_for_developers(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {Path(name).name for name in names if "/schemas/" in name}
    assert shipped == {path.name for path in (PROJECT / "schemas").iterdir()}
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "tap_constantcontact",
    }


def test_it_discovers_from_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    install = [str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    discover = [str(programs / "tap-constantcontact"), "--discover"]
    found = subprocess.run(discover, check=True, capture_output=True, cwd=tmp_path)
    streams = {stream["tap_stream_id"] for stream in json.loads(found.stdout)["streams"]}
    assert streams == {path.stem for path in (PROJECT / "schemas").iterdir()}
