"""Marts over odd rows: resends, tests, texts, unknown bounces, contacts without engagement."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.analytics.databases import NOW, Database, DuckDB, contact, only

MARTS = [
    "--no-report", "--indirect-selection", "buildable", "--select",
    *(f"+constantcontact__{name}" for name in
      ("ab_tests", "sms_campaigns", "bounces", "contact_health", "send_times", "accounts")),
]  # fmt: skip
STATS = {"em_sends": 10, "em_bounces": 2, "em_bounces_vacation": 1, "em_opens": 4, "em_clicks": 1}
MONDAY = datetime(2026, 3, 30, 2, 30)  # noqa: DTZ001 - Sunday evening in America


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def opened(id_: str, days: int) -> tuple[Any, ...]:
    return ("first", id_, "k", days_ago(days), 0, None, NOW)


@pytest.fixture
def marts(database: Database) -> Database:
    database.load("email_campaigns", ("k", "Spring", None, "DONE", None, None))
    database.load(
        "email_campaign_activities",
        ("first", "k", "primary_email", "Hello"),
        ("again", "k", "resend", "Hello again"),
        ("web", "k", "permalink", None),
    )
    database.load(
        "email_campaign_activity_stats",
        ("first", "k", STATS, NOW),
        ("again", "k", {"em_sends": 0, "em_bounces": 0, "em_opens": 0}, NOW),
        ("unknown", None, {"em_sends": 3}, NOW),
    )
    database.load("email_campaign_stats", ("k", STATS, NOW))
    database.load(
        "email_campaign_send_history",
        ("first", 1, "k", 10, MONDAY, "COMPLETED"),
        ("first", 2, "k", 5, days_ago(-1), "ERROR"),
    )
    database.load(
        "email_campaign_ab_tests",
        ("first", "k", "Good morning", 25.0, 6),
        ("lost", None, None, None, None),
    )
    database.load(
        "sms_campaign_summaries",
        ("s", "Flash", "SMS", NOW, {"sends": 8, "delivers": 6, "bounces": 2, "clicks": 3}),
        ("old", None, None, None, {"sends": 4, "bounces": 1}),
        ("draft", None, None, None, None),
    )
    database.load(
        "email_bounces",
        *(
            ("first", f"c{code}", "k", NOW, 0, code, NOW)
            for code in ("B", "D", "F", "V", "Q", None)
        ),
    )
    database.load("account", ("a", "Café", "US/Eastern"))
    return database


def test_marts_over_odd_rows(marts: Database) -> None:
    marts.load(
        "contacts",
        contact("engaged", at=days_ago(900)),
        contact("cooling", at=days_ago(900)),
        contact("cold", at=days_ago(900)),
        contact("never", at=days_ago(900)),
        contact("new", at=days_ago(2)),
        contact("no date", at=None),
        contact("gone", at=days_ago(900), permission="unsubscribed"),
    )
    marts.load("email_opens", opened("engaged", 89), opened("cooling", 91), opened("cold", 366))
    done = marts.build(*MARTS)
    assert done.returncode == 0, done.stdout + done.stderr

    def rows(columns: str, mart: str, rest: str = "order by 1") -> list[tuple[Any, ...]]:
        return marts.query(f"select {columns} from analytics.constantcontact__{mart} {rest}")

    assert rows(
        "campaign_activity_id, campaign_name, is_resend, delivered, open_rate, "
        "vacation_replies, first_send_subject, first_send_open_rate",
        "campaign_emails",
    ) == [
        ("again", "Spring", True, 0, None, None, "Hello", 0.5),
        ("first", "Spring", False, 8, 0.5, 1, None, None),
        ("unknown", None, False, None, None, None, None, None),
    ]
    assert rows(
        "campaign_activity_id, subject, alternative_subject, winner_chosen_at", "ab_tests"
    ) == [
        ("first", "Hello", "Good morning", MONDAY + timedelta(hours=6)),
        ("lost", None, None, None),
    ]
    assert rows("campaign_id, delivered, click_rate, bounce_rate", "sms_campaigns") == [
        ("draft", None, None, None),
        ("old", 3, None, 0.25),
        ("s", 6, 0.5, 0.25),
    ]
    assert rows("contact_id, bounce_group, is_delivered, is_removal_recommended", "bounces") == [
        ("cB", "does not exist", False, True),
        ("cD", "undeliverable", False, True),
        ("cF", "mailbox full", False, False),
        ("cNone", "other", False, False),
        ("cQ", "other", False, False),
        ("cV", "vacation", True, False),
    ]
    assert rows("contact_id, health, health_by_clicks", "contact_health") == [
        ("cold", "cold", "cold"),
        ("cooling", "cooling", "cold"),
        ("engaged", "engaged", "cold"),
        ("never", "cold", "cold"),
        ("new", "too new to tell", "too new to tell"),
        ("no date", "cold", "cold"),
    ]
    assert rows("count(*), max(time_zone)", "send_times") == [(168, "US/Eastern")]
    assert rows(
        "weekday, hour, emails, delivered, open_rate", "send_times", "where emails > 0"
    ) == [(7, 22, 1, 8, 0.5)]
    assert rows("sum(first_opens)", "send_times") == [(3,)]
    assert rows("account_id, contacts, reachable_contacts, sent_campaigns", "accounts") == [
        ("a", 7, 6, 1)
    ]


def test_health_without_campaigns(warehouse: DuckDB) -> None:
    warehouse.load("contacts", contact("c", at=days_ago(900)))
    warehouse.load("account", ("a", None, "Mars/Olympus"))
    done = warehouse.build(
        "--no-report",
        *only("+constantcontact__contact_health +constantcontact__send_times"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    health = warehouse.query("select health from analytics.constantcontact__contact_health")
    assert health == [("too new to tell",)]
    zones = warehouse.query("select distinct time_zone from analytics.constantcontact__send_times")
    assert zones == [("UTC",)]
