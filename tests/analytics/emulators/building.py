"""What builds the models in an emulated database.

TABLES is a JSON file of raw tables: their columns with the types of sources, and their rows. FOLDER
takes the files of dbt, and marts.json: the columns and rows of each mart, all values as texts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlglot
from dbt.cli.main import dbtRunner
from sqlglot.errors import ErrorLevel

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "analytics"

Query = Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]

# What sqlglot writes otherwise, though the dialect has it too.
_SYNONYMS = {
    "snowflake": {
        "double precision", "extract", "first", "integer", "last", "nulls", "numeric", "substr",
        "text", "to_varchar",
    },
    "bigquery": {"-", "first", "integer", "last", "nulls"},
}  # fmt: skip
_KINDS = ["--resource-type", "model", "--resource-type", "snapshot", "--resource-type", "seed"]


def build(profile: dict[str, Any], folder: Path) -> None:
    """Build the models, and check their SQL, that of tests, and that of a second build in parts.

    Raises:
        SystemExit: dbt fails, or SQL is not of the dialect.
    """
    profiles = {"constantcontact": {"target": "dev", "outputs": {"dev": profile}}}
    (folder / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
    os.chdir(PROJECT)
    for command in (["build", *_KINDS], ["compile"]):
        folders = ("--profiles-dir", "--target-path", "--log-path")
        options = [option for name in folders for option in (name, str(folder))]
        options += ["--vars", "{constantcontact_metrics: true}"]
        result = dbtRunner().invoke([*command, "--quiet", *options])
        if not result.success:
            raise SystemExit(f"dbt {command[0]} failed: {result.exception or ''}")
    check_sql(folder, profile["type"])


def check_sql(folder: Path, dialect: str) -> None:
    """Check that what dbt compiled last is SQL of a dialect.

    sqlglot also reads much of other dialects. What it would write in other words is of another.

    Raises:
        SystemExit: It is not.
    """
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    compiled = {
        name: node["compiled_code"]
        for name, node in manifest["nodes"].items()
        if node.get("compiled_code") and node["resource_type"] != "seed"
    }
    for name, sql in compiled.items():
        trees = sqlglot.parse(sql, dialect=dialect, error_level=ErrorLevel.RAISE)
        written = ";".join(tree.sql(dialect, unsupported_level=ErrorLevel.RAISE) for tree in trees)
        foreign = _words(sql, dialect) - _words(written, dialect) - _SYNONYMS[dialect]
        if foreign:
            raise SystemExit(f"{name} is not {dialect}: {', '.join(sorted(foreign))}")
    (folder / "compiled.json").write_text(json.dumps(sorted(compiled)), encoding="utf-8")


def _words(sql: str, dialect: str) -> set[str]:
    values = ("STRING", "RAW_STRING", "NUMBER", "IDENTIFIER")
    tokens = sqlglot.tokenize(sql, dialect)
    return {token.text.lower() for token in tokens if token.token_type.name not in values}


def write_marts(query: Query, folder: Path) -> None:
    """Write the columns and rows of all marts.

    Args:
        query: Returns the columns and rows of a query.
        folder: Has dbt's manifest.
    """
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    marts = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and "marts" in node["fqn"]:
            columns, rows = query(f"select * from {node['schema']}.{node['alias']}")
            texts = [[None if value is None else str(value) for value in row] for row in rows]
            marts[node["name"]] = {"columns": columns, "rows": texts}
    (folder / "marts.json").write_text(json.dumps(marts), encoding="utf-8")
