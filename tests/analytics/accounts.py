"""The raw tables of simulated accounts, with the columns that models read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import Any

import yaml

from checks.support.comparison import column_of
from sandbox import Sandbox
from tests.analytics.databases import NOW, ROOT, DuckDB

_SOURCES = ROOT / "analytics" / "models" / "staging" / "_constantcontact__sources.yml"


@dataclass(frozen=True)
class Table:
    """A raw table: the types of its columns as in sources, and its rows."""

    columns: dict[str, str]
    rows: list[dict[str, Any]]

    def load(self, database: DuckDB, name: str, schema: str | None = None) -> None:
        """Load the table into a database."""
        rows = [tuple(row.get(column) for column in self.columns) for row in self.rows]
        columns = ", ".join(f"{column} {type_}" for column, type_ in self.columns.items())
        database.load(name, *rows, columns=columns, schema=schema)


@cache
def tables_of_account(seed: int) -> dict[str, Table]:
    """Return the raw tables of an account, by stream.

    Args:
        seed: Equal seeds have equal accounts.
    """
    (source,) = yaml.safe_load(_SOURCES.read_text("utf-8"))["sources"]
    types = {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in source["tables"]
    }
    with Sandbox(contacts=60, campaigns=10, seed=seed, now=NOW) as sandbox:
        expected = sandbox.expected(set(types))
    campaigns = {
        row["campaign_activity_id"]: row["campaign_id"]
        for row in expected["email_campaign_activities"].values()
    }
    return {
        name: Table(
            {**columns, "_sdc_extracted_at": "timestamp"},
            [_loaded(row, columns, campaigns) for row in expected[name].values()],
        )
        for name, columns in types.items()
    }


def _loaded(
    row: dict[str, Any], types: dict[str, str], campaigns: dict[str, str]
) -> dict[str, Any]:
    """Return a row of the API with what the tap and the loader add, and with times in UTC."""
    loaded = {column_of(name): value for name, value in row.items()}
    if (activity := row.get("campaign_activity_id")) is not None:
        loaded.setdefault("campaign_id", campaigns[activity])
    for name in loaded.keys() & types.keys():
        if types[name] == "timestamp" and loaded[name]:
            loaded[name] = _in_utc(loaded[name])
    return {**loaded, "_sdc_extracted_at": NOW.isoformat(sep=" ")}


def _in_utc(text: str) -> str:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(sep=" ")
