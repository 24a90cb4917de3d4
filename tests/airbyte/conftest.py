"""What the tests with Airbyte's own packages share: a sandbox, and the source's executable.

They run in an environment of their own (`make airbyte`), in which the tap is not installed.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox

PROJECT = Path(__file__).parent.parent.parent
EXECUTABLE = PROJECT / ".venv" / "bin" / "source-constantcontact"

# Read by PyAirbyte when it is imported: it asks no registry, and tells nobody.
os.environ["AIRBYTE_OFFLINE_MODE"] = "1"
os.environ["DO_NOT_TRACK"] = "1"


def pytest_configure(config: pytest.Config) -> None:
    """Know the marks of airbyte-cdk, and let Airbyte's packages warn of themselves."""
    config.addinivalue_line("filterwarnings", "default")
    for mark in ("image_tests", "requires_creds"):
        config.addinivalue_line("markers", mark)


def settings_of_all(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    """Return the configuration with which every stream has rows."""
    account = sandbox.account
    return {
        **sandbox.settings,
        **sandbox.partner_settings,
        "token_store": str(folder / "tokens.json"),
        "requests_per_second": 1000,
        "landing_page_activity_ids": list(account.landing_pages),
        "v2_contact_ids": [str(id_) for id_ in account.v2_contact_ids],
        "v2_list_ids": [str(id_) for id_ in account.v2_list_ids],
        "v2_email_campaign_ids": [str(id_) for id_ in account.v2_campaign_ids],
        "report_start": "-1825d",
    }


def run(folder: Path, command: str, **files: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of the source, with files of some content."""
    arguments = []
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        arguments += [f"--{name}", str(path)]
    return subprocess.run(
        [str(EXECUTABLE), command, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=200, campaigns=8, requests_per_second=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("source")
