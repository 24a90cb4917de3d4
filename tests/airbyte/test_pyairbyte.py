"""PyAirbyte reads the source into its DuckDB cache: all rows, then what has changed."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import airbyte as ab
import pytest
import yaml
from airbyte.caches import DuckDBCache
from conftest import EXECUTABLE, PROJECT

from checks.support.comparison import column_of, normalize, volatile_properties
from sandbox import Sandbox


def default_streams() -> list[str]:
    """Return the streams that the connector suggests."""
    metadata = yaml.safe_load((PROJECT / "publish" / "metadata.yaml").read_text("utf-8"))
    return list(metadata["data"]["suggestedStreams"]["streams"])


@pytest.fixture
def source(sandbox: Sandbox, tmp_path: Path) -> ab.Source:
    config = {
        **sandbox.settings,
        "token_store": str(tmp_path / "tokens.json"),
        "requests_per_second": 1000,
    }
    source = ab.get_source("source-constantcontact", config=config, local_executable=EXECUTABLE)
    source.check()
    source.select_streams(default_streams())
    return source


def rows_of(cache: DuckDBCache, table: str) -> list[dict[str, Any]]:
    return list(map(dict, cache[table]))


def extracted_at(row: dict[str, Any]) -> datetime:
    at: datetime = row["_airbyte_extracted_at"]
    return at.replace(tzinfo=at.tzinfo or timezone.utc)


def keys_of(source: ab.Source, table: str) -> list[str]:
    (stream,) = [s for s in source.discovered_catalog.streams if s.name == table]
    return [key for (key,) in stream.source_defined_primary_key]


def check(cache: DuckDBCache, source: ab.Source, sandbox: Sandbox, hidden: set[str]) -> None:
    """Compare the tables with the account, value by value.

    Args:
        cache: where the tables are.
        source: what was read.
        sandbox: what serves the account.
        hidden: ids of rows whose values may be older than the account's.
    """
    for name, rows in sandbox.expected(default_streams()).items():
        key = keys_of(source, name)
        loaded = {tuple(normalize(row[part]) for part in key): row for row in rows_of(cache, name)}
        wanted = {tuple(map(normalize, key_of_row)): row for key_of_row, row in rows.items()}
        assert not wanted.keys() - loaded.keys(), name
        if "occurrence" in key:  # which of several rows at one time is the first does not matter
            continue
        for key_of_row, row in wanted.items():
            for column, value in row.items():
                if column not in volatile_properties(key) and hidden.isdisjoint(key_of_row):
                    held = loaded[key_of_row].get(column_of(column))
                    held = float(held) if isinstance(held, Decimal) else held
                    assert normalize(held) == normalize(value), (name, column)


def test_all_rows_come_and_then_what_has_changed(
    source: ab.Source, sandbox: Sandbox, tmp_path: Path
) -> None:
    cache = DuckDBCache(db_path=tmp_path / "cache.duckdb")
    first = source.read(cache)
    check(cache, source, sandbox, hidden=set())
    assert set(cache.streams) >= {name for name, rows in sandbox.expected().items() if rows} & set(
        default_streams()
    )

    changed = sandbox.change()
    began = datetime.now(timezone.utc)
    second = source.read(cache)
    hidden = {
        *changed["contacts_resubscribed"],
        *changed["contacts_off_lists"],
        *changed["registrations_changed"],
    }
    check(cache, source, sandbox, hidden)
    touched = set(chain.from_iterable(changed.values()))
    for name, key in (("contacts", "contact_id"), ("email_opens", "campaign_id")):
        new = {row[key] for row in rows_of(cache, name) if extracted_at(row) >= began}
        assert new
        assert new <= touched
    assert second.processed_records < first.processed_records / 2

    asked = len(sandbox.requests)
    third = source.read(cache)
    assert not [r.path for r in sandbox.requests[asked:] if "/email_reports/" in r.path]
    assert third.processed_records < second.processed_records


def test_what_a_budget_leaves_unread_comes_with_the_next_reads(
    source: ab.Source, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It ends with success: of a source that fails, PyAirbyte keeps neither rows nor states."""
    config = {**source.get_config(), "max_requests": 40, "on_quota_exceeded": "stop"}
    source.set_config(config)
    cache = DuckDBCache(db_path=tmp_path / "cache.duckdb")
    few = source.read(cache)
    for _ in range(9):
        asked = len(sandbox.requests)
        more = source.read(cache)
        if len(sandbox.requests) - asked < config["max_requests"]:
            break
    assert few.processed_records
    assert more.processed_records
    check(cache, source, sandbox, hidden=set())
