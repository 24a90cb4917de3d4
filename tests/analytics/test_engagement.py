"""Engagement that is built in parts: only rows that were loaded since the last build are read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.analytics.databases import NOW, Database, DuckDB, only

MODELS = [
    "--no-report", "--select", "+constantcontact__contact_engagement",
    "+constantcontact__daily_engagement", "--indirect-selection", "buildable",
]  # fmt: skip


def opened(contact: str, at: datetime = NOW, loaded: datetime | None = NOW) -> tuple[Any, ...]:
    """Return a row of email_opens."""
    return ("e", contact, "k", at, 0, "mobile", loaded)


def build(database: Database, *options: str) -> None:
    done = database.build(*MODELS, *options)
    assert done.returncode == 0, done.stdout + done.stderr


def counted(database: Database) -> tuple[Any, ...]:
    """Return opens and clicks, of events, recipients, contacts and days."""
    (counts,) = database.query(
        """
        select
            (select count(*) from analytics.constantcontact__engagement_events where kind = 'open'),
            (select sum(opens) from analytics.constantcontact__recipients),
            (select sum(opens) from analytics.constantcontact__contact_engagement),
            (select sum(opens) from analytics.constantcontact__daily_engagement),
            (select sum(openers) from analytics.constantcontact__daily_engagement),
            (select sum(clicks) from analytics.constantcontact__contact_engagement)
        """
    )
    return tuple(int(count) for count in counts)


def test_late_rows_and_rows_that_were_read_again(database: Database) -> None:
    rows = [opened("a"), opened("b", at=NOW - timedelta(days=40))]
    click = ("e", "a", "k", NOW, 0, "mobile", "u", "https://example.com", NOW)
    database.load("email_opens", *rows)
    database.load("email_clicks", click)
    build(database)
    assert counted(database) == (2, 2, 2, 2, 2, 1)

    tomorrow = NOW + timedelta(days=1)
    database.load(
        "email_opens",
        *rows,
        opened("a", loaded=tomorrow),  # of a loader that appends
        opened("a", at=tomorrow, loaded=tomorrow),
        opened("late", loaded=NOW - timedelta(minutes=14)),
        opened("too late", loaded=NOW - timedelta(minutes=16)),
    )
    # The other stream was loaded before the newest rows of this one.
    database.load("email_clicks", click, ("e", "b", *click[2:]))
    build(database)
    assert counted(database) == (4, 4, 4, 4, 4, 2)
    # Rows that were read again without a change stay as they were.
    kept = database.query(
        """
        select contact_id, kind from analytics.constantcontact__engagement_events
        where built_at < (select max(built_at) from analytics.constantcontact__engagement_events)
        order by 1, 2
        """
    )
    assert kept == [("a", "click"), ("b", "open")]

    build(database, "--vars", "{constantcontact_full_refresh: true}")
    assert counted(database) == (5, 5, 5, 5, 5, 2)


def test_loader_that_appends_readings_a_few_minutes_apart(warehouse: DuckDB) -> None:
    """The later reading stays when both are read again."""
    again = (
        *opened("a", loaded=NOW + timedelta(minutes=5))[:5],
        "tablet",
        NOW + timedelta(minutes=5),
    )
    warehouse.load("email_opens", opened("a"), again)
    for _ in range(2):
        build(warehouse)
        assert warehouse.query(
            "select device_type from analytics.constantcontact__engagement_events"
        ) == [("tablet",)]


def test_clock_that_is_behind(warehouse: DuckDB) -> None:
    """What another machine built, with a clock that was ahead, doesn't hide new rows."""
    warehouse.load("email_opens", opened("a"))
    build(warehouse)
    for table in ("constantcontact__engagement_events", "constantcontact__recipients"):
        warehouse.query(f"update analytics.{table} set built_at = timestamp '2100-01-01'")
    warehouse.load("email_opens", opened("a"), opened("b"))
    build(warehouse)
    assert counted(warehouse)[:2] == (2, 2)


def test_loader_that_appends_without_times(warehouse: DuckDB) -> None:
    """Rows without a time are read in each build, and count once."""
    warehouse.load("email_opens", opened("a", loaded=None), opened("a", loaded=None))
    build(warehouse)
    assert counted(warehouse)[0] == 1
    warehouse.load("email_opens", *(opened(id_, loaded=None) for id_ in ("a", "a", "b")))
    build(warehouse)
    assert counted(warehouse)[:5] == (2, 2, 2, 2, 2)


def test_engagement_without_a_key_fails(warehouse: DuckDB) -> None:
    warehouse.load("email_opens", ("e", "c", "k", NOW, None, None, NOW))
    done = warehouse.build("--no-report", *only("+constantcontact__engagement_events"))
    assert done.returncode == 1
    assert "not_null_int_constantcontact__engagement_occurrence" in done.stdout
