"""A record of 25 MB: an email of many pictures that are written into its HTML."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.in_process import run_main
from support.sandboxes import MakeSandbox
from support.tap import TapCommand

from sandbox import Sandbox
from tap_constantcontact.airbyte.__main__ import main as source

HTML = "<p>Café</p>\u2028" + "x" * 25_000_000
STREAM = "email_campaign_previews"


@pytest.fixture
def large(make_sandbox: MakeSandbox) -> Sandbox:
    sandbox = make_sandbox(contacts=5, campaigns=2)
    for activity in sandbox.account.activities.values():
        activity["html_content"] = HTML
        break
    return sandbox


def largest(records: list[dict[str, Any]]) -> str:
    return max((record["preview_html_content"] or "" for record in records), key=len)


def test_tap_writes_a_record_of_25_mb(tap: TapCommand, large: Sandbox) -> None:
    run = tap.sync(large, STREAM)
    assert run.status == 0, run.log
    assert len(run.records[STREAM]) > 1
    assert largest(run.records[STREAM]) == HTML


def test_source_writes_a_record_of_25_mb(tap: TapCommand, large: Sandbox) -> None:
    stream = {"stream": {"name": STREAM, "json_schema": {}}, "sync_mode": "full_refresh"}
    files = {"config": tap.settings(large), "catalog": {"streams": [stream]}}
    arguments = ["source-constantcontact", "read"]
    for name, content in files.items():
        (tap.folder / f"{name}.json").write_text(json.dumps(content))
        arguments += [f"--{name}", str(tap.folder / f"{name}.json")]
    ended = run_main(source, arguments, folder=tap.folder)
    assert ended.status == 0, ended.stdout[-2000:]
    messages = [json.loads(line) for line in ended.stdout.splitlines()]
    records = [each["record"]["data"] for each in messages if each["type"] == "RECORD"]
    assert len(records) > 1
    assert largest(records) == HTML
    assert max(map(len, ended.stdout.splitlines())) > 25_000_000
