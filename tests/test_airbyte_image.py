"""The image of the source, without a container engine, and the files that register it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from support.environments import Environment
from support.tap import STREAMS

from tap_constantcontact.tap import TapConstantContact
from tools import metadata_yaml

PROJECT = Path(__file__).parent.parent
LINES = (PROJECT / "publish" / "Dockerfile").read_text("utf-8").splitlines()
FILES_OF_THE_PACKAGE = ("pyproject.toml", "README.md", "LICENSE", "schemas", "tap_constantcontact")
METADATA = yaml.safe_load(metadata_yaml.FILE.read_text("utf-8"))["data"]


def of(instruction: str) -> list[str]:
    """Return what an instruction of the Dockerfile is given, for each time that it is there."""
    return [
        line.removeprefix(instruction).strip()
        for line in LINES
        if line.startswith(f"{instruction} ")
    ]


def copied() -> list[tuple[list[str], str]]:
    """Return what is copied, and where to."""
    return [(sources, target) for *sources, target in map(shlex.split, of("COPY"))]


def test_image_copies_only_what_a_package_is_built_of() -> None:
    sources = {source for named, _ in copied() for source in named}
    assert sources == {*FILES_OF_THE_PACKAGE, "constraints/tap.txt"}
    assert all((PROJECT / source).exists() for source in sources)


def test_image_runs_as_user_with_an_absolute_entrypoint() -> None:
    (entry_point,) = of("ENTRYPOINT")
    (command,) = json.loads(entry_point)
    assert f'AIRBYTE_ENTRYPOINT="{command}"' in of("ENV")
    assert command.startswith("/")
    (user,) = of("USER")
    assert user not in ("root", "0")
    last = max(number for number, line in enumerate(LINES) if line.startswith("RUN "))
    assert LINES.index(f"USER {user}") > last


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Do in an empty environment what the image does: copy, and install."""
    folder = tmp_path_factory.mktemp("image")
    for sources, target in copied():
        (folder / target).parent.mkdir(exist_ok=True)
        if target.endswith("/"):
            (folder / target).mkdir(exist_ok=True)
        for source in map(PROJECT.joinpath, sources):
            if source.is_dir():
                skip = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, folder / target, ignore=skip)
            else:
                shutil.copy(source, folder / target)
    environment = Environment(folder / "environment")
    (install,) = [line for line in of("RUN") if line.startswith("pip ")]
    environment.pip(*shlex.split(install)[1:], cwd=folder)
    return environment


@pytest.mark.slow
def test_image_command_runs_in_another_folder(environment: Environment, tmp_path: Path) -> None:
    (entry_point,) = of("ENTRYPOINT")
    command = environment.program(Path(json.loads(entry_point)[0]).name)
    done = subprocess.run(
        [command, "spec"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert json.loads(done.stdout)["type"] == "SPEC"
    config = tmp_path / "config.json"
    config.write_text("{}")
    discover = [command, "discover", "--config", str(config)]
    found = subprocess.run(discover, check=True, capture_output=True, text=True, cwd=tmp_path)
    catalog = json.loads(found.stdout.splitlines()[-1])["catalog"]
    assert {stream["name"] for stream in catalog["streams"]} == set(STREAMS)


@pytest.mark.slow
def test_image_has_no_airbyte_package(environment: Environment) -> None:
    assert "airbyte" not in environment.pip("list").lower()


@pytest.mark.e2e
def test_image_metadata_is_what_make_plugin_writes() -> None:
    assert metadata_yaml.FILE.read_text("utf-8") == metadata_yaml.text(), "run make plugin"


def test_image_metadata_matches_the_tap() -> None:
    assert METADATA["dockerImageTag"] == TapConstantContact.plugin_version
    assert METADATA["connectorType"] == "source"
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", METADATA["definitionId"])
    suggested = METADATA["suggestedStreams"]["streams"]
    assert suggested == [name for name, stream in STREAMS.items() if stream.selected_by_default]
    assert "language:python" in METADATA["tags"]


def test_image_icon_is_square() -> None:
    picture = ET.parse(metadata_yaml.FILE.with_name(METADATA["icon"])).getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert picture.attrib["width"] == picture.attrib["height"]
