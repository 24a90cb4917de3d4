"""A BigQuery dataset, loaded by target-bigquery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checks.support.comparison import Row
from checks.support.loaders.emulator import Emulator, emulator, environment, program
from checks.support.loaders.target import Database, Skipped, pinned, without_empty_arrays

DATASET = "constantcontact"


class BigQuery(Database):
    """A BigQuery dataset.

    Its loader ends with status 0 when its load jobs fail: the check counts rows.
    """

    loader = "target-bigquery"
    page = "bigquery.md"
    emulator = pinned("bqemulator", "target-bigquery-server")
    extracted_at = "unix_micros(_sdc_extracted_at) / 1000000"

    def __init__(self, served: Emulator) -> None:
        """Use an emulator that runs for as long as the target is used."""
        self._served = served
        started = served.started
        self.command = [*program("bigquery", "bigquery_loader"), str(started["port"])]
        self.settings = {"project": started["project"], "dataset": DATASET}

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        result = self._served.ask(sql=sql, dataset=DATASET)
        return result["columns"], [tuple(row) for row in result["rows"]]

    def rows(self, stream: str) -> list[Row]:
        """Return all rows of a table."""
        return [self.kept(row) for row in super().rows(stream)]

    def kept(self, row: Row) -> Row:
        """Return a row without empty arrays: in BigQuery, no array is null."""
        kept: Row = without_empty_arrays(row)
        return kept

    def key(self, stream: str) -> set[str] | None:
        """Return None: the tables have no primary keys."""
        return None


@contextmanager
def emulated_bigquery(folder: Path) -> Iterator[BigQuery]:
    """Serve BigQuery while the target is used."""
    try:
        environment("bigquery")
    except Skipped as reason:
        raise Skipped(f"{reason}: its loader needs Python 3.10 or 3.11") from None
    with emulator("bigquery-server", "bigquery_server", folder / "emulator") as served:
        yield BigQuery(served)
