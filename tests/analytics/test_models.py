"""The models on rows that a simulated account does not have, and on empty tables.

The account's own rows are compared in `make demo` and `make targets`. This runs in the environment
of dbt: `make models`.
"""

from __future__ import annotations

import re
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import duckdb

from tests.analytics.databases import COLUMNS, NOW, DuckDB, contact, only


def test_tables_without_rows(warehouse: DuckDB) -> None:
    for table in COLUMNS:
        if table not in ("email_opens", "email_clicks"):
            warehouse.load(table)
    done = warehouse.build("--strict")
    assert done.returncode == 0, done.stdout
    assert warehouse.query("select count(*) from analytics.constantcontact__campaigns") == [(0,)]
    assert "No campaign has been sent" in warehouse.report
    assert "Not loaded: email_opens and email_clicks are not selected" in warehouse.report
    assert "Nobody" not in warehouse.report
    assert (
        "Not loaded, and empty in the models: contact_tags, email_campaign_summaries, "
        in done.stdout
    )


def test_report_ends_where_the_data_ends(warehouse: DuckDB) -> None:
    read_at = datetime(2026, 3, 1, 2, 5)  # noqa: DTZ001
    warehouse.load(
        "contacts",
        *(
            (id_, at, read_at)
            for id_, at in (
                ("new", read_at - timedelta(days=28)),
                ("old", read_at - timedelta(days=60)),
            )
        ),
        columns="contact_id text, created_at timestamp, _sdc_extracted_at timestamp",
    )
    done = warehouse.build(ANALYTICS_TIME_ZONE="US/Eastern")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Data up to Sat 28 Feb 2026, 21:05." in warehouse.report
    assert re.search(r"The last sync was \d+ days ago", warehouse.report)
    assert "<h2>New contacts</h2><b>1</b>" in warehouse.report


def test_there_is_no_database(warehouse: DuckDB) -> None:
    warehouse.file.unlink()
    done = warehouse.build()
    assert done.returncode == 1
    assert done.stderr.startswith(f"No database at {warehouse.file}. Load one")
    assert not warehouse.file.exists()


def test_a_database_that_is_in_use_is_named(warehouse: DuckDB) -> None:
    with closing(duckdb.connect(str(warehouse.file))):
        done = warehouse.build()
    assert done.returncode == 1
    assert done.stderr.startswith("Database error: IO Error: Could not set lock on file")
    assert "Traceback" not in done.stderr


def test_columns_that_were_not_selected(warehouse: DuckDB) -> None:
    warehouse.load("contacts", ("c", NOW), columns="contact_id text, created_at timestamp")
    done = warehouse.build("--strict", "--no-report")
    assert done.returncode == 0, done.stdout
    contacts = warehouse.query(
        "select contact_id, first_name, added_at from analytics.constantcontact__contacts"
    )
    assert contacts == [("c", None, NOW)]


def test_custom_fields_have_any_name_and_any_text(warehouse: DuckDB) -> None:
    fields = [  # id, name, type
        ("1", "Guests", "number"),
        ("2", "guests!", "number"),
        ("3", "誕生日", "date"),
        ("4", "É" * 60, "string"),
        ("5", "É" * 60, "of tomorrow"),
        ("6", "Last seen", "datetime"),
        ("7", "Wants a call", "boolean"),
        ("8", "first_name", "string"),
    ]
    warehouse.load(
        "contact_custom_fields",
        *((id_, name, name, type_, None, NOW, NOW) for id_, name, type_ in fields),
    )
    texts = {
        "fits": ["12", "-3.50", "04/17/2023", "a", "b", "2023-04-17T09:30:00Z", "True", "c"],
        "does_not": ["twelve", "1e400", "02/30/2023", "", "b", "2023-04-17T25:30:00Z", "yes", "c"],
        "iso": ["0", "7", "2024-02-29", "a", "b", "2023-04-17", "false", "c"],
    }
    warehouse.load(
        "contacts",
        *(
            contact(id_, custom_fields=[{"custom_field_id": field[0], "value": text}
                                        for field, text in zip(fields, row, strict=True)])
            for id_, row in texts.items()
        ),
        contact("none"),
    )  # fmt: skip

    done = warehouse.build("--no-report", *only("+constantcontact__contacts"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("1 of them with warnings.")

    long = "custom_" + "é" * 25
    columns = [
        "custom_guests", "custom_guests_2", "custom_誕生日", long, f"{long}_2",
        "custom_last_seen", "custom_wants_a_call", "custom_first_name",
    ]  # fmt: skip
    names = ", ".join(f'"{column}"' for column in columns)
    rows = warehouse.query(f"select contact_id, {names} from analytics.constantcontact__contacts")
    assert {row[0]: row[1:] for row in rows} == {
        "fits": (
            Decimal(12), Decimal("-3.5"), date(2023, 4, 17), "a", "b",
            datetime(2023, 4, 17, 9, 30), True, "c",  # noqa: DTZ001
        ),
        "does_not": (None, None, None, None, "b", None, None, "c"),
        "iso": (
            Decimal(0), Decimal(7), date(2024, 2, 29), "a", "b",
            datetime(2023, 4, 17), False, "c",  # noqa: DTZ001
        ),
        "none": (None,) * 8,
    }  # fmt: skip


def test_what_left_a_list_and_came_back(warehouse: DuckDB) -> None:
    stages = [
        [contact("stays", lists=["a"]), contact("turns", lists=["a"]),
         contact("goes", lists=["a"])],
        [contact("stays", lists=["a"]), contact("turns", lists=[]),
         contact("goes", lists=[], deleted="2026-03-31")],
        [contact("stays", lists=["a"]), contact("turns", lists=["a"]),
         contact("goes", lists=[], deleted="2026-03-31")],
    ]  # fmt: skip
    warehouse.load("contact_lists", ("a", "News", None, False, NOW, NOW, None, 3))
    for stage in stages:
        warehouse.load("contacts", *stage)
        done = warehouse.build("--strict", "--no-report", *only("+constantcontact__list_growth"))
        assert done.returncode == 0, done.stdout

    stays = warehouse.query(
        """
        select contact_id, list_name, joined_seen_at is not null, left_because
        from analytics.constantcontact__list_memberships
        order by contact_id, joined_seen_at nulls first
        """
    )
    assert stays == [
        ("goes", "News", False, "contact deleted"),
        ("stays", "News", False, None),
        ("turns", "News", False, "taken off"),
        ("turns", "News", True, None),
    ]
    (growth,) = warehouse.query(
        "select sum(joined), sum(departed) from analytics.constantcontact__list_growth"
    )
    assert growth == (4, 2)


def test_days_that_nobody_knows(warehouse: DuckDB) -> None:
    """Who has no date is counted; who was on a list of yesterday did not join it years ago."""
    long_ago = datetime(2020, 2, 29)  # noqa: DTZ001
    warehouse.load("contact_lists", ("a", "New", None, False, NOW, NOW, None, 2))
    warehouse.load(
        "contacts",
        contact("known", at=long_ago, lists=["a"]),
        contact("none", at=None, lists=["a"]),
        contact("gone", at=None, permission="unsubscribed"),
        contact("left", at=long_ago, permission="unsubscribed"),
    )
    done = warehouse.build("--no-report")
    assert done.returncode == 0, done.stdout
    growth = warehouse.query(
        """
        select day, added, unsubscribed, contacts
        from analytics.constantcontact__contact_growth order by contacts
        """
    )
    assert growth == [(long_ago.date(), 2, 1, 1), (None, 2, 1, 2)]
    joined = warehouse.query("select day, members from analytics.constantcontact__list_growth")
    assert joined == [(NOW.date(), 2)]


def test_what_is_no_more_and_what_day_it_was(warehouse: DuckDB) -> None:
    """A registration that the last reading lacked does not count; days are the user's."""
    coming = datetime.now() + timedelta(days=10)  # noqa: DTZ005
    event = ("e", "</script><b>Fair", "Fair", "ACTIVE", coming, coming, *(None,) * 7)
    warehouse.load("events", event)
    read_at = [datetime(2026, 3, 31, hour) for hour in (1, 3, 3)]  # noqa: DTZ001
    warehouse.load(
        "event_registrations",
        *(
            ("e", str(number), "REGISTERED", NOW, "PAID", 1, 9.5, True, 0, 1, at)
            for number, at in enumerate(read_at)
        ),
        # Who came, but had canceled, is none of those who registered.
        ("e", "3", "CANCELED", NOW, "REFUNDED", 1, 9.5, True, 1, 1, read_at[-1]),
    )
    warehouse.load("contacts", contact("c", permission="unsubscribed"))

    done = warehouse.build("--strict", ANALYTICS_TIME_ZONE="US/Eastern")
    assert done.returncode == 0, done.stdout
    attendance = warehouse.query(
        """
        select registered, attended, attendance_rate, paid
        from analytics.constantcontact__event_attendance
        """
    )
    assert attendance == [(2, 0, 0.0, Decimal("19.00"))]
    assert warehouse.query("select origin, day from analytics.constantcontact__unsubscribes") == [
        ("contact", date(2026, 3, 30))
    ]
    report = warehouse.report
    assert re.search(r":\d\d\.\s+Times are in US/Eastern\.</p>", report)
    assert "&lt;/script&gt;&lt;b&gt;Fair" in report
    assert "</script><b>" not in report


def test_the_report_on_a_quiet_account(warehouse: DuckDB) -> None:
    """Contacts are there though none came for years, and so is the event that comes next."""
    long_ago = datetime(2020, 2, 29)  # noqa: DTZ001
    warehouse.load("contacts", *(contact(id_, at=long_ago) for id_ in "abc"))
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    weeks = [now + timedelta(days=7 * week + 3) for week in range(-20, 9)]
    warehouse.load(
        "events",
        *(
            (str(number), f"Class {number}", None, "ACTIVE", at, at, *(None,) * 7)
            for number, at in enumerate(weeks)
        ),
    )
    names = [("a", "Autumn"), ("b", "Blank")]
    nothing = (None, "DONE", None, None)
    warehouse.load("email_campaigns", *((*name, *nothing) for name in names))
    warehouse.load(
        "email_campaign_stats",
        ("a", {"em_sends": 4, "em_bounces": 0, "em_opens": 1}, None),
        ("b", {"em_sends": 4, "em_bounces": 0}, None),
    )

    done = warehouse.build()
    assert done.returncode == 0, done.stdout + done.stderr
    report = warehouse.report
    assert "<title>Email marketing report, week " in report
    assert re.search(r"Net growth since \w+ \d{4}: \+0<", report)
    # Midnight may have come meanwhile.
    assert re.search("“Class 20” is next, in [23] days, with 0 registered", report)
    shown = re.findall(r"<span>(Class \d+), ", report)
    # The coming ones, the nearest first, and those that are over, the newest first.
    assert shown == [f"Class {number}" for number in [*range(20, 26), *range(19, 13, -1)]]
