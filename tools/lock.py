"""Pin what is installed: `make lock` writes constraints/, a file for packages that fit together.

A file holds for all versions of Python and all systems that its environments are made for. What is
pinned stays until it no longer fits, or until `make lock LOCK=--upgrade`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tools.install import find_uv, say

FOLDER = Path(__file__).parent.parent / "constraints"
_SDK = "singer-sdk"
_TAP = ["pyproject.toml", "--all-extras"]


def _groups(*names: str) -> list[str]:
    return [argument for name in names for argument in ("--group", name)]


#: The files, and what each is made of: the package with its extras, or groups of pyproject.toml.
FILES = {
    "build": _groups("build"),
    "tap": [*_TAP, *_groups("test", "lint", "sandbox", "browser", "screenshots")],
    # `make test-next` says which version of the SDK it takes.
    "next": [*_TAP, *_groups("test"), "-", "--no-emit-package", _SDK],
    "demo": _groups("demo"),
    "airflow": _groups("airflow"),
    "analytics": _groups("analytics"),
    "snowflake": _groups("snowflake"),
    "bigquery": _groups("bigquery"),
    "airbyte": _groups("airbyte"),
    "docs": _groups("docs"),
    "target-jsonl": _groups("target-jsonl"),
    "target-snowflake": _groups("target-snowflake"),
    "target-iceberg": _groups("target-iceberg"),
    "target-dlt": ["pyproject.toml", *_groups("target-dlt")],
    "target-bigquery": _groups("target-bigquery"),
    "target-bigquery-server": _groups("target-bigquery-server"),
    "bench": _groups("bench"),
}
#: The oldest Python, where it is not the tap's.
_PYTHON = dict.fromkeys(
    ("docs", "snowflake", "bigquery", "target-snowflake", "target-bigquery-server"), "3.11"
)


def main(arguments: list[str]) -> int:
    """Write the files, and return the exit status.

    Args:
        arguments: The coming version of the SDK, and further arguments of `uv pip compile`.
    """
    next_sdk, *others = arguments
    uv = find_uv(time.monotonic())
    if not uv:
        say("make lock needs uv.")
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name, sources in FILES.items():
        command = [uv, "pip", "compile", "--quiet", "--no-config", "--universal"]
        command += ["--python-version", _PYTHON.get(name, "3.10")]
        # pip refuses constraints with extras.
        command += ["--strip-extras", "--no-annotate", "--custom-compile-command", "make lock"]
        command += ["--output-file", f"constraints/{name}.txt", *sources, *others]
        sdk = f"{_SDK}=={next_sdk}\n"
        done = subprocess.run(
            command, cwd=FOLDER.parent, input=sdk, text=True, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            return done.returncode
        say(f"constraints/{name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
