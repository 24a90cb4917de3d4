"""Engagement that is loaded in random parts: many small builds give what one build of all gives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.analytics.databases import NOW, Database, Rows

KINDS = {
    "email_sends": ("send", ()),
    "email_opens": ("open", ("device_type",)),
    "email_clicks": ("click", ("device_type", "url_id", "link_url")),
    "email_bounces": ("bounce", ("bounce_code",)),
    "email_optouts": ("opt_out", ("opt_out_reason",)),
}
"""The kind and the own columns of each stream."""

ACTIVITIES = {"first": "k", "resend of first": "k", "second": "l", "third": "m"}
MARTS = [
    "constantcontact__engagement_events",
    "constantcontact__recipients",
    "constantcontact__contact_engagement",
    "constantcontact__daily_engagement",
    "constantcontact__link_performance",
    "constantcontact__send_times",
    "constantcontact__bounces",
    "constantcontact__unsubscribes",
]

Row = dict[str, Any]


class Account:
    """Raw tables that grow in random ways. Some loaders replace rows, and some append them.

    Attributes:
        rows: The rows of each raw table.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.appends = {stream: self.random.random() < 0.5 for stream in KINDS}
        self.rows: dict[str, list[Row]] = {stream: [] for stream in KINDS}

    def grow(self, day: int) -> None:
        """Add what a load finds: new rows, rows again, and some that are late."""
        for stream, rows in self.rows.items():
            # Some streams rest, as those without new rows do.
            if self.random.random() < 0.2:
                continue
            started = NOW + timedelta(days=day)
            newest = max((row["loaded"] for row in rows), default=None)
            for _ in range(self.random.randint(1, 12)):
                loaded = started + timedelta(seconds=self.random.randrange(1800))
                if newest and self.random.random() < 0.3:
                    loaded = newest - timedelta(seconds=self.random.randrange(14 * 60))
                if rows and self.random.random() < 0.4:
                    self._read(stream, self._changed(self.random.choice(rows)), loaded)
                else:
                    self._read(stream, self._row(day), loaded)

    def _row(self, day: int) -> Row:
        activity = self.random.choice(list(ACTIVITIES))
        # Around midnight, and often the same; now and then of long ago.
        minutes = self.random.choice([0, 1, 30, 1439, 1440, 1500]) + self.random.choice(
            [0, 0, -9999]
        )
        return {
            "activity": activity,
            "contact": self.random.choice("abcde"),
            "campaign": ACTIVITIES[activity],
            "at": NOW.replace(hour=0, minute=0) + timedelta(days=day, minutes=minutes),
            "occurrence": self.random.choice([0, 0, 1]),
            "url_id": self.random.choice(["u", "v", ""]),
            **self._own(),
        }

    def _own(self) -> Row:
        word = self.random.choice(["B", "D", "V"])
        return {"device_type": word, "bounce_code": word, "opt_out_reason": word}

    def _changed(self, row: Row) -> Row:
        return {**row, **self._own()} if self.random.random() < 0.5 else row

    def _read(self, stream: str, row: Row, loaded: datetime) -> None:
        row = {**row, "loaded": loaded, "link_url": f"https://example.com/{row['url_id']}"}
        known = [old for old in self.rows[stream] if key(stream, old) == key(stream, row)]
        # No two readings of a row have the same time.
        if any(old["loaded"] >= loaded for old in known) and (
            not self.appends[stream] or any(old["loaded"] == loaded for old in known)
        ):
            return
        if not self.appends[stream]:
            for old in known:
                self.rows[stream].remove(old)
        self.rows[stream].append(row)

    def load(self, database: Database) -> None:
        for stream, (_, own) in KINDS.items():
            rows = [
                tuple(
                    row[name]
                    for name in (
                        "activity",
                        "contact",
                        "campaign",
                        "at",
                        "occurrence",
                        *own,
                        "loaded",
                    )
                )
                for row in self.rows[stream]
            ]
            self.random.shuffle(rows)
            database.load(stream, *rows)

    def events(self) -> Iterator[Row]:
        """Yield the newest reading of each row."""
        for stream, (kind, own) in KINDS.items():
            newest: dict[Any, Row] = {}
            for row in sorted(self.rows[stream], key=lambda row: row["loaded"]):
                newest[key(stream, row)] = row
            for row in newest.values():
                yield {**row, "kind": kind, "own": tuple(row[name] for name in own)}


def key(stream: str, row: Row) -> tuple[Any, ...]:
    url = row["url_id"] if stream == "email_clicks" else None
    return row["activity"], row["contact"], row["at"], row["occurrence"], url


def compare(database: Database, account: Account) -> None:
    """Compare marts with what Python counts."""

    def found(sql: str) -> Counter[tuple[Any, ...]]:
        return Counter(database.query(sql.replace("from ", "from analytics.constantcontact__")))

    events = list(account.events())
    assert found(
        "select kind, campaign_activity_id, contact_id, happened_at, occurrence, "
        "coalesce(device_type, bounce_code, opt_out_reason), loaded_at from engagement_events"
    ) == Counter(
        (row["kind"], row["activity"], row["contact"], row["at"], row["occurrence"],
         next(iter(row["own"]), None), row["loaded"])
        for row in events
    )  # fmt: skip

    def count(kind: str, *columns: str) -> Counter[tuple[Any, ...]]:
        return Counter(
            tuple(row[name] for name in columns) for row in events if row["kind"] == kind
        )

    for kind, name in [("send", "sends"), ("open", "opens"), ("bounce", "bounces")]:
        wanted = count(kind, "campaign", "contact")
        rows = found(f"select campaign_id, contact_id, {name} from recipients where {name} > 0")
        assert rows == Counter((*pair, number) for pair, number in wanted.items())
        totals = count(kind, "contact")
        rows = found(f"select contact_id, {name} from contact_engagement where {name} > 0")
        assert rows == Counter((*contact, number) for contact, number in totals.items())
    openers = {
        (row["campaign"], row["at"].date(), row["contact"])
        for row in events
        if row["kind"] == "open"
    }
    assert found(
        "select campaign_id, day, openers from daily_engagement where openers > 0"
    ) == Counter((*day, number) for day, number in Counter(row[:2] for row in openers).items())
    assert found("select campaign_activity_id, url_id, clicks from link_performance") == Counter(
        (*link, number) for link, number in count("click", "activity", "url_id").items()
    )


def contents(database: Database) -> dict[str, Rows]:
    """Return the rows of each mart, without when they were built."""
    marts = {}
    for mart in MARTS:
        columns = database.query(
            "select column_name from information_schema.columns "
            f"where table_name = '{mart}' and column_name <> 'built_at'"
        )
        names = ", ".join(sorted(name for (name,) in columns))
        marts[mart] = sorted(database.query(f"select {names} from analytics.{mart}"), key=repr)
    return marts


def test_random_loads(database: Database) -> None:
    check(database, seed=1, loads=3)


def check(database: Database, seed: int, loads: int) -> None:
    """Build marts after each of some loads, and from the start after the last."""
    account = Account(seed)
    for day in range(loads):
        account.grow(day)
        account.load(database)
        # What marts read beside engagement stays as it is.
        build(database, MARTS if day else [f"+{mart}" for mart in MARTS])
        compare(database, account)
    in_parts = contents(database)
    build(database, MARTS, "--full-refresh")
    compare(database, account)
    assert in_parts == contents(database)


def build(database: Database, models: list[str], *options: str) -> None:
    """Build models without their tests, which others run."""
    done = database.build(
        "--no-report", "--exclude-resource-type", "test", "unit_test", "--select", *models,
        # PostgreSQL drops the views of a table that is loaded again.
        "+int_constantcontact__engagement", "int_constantcontact__contact_totals",
        "int_constantcontact__engagement_days", *options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
