"""Builds the models in bqemulator: TABLES FOLDER, as `building` describes."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import warnings
from pathlib import Path
from threading import Thread
from typing import Any

from bqemulator.config import Settings
from bqemulator.server import EmulatorServer
from bqemulator.storage.engine import DuckDBEngine
from building import ROOT, build, write_marts
from dbt.adapters.bigquery import connections
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

_PROJECT = "sandbox"
_PROFILE = {
    "type": "bigquery", "method": "oauth", "project": _PROJECT, "dataset": "analytics",
    "threads": 1, "job_retries": 0, "job_execution_timeout_seconds": 60,
}  # fmt: skip
_TYPES = {"string": "STRING", "integer": "INT64", "number": "FLOAT64", "boolean": "BOOL"}

warnings.filterwarnings("ignore")
# An extension for geography, which DuckDB would fetch from elsewhere.
DuckDBEngine._load_spatial = lambda _: None


def start() -> bigquery.Client:
    """Start the emulator in a thread of its own, and return a client."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    settings = Settings(
        rest_port=0, grpc_port=0, default_project_id=_PROJECT, enable_format_extensions=False,
        log_level="error",
    )  # fmt: skip
    server = EmulatorServer(settings)
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(60)
    os.environ["BIGQUERY_EMULATOR_HOST"] = f"http://127.0.0.1:{server.rest_port}"
    return bigquery.Client(_PROJECT, AnonymousCredentials())


def field(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a column as target-bigquery makes it of a property, with `denormalized: true`."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (type_,) = (each for each in types if each != "null")
    if type_ == "array":
        return {**field(name, schema["items"]), "mode": "REPEATED"}
    if type_ == "object" and schema.get("properties"):
        parts = [field(part, own) for part, own in schema["properties"].items()]
        return {"name": name, "type": "RECORD", "fields": parts}
    if type_ == "object":
        return {"name": name, "type": "JSON"}
    if schema.get("format") == "date-time":
        return {"name": name, "type": "TIMESTAMP"}
    return {"name": name, "type": _TYPES[type_]}


def value_of(column: dict[str, Any], value: Any) -> Any:
    """Return a value as BigQuery keeps it, which has an empty array in place of none."""
    if column.get("mode") == "REPEATED":
        return [value_of({**column, "mode": "NULLABLE"}, item) for item in value or []]
    if column["type"] == "RECORD" and value is not None:
        return {part["name"]: value_of(part, value.get(part["name"])) for part in column["fields"]}
    return json.dumps(value) if column["type"] == "JSON" else value


def load(client: bigquery.Client, name: str, names: list[str], rows: list[dict[str, Any]]) -> None:
    """Create a table as target-bigquery does."""
    properties = json.loads((ROOT / "schemas" / f"{name}.json").read_text("utf-8"))["properties"]
    properties["_sdc_extracted_at"] = {"type": "string", "format": "date-time"}
    # The tap adds them to rows of reports.
    properties.setdefault("campaign_id", {"type": "string"})
    columns = [field(column, properties[column]) for column in names]
    schema = [bigquery.SchemaField.from_api_repr(column) for column in columns]
    table = bigquery.Table(f"{_PROJECT}.constantcontact.{name}", schema)
    client.create_table(table)
    lines = [
        json.dumps(
            {column["name"]: value_of(column, row.get(column["name"])) for column in columns}
        )
        for row in rows
    ]
    if lines:
        config = bigquery.LoadJobConfig(schema=schema, source_format="NEWLINE_DELIMITED_JSON")
        file = io.BytesIO("\n".join(lines).encode())
        client.load_table_from_file(file, table.reference, job_config=config).result()


def main(tables: Path, folder: Path) -> None:
    """Load the tables, build the models and write what the marts have."""
    client = start()
    client.create_dataset("constantcontact")
    for name, table in json.loads(tables.read_text("utf-8")).items():
        load(client, name, list(table["columns"]), table["rows"])
    connections.create_bigquery_client = lambda _: client
    build(_PROFILE, folder)

    def query(sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        rows = client.query(sql).result()
        return [column.name for column in rows.schema], [row.values() for row in rows]

    write_marts(query, folder)


try:
    main(*map(Path, sys.argv[1:]))
    status = 0
except SystemExit as error:
    sys.stdout.write(f"{error}\n")
    status = 1
sys.stdout.flush()
# Neither the emulator nor its threads are to be waited for.
os._exit(status)
