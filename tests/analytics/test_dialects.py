"""The models in Snowflake and BigQuery, emulated: their SQL, and the rows of their marts."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.analytics.accounts import tables_of_account
from tests.analytics.databases import ROOT, DuckDB

# Times of builds, and keys made from the text of a time, whose form depends on the database.
VOLATILE = {
    "built_at", "engagement_event_id", "bounce_id", "unsubscribe_id", "list_stay_id", "tag_stay_id",
}  # fmt: skip

Marts = dict[str, Counter[tuple[tuple[str, str | None], ...]]]


def emulated(database: str, tmp_path: Path) -> Marts:
    """Build the models in an emulated database, and return the rows of the marts."""
    python = ROOT / f".venv-{database}" / "bin" / "python"
    tables = {name: asdict(table) for name, table in tables_of_account(1).items()}
    (tmp_path / "tables.json").write_text(json.dumps(tables), encoding="utf-8")
    done = subprocess.run(
        [
            python,
            ROOT / "tests" / "analytics" / "emulators" / f"in_{database}.py",
            tmp_path / "tables.json",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    marts = json.loads((tmp_path / "marts.json").read_text("utf-8"))
    return {name: rows_of(mart["columns"], mart["rows"]) for name, mart in marts.items()}


@pytest.fixture(scope="session")
def in_duckdb(duckdb_file: DuckDB) -> Marts:
    """The rows of the marts in DuckDB."""
    duckdb_file.clear()
    for name, table in tables_of_account(1).items():
        table.load(duckdb_file, name)
    done = duckdb_file.build("--no-report", "--exclude-resource-type", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    marts = duckdb_file.query(
        "select table_name, list(column_name) from information_schema.columns "
        "where table_schema = 'analytics' group by table_name"
    )
    return {
        name: rows_of(
            columns, duckdb_file.query(f"select {', '.join(columns)} from analytics.{name}")
        )
        for name, columns in marts
    }


def rows_of(columns: list[str], rows: Any) -> Counter[tuple[tuple[str, str | None], ...]]:
    """Return rows in a form that does not depend on the database."""
    return Counter(
        tuple(
            sorted(
                (name, normal(value))
                for name, value in zip(columns, row, strict=True)
                if name not in VOLATILE
            )
        )
        for row in rows
    )


def normal(value: Any) -> str | None:
    """Return the text of a value in one form: 0.50 as 0.5, and times without UTC."""
    if value is None:
        return None
    text = str(value).removesuffix("+00:00")
    try:
        return format(float(text), ".12g")
    except ValueError:
        return text


@pytest.mark.parametrize("database", ["snowflake", "bigquery"])
def test_marts_of_other_databases(database: str, in_duckdb: Marts, tmp_path: Path) -> None:
    marts = emulated(database, tmp_path)
    assert marts.keys() == in_duckdb.keys()
    for name, rows in in_duckdb.items():
        assert marts[name] == rows, name
    # The models that are not marts, and the tests, are checked too.
    compiled = json.loads((tmp_path / "compiled.json").read_text("utf-8"))
    models = {path.stem for path in (ROOT / "analytics" / "models").rglob("*.sql")}
    assert models <= {name.split(".")[2] for name in compiled if name.startswith("model.")}
