"""Files that PowerShell writes: UTF-16, and UTF-8 with a byte order mark."""

from __future__ import annotations

import json

import pytest
from support.tap import TapCommand

from sandbox import Sandbox


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_config_state_and_catalog_are_read_in_encodings_of_powershell(
    tap: TapCommand, sandbox: Sandbox, encoding: str
) -> None:
    first = tap.sync(sandbox, "contact_tags", "email_campaigns")
    files = {
        "config": tap.settings(sandbox),
        "catalog": tap.catalog(["contact_tags", "email_campaigns"]),
        "state": first.state,
    }
    arguments = []
    for name, content in files.items():
        path = tap.folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding)
        arguments += [f"--{name}", str(path)]
    run = tap.run(None, *arguments)
    assert run.status == 0, run.log
    assert len(run.records["contact_tags"]) == len(first.records["contact_tags"])
    assert len(run.records["email_campaigns"]) < len(first.records["email_campaigns"])
