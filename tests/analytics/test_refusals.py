"""What stops a build: tables that are missing, renamed, empty, half loaded or flattened."""

from __future__ import annotations

import pytest

from tests.analytics.databases import NOW, Database, DuckDB, contact, only

MEMBERS = [contact(f"c{n}", lists=["a"], tags=["t"]) for n in range(30)]
SNAPSHOTS = [
    "--select", "+constantcontact__list_membership_history", "+constantcontact__tagging_history",
    "--exclude-resource-type", "test",
]  # fmt: skip
CURRENT = """
    select (select count(*) from analytics_history.list_membership_history
        where dbt_valid_to is null) + (select count(*) from analytics_history.tagging_history
        where dbt_valid_to is null)
"""


@pytest.fixture
def history(database: Database) -> Database:
    """A database with the history of contacts that have a list and a tag each."""
    database.query("create schema analytics_history")
    for table, key, id_ in (
        ("list_membership_history", "list_id", "a"),
        ("tagging_history", "tag_id", "t"),
    ):
        times = ", ".join(
            f"timestamp '2026-01-01' as dbt_{name}" for name in ("updated_at", "valid_from")
        )
        rows = " union all ".join(
            f"select '{row[0]}' as contact_id, '{id_}' as {key}, '{row[0]}' as dbt_scd_id, "
            f"{times}, cast(null as timestamp) as dbt_valid_to"
            for row in MEMBERS
        )
        database.query(f"create table analytics_history.{table} as {rows}")
    database.load("contact_lists", ("a", "News", None, False, NOW, NOW, None, 3))
    return database


def refused(database: Database, *sentences: str) -> None:
    done = database.build("--no-report", *SNAPSHOTS)
    assert done.returncode == 1
    output = " ".join(done.stdout.split())
    for sentence in sentences:
        assert sentence in output
    assert "Traceback" not in done.stdout + done.stderr
    assert database.query(CURRENT) == [(60,)]


# A full refresh of a loader: the table is dropped, made again, and filled from the start.


def test_history_survives_contacts_that_were_dropped(history: Database) -> None:
    refused(history, "There is no table", "(30 current rows) was not changed", "--allow-shrinking")


def test_history_survives_contacts_that_are_empty(history: Database) -> None:
    history.load("contacts")
    refused(history, "30 of 30 contacts are missing from")


def test_history_survives_contacts_that_are_half_loaded(history: Database) -> None:
    history.load("contacts", *MEMBERS[:20])
    refused(history, "10 of 30 contacts are missing from")
    done = history.build("--no-report", "--allow-shrinking", *SNAPSHOTS)
    assert done.returncode == 0, done.stdout
    assert history.query(CURRENT) == [(40,)]


def test_history_survives_contacts_without_memberships(history: Database) -> None:
    history.load("contacts", ("c0", NOW), columns="contact_id text, created_at timestamp")
    refused(history, "has no column list_memberships", "has no column taggings")


def test_history_survives_memberships_without_values(history: Database) -> None:
    """A column that is no longer selected keeps its place."""
    history.load("contacts", *(contact(f"c{n}") for n in range(30)))
    refused(history, "30 of 30 current rows would end though their contacts are still subscribed")


def test_contacts_that_left_for_a_reason(history: Database) -> None:
    gone = [contact(f"c{n}", permission="unsubscribed") for n in range(25)]
    history.load("contacts", *gone, *MEMBERS[25:])
    done = history.build("--no-report", *SNAPSHOTS)
    assert done.returncode == 0, done.stdout
    assert history.query(CURRENT) == [(10,)]


def test_schema_without_tables(database: Database) -> None:
    done = database.build()
    assert done.returncode == 1
    assert "No other schema of this database has one either" in done.stdout
    database.load("contacts", contact("c"))
    done = database.build(ANALYTICS_RAW_SCHEMA="elsewhere")
    assert done.returncode == 1
    assert "No table of the tap in schema elsewhere." in done.stdout
    output = " ".join(done.stdout.split())
    assert f"Schemas that have some: {database.raw_schema} (1)." in output
    assert f"to {database.raw_schema}." in output


def test_flattened_objects(warehouse: DuckDB) -> None:
    warehouse.load(
        "contacts",
        ("c", "c@example.com"),
        columns="contact_id text, email_address__address text",
    )
    done = warehouse.build("--no-report")
    assert done.returncode == 1
    output = " ".join(done.stdout.split())
    assert "has the column email_address__address in place of email_address" in output


@pytest.mark.parametrize("columns", ["_sdc_extracted_at timestamp", "other text"])
def test_registrations_without_load_times(warehouse: DuckDB, columns: str) -> None:
    event = ("e", "Fair", "Fair", "ACTIVE", NOW, NOW, *(None,) * 7)
    warehouse.load("events", event)
    warehouse.load(
        "event_registrations",
        ("e", "r", "REGISTERED", None),
        columns=f"event_id text, registration_id text, registration_status text, {columns}",
    )
    done = warehouse.build("--no-report", *only("+constantcontact__event_attendance"))
    assert done.returncode == 0, done.stdout
    registered = warehouse.query(
        "select registered from analytics.constantcontact__event_attendance"
    )
    assert registered == [(1,)]
