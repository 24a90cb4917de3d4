"""Serves BigQuery with bqemulator, and answers SQL queries: FOLDER.

What BigQuery has, the loader needs and the emulator lacks is added here: the loader stays as it is.
"""

from __future__ import annotations

from serving import serve  # isort: skip - before any module that prints

import asyncio
import gzip
import os
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import sqlglot
from bqemulator.api.routes import tables, upload
from bqemulator.config import Settings
from bqemulator.server import EmulatorServer
from bqemulator.sql.translator import SQLTranslator
from bqemulator.storage import type_map
from bqemulator.storage.engine import DuckDBEngine
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

_PROJECT = "sandbox"
_TIMEOUT = 60  # seconds until the emulator has started, and for a query
_GZIP = b"\x1f\x8b"

_columns = type_map.bq_schema_to_duckdb_columns
_load = upload._run_load  # noqa: SLF001
_translate = SQLTranslator.translate


def columns_of(fields: list[dict[str, Any]]) -> Any:
    """Return columns for DuckDB, quoting the parts of records: one is named "default"."""
    return _columns([{**field, "fields": _quoted(field.get("fields", ()))} for field in fields])


def _quoted(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**field, "name": f'"{field["name"]}"'} for field in fields]


def load(*, media_path: str, **options: Any) -> Any:
    """Run a load job; its file may be compressed."""
    file = Path(media_path)
    content = file.read_bytes()
    if content.startswith(_GZIP):
        file.write_bytes(gzip.decompress(content))
    return _load(media_path=media_path, **options)


def translate(self: SQLTranslator, sql: str, *arguments: Any, **options: Any) -> Any:
    """Translate a statement; MERGE may name the target in front of the columns that it sets."""
    if sql.lstrip().upper().startswith("MERGE "):
        merge = sqlglot.parse_one(sql, read="bigquery")
        for update in merge.find_all(sqlglot.exp.Update):
            for assignment in update.expressions:
                assignment.this.set("table", None)
        sql = merge.sql("bigquery")
    return _translate(self, sql, *arguments, **options)


type_map.bq_schema_to_duckdb_columns = tables.bq_schema_to_duckdb_columns = columns_of
upload._run_load = load  # noqa: SLF001
SQLTranslator.translate = translate
# An extension for geography, which DuckDB would fetch from elsewhere.
DuckDBEngine._load_spatial = lambda _: None  # noqa: SLF001


def start() -> int:
    """Start the emulator in a thread, and return its port."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    settings = Settings(
        rest_port=0,
        grpc_port=0,
        default_project_id=_PROJECT,
        enable_format_extensions=False,
        upload_staging_dir=sys.argv[1],
        log_level="warning",
    )
    server = EmulatorServer(settings)
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(_TIMEOUT)
    port: int = server.rest_port
    return port


port = start()
os.environ["BIGQUERY_EMULATOR_HOST"] = f"http://127.0.0.1:{port}"
client = bigquery.Client(_PROJECT, AnonymousCredentials())


def query(sql: str, dataset: str) -> dict[str, Any]:
    """Return the names of the columns and the rows of a query."""
    config = bigquery.QueryJobConfig(default_dataset=f"{_PROJECT}.{dataset}")
    job = client.query(sql, config, timeout=_TIMEOUT, retry=None, job_retry=None)
    rows = job.result(timeout=_TIMEOUT, retry=None)
    columns = [field.name for field in rows.schema]
    return {"columns": columns, "rows": [row.values() for row in rows]}


serve({"port": port, "project": _PROJECT}, query)
# The emulator has nothing to finish.
os._exit(0)
