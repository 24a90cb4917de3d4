"""Following docs/guides/custom-streams.md word by word gives the rows that it promises."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from support.tap import TapCommand, TapProcess

from sandbox import Sandbox
from tap_constantcontact.settings.custom_streams import problems

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "guides" / "custom-streams.md").read_text("utf-8")
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```', re.MULTILINE | re.DOTALL)
BLOCKS: dict[str, str] = dict(BLOCK.findall(PAGE))
UNTITLED = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)


def rows_of_sms_lists(tap: TapCommand, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Discover and read the stream of the page."""
    catalog = json.loads("\n".join(tap.run(config, "--discover").lines))
    for stream in catalog["streams"]:
        (root,) = [each["metadata"] for each in stream["metadata"] if each["breadcrumb"] == []]
        root["selected"] = stream["tap_stream_id"] == "sms_lists"
    path = tap.folder / "found.json"
    path.write_text(json.dumps(catalog))
    run = tap.run(config, "--catalog", str(path))
    assert run.status == 0, run.log
    return run.records["sms_lists"]


def ids_of_sms_lists(tap: TapCommand, sandbox: Sandbox) -> set[str]:
    lists = tap.sync(sandbox, "contact_lists").records["contact_lists"]
    return {each["list_id"] for each in lists if "sms" in each["channel_types"]}


def test_documented_setting_reads_the_endpoint(tap: TapCommand, sandbox: Sandbox) -> None:
    config = tap.settings(sandbox, **json.loads(BLOCKS["config.json"]))
    rows = rows_of_sms_lists(tap, config)
    assert {row["list_id"] for row in rows} == ids_of_sms_lists(tap, sandbox) != set()
    assert all(row["record"]["name"] for row in rows)


def test_documented_schema_has_its_columns(tap: TapCommand, sandbox: Sandbox) -> None:
    config = json.loads(BLOCKS["config.json"])
    (schema,) = UNTITLED.findall(PAGE)
    config["custom_streams"][0].update(json.loads(schema))
    assert list(problems(config["custom_streams"], ())) == []
    rows = rows_of_sms_lists(tap, tap.settings(sandbox, **config))
    assert all(row["name"] and row["created_at"].endswith("Z") for row in rows)


def test_documented_class_reads_the_endpoint(
    tap: TapCommand, tap_process: TapProcess, sandbox: Sandbox, tmp_path: Path
) -> None:
    tap_process.checkout = copy = tmp_path / "checkout"
    for folder in ("tap_constantcontact", "schemas"):
        shutil.copytree(ROOT / folder, copy / folder)
    for name, block in BLOCKS.items():
        if name != "config.json":
            with (copy / name).open("a", encoding="utf-8") as file:
                file.write(f"\n\n{block}")
    rows = rows_of_sms_lists(tap_process, tap_process.settings(sandbox))
    assert {row["list_id"] for row in rows} == ids_of_sms_lists(tap, sandbox) != set()
    assert all(row["name"] and row["created_at"].endswith("Z") for row in rows)
