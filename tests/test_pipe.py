"""The tap piped into a target by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import STREAMS, TapCommand

from sandbox import Sandbox

TARGET = os.environ.get("TARGET_JSONL")


@pytest.mark.skipif(TARGET is None, reason="TARGET_JSONL does not name a target: use make test")
def test_target_jsonl_gets_every_row(tap: TapCommand, sandbox: Sandbox) -> None:
    target_config = tap.folder / "target.json"
    output = tap.folder / "output"
    output.mkdir()
    target_config.write_text(json.dumps({"destination_path": str(output)}))
    target = str(Path(shutil.which(TARGET or "") or "").absolute())

    source = subprocess.Popen(tap.command(tap.settings(sandbox)), stdout=subprocess.PIPE)
    sink = subprocess.run(
        [target, "--config", str(target_config)],
        stdin=source.stdout,
        capture_output=True,
        text=True,
        check=True,
    )
    assert source.wait(timeout=60) == 0

    rows = {
        path.name.split("-")[0]: path.read_text().splitlines() for path in output.glob("*.jsonl")
    }
    expected = sandbox.expected()
    assert {name: len(lines) for name, lines in rows.items()} == {
        name: len(expected[name])
        for name, stream in STREAMS.items()
        if stream.selected_by_default and expected[name]
    }
    state = json.loads(sink.stdout.splitlines()[-1])
    assert state["bookmarks"]["contacts"]["replication_key_value"]
