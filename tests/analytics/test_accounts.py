"""Several accounts in one set of marts, each with the rows that a build over it alone has."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.analytics.accounts import Table, tables_of_account
from tests.analytics.databases import NOW, Database, DuckDB, contact

SEEDS = {"cafe": 1, "bakery": 2, "copy": 1}
"""The accounts and their schemas; two have the same ids."""

BUILD = ["--no-report", "--exclude-resource-type", "test"]
# Times of builds, and keys that are different for each account.
VOLATILE = {
    "source_relation", "built_at", "engagement_event_id", "bounce_id", "unsubscribe_id",
    "list_stay_id", "tag_stay_id",
}  # fmt: skip

Marts = dict[str, Counter[tuple[tuple[str, Any], ...]]]


def marts_of(database: Database, account: str | None = None) -> Marts:
    """Return the rows of all marts, of one account or of the only one.

    A column that is null throughout, such as a custom field of another account, is skipped.
    """
    tables = database.query(
        "select distinct table_name from information_schema.tables where table_schema = 'analytics'"
    )
    marts = {}
    for (table,) in tables:
        columns = [
            name
            for (name,) in database.query(
                "select column_name from information_schema.columns "
                f"where table_schema = 'analytics' and table_name = '{table}'"
            )
            if name not in VOLATILE
        ]
        names = ", ".join(f'"{name}"' for name in columns)
        rows = database.query(
            f"select {names} from analytics.{table}"
            + (f" where source_relation = '{account}'" if account else "")
        )
        marts[table] = Counter(
            tuple(
                (name, value)
                for name, value in sorted(zip(columns, row, strict=True))
                if value is not None
            )
            for row in rows
        )
    return marts


def compare(found: Marts, wanted: Marts) -> None:
    assert found.keys() == wanted.keys()
    for name, rows in wanted.items():
        differing = [*(found[name] - rows).items(), *(rows - found[name]).items()]
        assert not differing, (name, len(differing), differing[0], differing[-1])


def load(database: Database, schema: str, tables: dict[str, Table]) -> None:
    for name, table in tables.items():
        table.load(database, name, schema)


def build(database: Database, *options: str, **settings: str) -> None:
    done = database.build(*(options or BUILD), **settings)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def alone(database: Database) -> dict[int, Marts]:
    """The marts of builds over one account each, by seed."""
    marts = {}
    for seed in (1, 2):
        database.clear()
        load(database, database.raw_schema, tables_of_account(seed))
        build(database)
        marts[seed] = marts_of(database)
    database.clear()
    return marts


def test_accounts_in_schemas_of_their_own(database: Database, alone: dict[int, Marts]) -> None:
    for schema, seed in SEEDS.items():
        load(database, schema, tables_of_account(seed))
    build(database, "--no-report", "--strict", ANALYTICS_RAW_SCHEMAS=" ".join(SEEDS))
    for account, seed in SEEDS.items():
        compare(marts_of(database, account), alone[seed])


def test_accounts_in_shared_tables(database: Database, alone: dict[int, Marts]) -> None:
    """With add_account_id, each row and key has the account."""
    for name in tables_of_account(1):
        shared = [
            {**row, "account_id": account}
            for account, seed in SEEDS.items()
            for row in tables_of_account(seed)[name].rows
        ]
        columns = {**tables_of_account(1)[name].columns, "account_id": "text"}
        Table(columns, shared).load(database, name, database.raw_schema)
    build(database)
    for account, seed in SEEDS.items():
        compare(marts_of(database, account), alone[seed])


def test_schemas_of_tables_with_account_ids(warehouse: DuckDB) -> None:
    """The column says the account, and a build of one model over fewer schemas loses nothing."""
    columns = """
        campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp,
        occurrence integer, _sdc_extracted_at timestamp, account_id text
    """
    for schema, opens in (("first", 1), ("second", 2)):
        rows = [("a", "c", "k", NOW, n, NOW, schema.upper()) for n in range(opens)]
        for stream in ("email_opens", "email_sends"):
            warehouse.load(stream, *rows, columns=columns, schema=schema)
    models = [*BUILD, "--select", "+constantcontact__contact_engagement"]
    build(warehouse, *models, ANALYTICS_RAW_SCHEMAS="first second")
    recipients = [*BUILD, "--select", "constantcontact__recipients"]
    build(warehouse, *recipients, ANALYTICS_RAW_SCHEMAS="first")
    build(warehouse, *models, ANALYTICS_RAW_SCHEMAS="first second")
    for table in ("constantcontact__recipients", "constantcontact__contact_engagement"):
        counts = f"select source_relation, sends, opens from analytics.{table} order by 1"
        assert warehouse.query(counts) == [("FIRST", 1, 1), ("SECOND", 2, 2)]


MEMBERSHIPS = "analytics.constantcontact__list_memberships"


def test_history_of_the_first_account_goes_on(database: Database) -> None:
    """Another account is added to one whose history has no source_relation."""
    members = [contact(f"c{n}", lists=["k"]) for n in range(30)]
    database.query("create schema analytics_history")
    database.query(
        """
        create table analytics_history.list_membership_history as
        select contact_id, 'k' as list_id, contact_id as dbt_scd_id,
            timestamp '2026-01-01' as dbt_updated_at, timestamp '2026-01-01' as dbt_valid_from,
            left_at as dbt_valid_to
        from (values ('c0', null), ('c1', null), ('gone', timestamp '2026-02-01'))
            as stays (contact_id, left_at)
        """
    )
    # A contact that is gone fails tests of the marts.
    memberships = ["--select", "+constantcontact__list_memberships", *BUILD[1:]]
    database.load("contacts", *members[:2])
    build(database, "--no-report", *memberships)
    columns = "source_relation, contact_id, list_stay_id, is_current"
    stays = f"select {columns} from {MEMBERSHIPS} order by 1, 2"
    ours = [("c0", "c0", True), ("c1", "c1", True), ("gone", "gone", False)]
    assert database.query(stays) == [("", *stay) for stay in ours]

    database.load("contacts", *members[:3], schema="first")
    database.load("contacts", *(contact(f"d{n}", lists=["k"]) for n in range(5)), schema="second")
    build(database, "--no-report", *memberships, ANALYTICS_RAW_SCHEMAS="first second")
    rows = database.query(stays)
    assert [row for row in rows if row[1] in ("c0", "c1", "gone")] == [
        ("first", *stay) for stay in ours
    ]
    assert [row[:2] for row in rows if row[1] not in ("c0", "c1", "gone")] == [
        ("first", "c2"),
        *(("second", f"d{n}") for n in range(5)),
    ]
    # A contact joined if it was not there in the first build of its account.
    joined = database.query(
        f"select contact_id from {MEMBERSHIPS} where joined_seen_at is not null"
    )
    assert joined == [("c2",)]

    # One account that is incomplete is enough to refuse.
    database.load("contacts", contact("d0", lists=["k"]), schema="second")
    done = database.build("--no-report", *memberships, ANALYTICS_RAW_SCHEMAS="first second")
    assert done.returncode == 1
    assert "4 of 5 contacts of second are missing from contacts" in " ".join(done.stdout.split())
    assert database.query(f"select count(*) from {MEMBERSHIPS} where is_current") == [(8,)]


def test_report_of_one_account(warehouse: DuckDB) -> None:
    for schema in ("first", "second"):
        rows = [contact(f"{schema}{n}", at=NOW) for n in range(3 if schema == "first" else 5)]
        warehouse.load("contacts", *rows, schema=schema)
        warehouse.load("account", (schema, f"{schema.title()} Inc.", "US/Eastern"), schema=schema)
    settings = {"ANALYTICS_RAW_SCHEMAS": "first second"}
    done = warehouse.build("--exclude-resource-type", "test", **settings)
    assert done.returncode == 1
    assert "The report is of one account. The tables have first, second." in done.stderr
    build(warehouse, "--account", "second", "--exclude-resource-type", "test", **settings)
    assert "Second Inc." in warehouse.report
    assert "First Inc." not in warehouse.report
    done = warehouse.build("--account", "third", "--exclude-resource-type", "test", **settings)
    assert done.returncode == 1
    assert "Unknown account: third. The tables have first, second." in done.stderr
