"""`make image-check`: do what the Dockerfile says, without a container engine, and run the result.

debootstrap makes the base: the release of Debian and the version of Python that the Dockerfile
names, but Debian's own build of it. The commands run on a read-only disk, as a user that the image
doesn't know and that has no home, against a sandbox.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checks.image.container import Container, StepFailed
from checks.image.dockerfile import instructions
from checks.support.table import print_lines_at_once
from sandbox import Sandbox

PROJECT = Path(__file__).parents[2]
STREAMS = ("contacts", "contact_lists", "email_campaigns")

_BASE = re.compile(r"python:(?P<python>3\.\d+)-slim-(?P<release>\w+)")
_PACKAGES = "ca-certificates,python3,python3-venv"


class CheckFailed(Exception):
    """Raised when the image doesn't do what it should."""


def main() -> int:
    """Run the check and return its exit status."""
    print_lines_at_once()
    if os.geteuid() or not all(map(shutil.which, ("debootstrap", "unshare", "chroot"))):
        print("Skipped: the check of the image needs debootstrap, and root's rights.")
        return 0
    dockerfile = (PROJECT / "publish" / "Dockerfile").read_text("utf-8")
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        try:
            container = Container(base(dict(instructions(dockerfile))["FROM"], folder), PROJECT)
            container.build(dockerfile)
            check(container, folder / "config")
        except (CheckFailed, StepFailed) as failure:
            print(f"\nThe check of the image failed: {failure}")
            return 1
    return 0


def base(image: str, folder: Path) -> Path:
    """Make what stands in for the base image, and return its folder.

    Args:
        image: The name of the base image.
        folder: Where to make it.

    Raises:
        CheckFailed: If debootstrap fails, or the version of Python is another.
    """
    if not (wanted := _BASE.fullmatch(image)):
        raise CheckFailed(f"{image} does not name a version of Python and a release of Debian")
    root, began = folder / "root", time.monotonic()
    print(f"Debian {wanted['release']} in place of {image} …")
    options = ["--variant=minbase", f"--include={_PACKAGES}", wanted["release"], str(root)]
    done = subprocess.run(
        ["debootstrap", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CheckFailed(f"debootstrap: {done.stdout[-2000:]}")
    # Its Python and its pip are in /usr/local.
    local = ["chroot", str(root), "python3", "-m", "venv", "/usr/local"]
    subprocess.run(local, check=True)
    python = ["chroot", str(root), "/usr/local/bin/python3", "--version"]
    version = subprocess.check_output(python, text=True).strip()
    print(f"  {version} of Debian, in {time.monotonic() - began:.0f} s")
    if not version.startswith(f"Python {wanted['python']}."):
        raise CheckFailed(f"Debian {wanted['release']} has {version}, and the image {image}")
    return root


def check(container: Container, config: Path) -> None:
    """Run the commands of the image, and compare the rows with the account's.

    Args:
        container: The image.
        config: A folder for the files that a platform hands over.

    Raises:
        CheckFailed: If a command fails, or a row is missing.
    """
    config.mkdir()
    uid = 100_000 + secrets.randbelow(900_000)
    print(f"\nAs user {uid}, on a read-only disk, without a home:")

    def run(what: str, *command: str, folder: str | None = None) -> list[dict[str, Any]]:
        done = container.run([*command], config, uid, folder)
        if done.returncode:
            said = (done.stdout + done.stderr)[-2000:]
            raise CheckFailed(f"{what} ended with {done.returncode}:\n{said}")
        if "Traceback" in done.stderr:
            raise CheckFailed(f"{what} printed a traceback:\n{done.stderr[-2000:]}")
        print(f"  {what}")
        lines = done.stdout.splitlines()
        return [json.loads(done.stdout)] if lines[0] == "{" else [*map(json.loads, lines)]

    # Each command starts without what an earlier one kept, as in a container of its own.
    with Sandbox(
        contacts=300, campaigns=4, requests_per_second=0, long_lived_tokens=True
    ) as sandbox:
        expected = {name: len(rows) for name, rows in sandbox.expected(STREAMS).items()}
        (config / "config.json").write_text(
            json.dumps({**sandbox.settings, "requests_per_second": 1000})
        )
        for path in (config, config / "config.json"):
            path.chmod(0o755)
        config.parent.chmod(0o755)
        check_source(container.entrypoint[0], config, run, expected)
        check_tap("/usr/local/bin/tap-constantcontact", run, expected)
    print(f"\nAll rows arrived, both ways: {expected}.")


Runner = Callable[..., list[dict[str, Any]]]


def check_source(source: str, config: Path, run: Runner, expected: dict[str, int]) -> None:
    """Run the commands of Airbyte's protocol."""
    settings = ("--config", "/config/config.json")
    (spec,) = run("spec", source, "spec")
    _expect("spec", spec["type"], "SPEC")
    # Airbyte starts the command in another folder than the image's.
    checked = run("check", source, "check", *settings, folder="/")
    status = next(m for m in checked if m["type"] == "CONNECTION_STATUS")
    _expect("check", status["connectionStatus"]["status"], "SUCCEEDED")
    found = run("discover", source, "discover", *settings)
    catalog = next(m for m in found if m["type"] == "CATALOG")["catalog"]
    chosen = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in catalog["streams"]
        if stream["name"] in expected
    ]
    (config / "catalog.json").write_text(json.dumps({"streams": chosen}))
    messages = run("read", source, "read", *settings, "--catalog", "/config/catalog.json")
    rows = Counter(m["record"]["stream"] for m in messages if m["type"] == "RECORD")
    _expect("read", dict(rows), expected)


def check_tap(tap: str, run: Runner, expected: dict[str, int]) -> None:
    """Run the commands of a Singer tap."""
    settings = ("--config", "/config/config.json")
    (about,) = run("tap-constantcontact --about", tap, "--about", "--format=json")
    _expect("--about", about["name"], "tap-constantcontact")
    (catalog,) = run("tap-constantcontact --discover", tap, *settings, "--discover")
    _expect("--discover", {*expected} - {s["tap_stream_id"] for s in catalog["streams"]}, set())
    messages = run("tap-constantcontact, a sync", tap, *settings, "--select", ",".join(expected))
    rows = Counter(m["stream"] for m in messages if m["type"] == "RECORD")
    _expect("the sync", dict(rows), expected)


def _expect(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise CheckFailed(f"{what}: {got!r}, and not {expected!r}")


if __name__ == "__main__":
    sys.exit(main())
