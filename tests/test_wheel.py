"""What would be published: the index takes it, and it installs in an empty environment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.environments import Environment

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an sdist, and a wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--outdir", str(folder), str(PROJECT)]
    subprocess.run(build, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (built,) = dist.glob("*.whl")
    return built


def test_wheel_passes_twine_check(dist: Path) -> None:
    files = sorted(map(str, dist.iterdir()))
    assert [Path(file).suffix for file in files] == [".whl", ".gz"]
    check = [sys.executable, "-m", "twine", "check", "--strict", *files]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_wheel_description_has_links_that_work_on_the_package_index(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        description = archive.read(name).decode().partition("\n\n")[2]
    assert description.startswith("# tap-constantcontact\n")
    assert "meltano run tap-constantcontact" in description
    assert re.findall(r"\]\((?!https://)[^)]*\)|<(?:img|source|picture)", description) == []


def test_wheel_has_schemas_and_no_development_files(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {Path(name).name for name in names if "/schemas/" in name}
    assert shipped == {
        path.name for path in (PROJECT / "tap_constantcontact" / "schemas").iterdir()
    }
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "tap_constantcontact",
    }


def test_wheel_discovers_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "environment")
    environment.pip("install", str(wheel))
    tap = environment.program("tap-constantcontact")
    said = subprocess.run([tap, "--version"], check=True, capture_output=True, text=True).stdout
    assert f" v{wheel.name.split('-')[1]}," in said
    found = subprocess.run([tap, "--discover"], check=True, capture_output=True, cwd=tmp_path)
    streams = {stream["tap_stream_id"] for stream in json.loads(found.stdout)["streams"]}
    assert streams == {
        path.stem for path in (PROJECT / "tap_constantcontact" / "schemas").iterdir()
    }
