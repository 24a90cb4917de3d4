"""The dbt models of `analytics/`, built on a loaded database and compared with the account.

dbt has its own environment.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from checks.support.comparison import normalize
from checks.support.loaders.target import Database
from checks.support.meltano import PROJECT, CheckFailed, wait
from sandbox import Sandbox
from sandbox.server.expected import Rows

AB_TESTS = "email_campaign_ab_tests"
"""A stream that the report has a section for, though it is not selected by default."""

LARGEST_REPORT = 160_000
"""Bytes that the café's report may have."""

PYTHON = PROJECT / ".venv-analytics" / "bin" / "python"

# The streams of the account that the models are compared with.
_STREAMS = {
    "contacts", "contact_custom_fields", "email_campaign_stats", "email_clicks", "email_links",
    "email_opens", "email_optouts", "events", "event_registrations",
}  # fmt: skip

Account = dict[str, Rows]
Facts = Iterator[tuple[Any, ...]]


def check_size(report: Path) -> None:
    """Check that the café's report is light enough to be sent.

    Raises:
        CheckFailed: If it is not.
    """
    if (size := report.stat().st_size) > LARGEST_REPORT:
        raise CheckFailed(f"{report.name} has {size:,} bytes, more than {LARGEST_REPORT:,}")


class AnalyticsModels:
    """The dbt models in a loaded database."""

    def __init__(self, target: Database, folder: Path) -> None:
        """Use a loaded database.

        Args:
            target: The database, in which the models are built.
            folder: The folder for dbt's own files.
        """
        self._target = target
        self._logs = folder / "dbt"
        self._members: set[tuple[str, str]] = set()
        self._ended = Counter[tuple[Any, ...]]()

    def build(self, *options: str) -> None:
        """Build and test the models; a warning is a failure.

        Args:
            options: More options of `python -m analytics`.

        Raises:
            CheckFailed: If dbt fails or a test warns.
        """
        command = [str(PYTHON), "-m", "analytics", "--strict", "--logs", str(self._logs), *options]
        with TemporaryFile("w+") as output:
            process = subprocess.Popen(
                command, cwd=PROJECT, env=self._environment(), stdout=output, stderr=output
            )
            if status := wait(process, lambda: "building and testing models"):
                output.seek(0)
                raise CheckFailed(f"{' '.join(command)} ended with {status}:\n{output.read()}")

    def check(self, sandbox: Sandbox, hidden: Collection[str] = ()) -> int:
        """Compare the models with the account, after each build.

        Args:
            sandbox: The server of the account.
            hidden: The ids of contacts and events that may be older than the account's.

        Returns:
            The number of comparisons.

        Raises:
            CheckFailed: If a model differs from the account or from its description.
        """
        self._check_descriptions()
        account = sandbox.expected(_STREAMS)
        # Totals of all contacts differ where some contacts are older.
        excluded = TOTALS if hidden else ()
        compared = [model for model in COMPARISONS if model not in excluded]
        for model in compared:
            sql, facts = COMPARISONS[model]
            self._compare(model, sql, Counter(_plain(facts(account))), hidden)
        # Memberships that ended since the last build.
        members = set(_list_memberships(account))
        self._ended.update(_reasons(account, self._members - members))
        self._members = members
        self._compare("list_memberships that ended", ENDED_MEMBERSHIPS, self._ended, hidden)
        return len(compared) + 1

    def _compare(
        self, model: str, sql: str, wanted: Counter[tuple[Any, ...]], hidden: Collection[str]
    ) -> None:
        found = Counter(_plain(self._target.query(sql)[1]))
        for differing, what in (
            (wanted - found, "lacks"),
            (found - wanted, "has, unlike the account,"),
        ):
            if rows := [row for row in differing if row[0] not in hidden]:
                raise CheckFailed(f"{model} {what} {len(rows)} rows such as {rows[0]}")
        if wanted and not found:
            raise CheckFailed(f"{model} is empty")

    def _check_descriptions(self) -> None:
        """Check that exactly the columns of each model are described.

        Raises:
            CheckFailed: If a column has no description, or a description no column.
        """
        manifest = json.loads((self._logs / "manifest.json").read_text(encoding="utf-8"))
        for node in manifest["nodes"].values():
            if node["resource_type"] not in ("model", "snapshot"):
                continue
            described = {name for name, column in node["columns"].items() if column["description"]}
            _, rows = self._target.query(
                "select column_name from information_schema.columns "  # noqa: S608
                f"where table_schema = '{node['schema']}' and table_name = '{node['alias']}'"
            )
            # The columns of custom fields depend on the account.
            columns = {
                name
                for (name,) in rows
                if node["name"] != "constantcontact__contacts" or name[:7] != "custom_"
            }
            if columns != described:
                raise CheckFailed(
                    f"the columns and descriptions of {node['name']} differ: {columns ^ described}"
                )

    def _environment(self) -> dict[str, str]:
        """Return the environment of dbt: the login of the target, without a user's variables."""
        prefixes = ("ANALYTICS_", "DBT_", "TARGET_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(prefixes)},
            "ANALYTICS_TARGET": self._target.dbt_target,
            **{
                f"{self._target.loader}_{name}".upper().replace("-", "_"): str(value)
                for name, value in self._target.settings.items()
            },
        }


def _plain(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    return (tuple(map(normalize, row)) for row in rows)


# The facts of the account, by model; the first value is the id of the row's owner.


def _contacts(account: Account) -> Facts:
    for contact in account["contacts"].values():
        email = contact.get("email_address", {})
        unsubscribed = email.get("permission_to_send") == "unsubscribed"
        yield (
            contact["contact_id"],
            email.get("address"),
            unsubscribed,
            email["opt_out_date"] if unsubscribed else None,
            "deleted_at" in contact,
        )


def _custom_fields(account: Account) -> Facts:
    fields = {row["custom_field_id"]: row for row in account["contact_custom_fields"].values()}
    for contact in account["contacts"].values():
        texts = {}
        for value in contact["custom_fields"]:
            field = fields[value["custom_field_id"]]
            labels = {
                int(choice["choice_id"]): choice["choice_label"]
                for choice in field.get("choices", ())
            }
            chosen = [labels[int(id_)] for id_ in value.get("choice_ids", ())]
            texts[field["label"]] = ", ".join(chosen) or value["value"]
        yield (
            contact["contact_id"],
            texts.get("Number of guests"),
            _iso(texts["First visit"]) if "First visit" in texts else None,
            texts.get("Last booking"),
            {"true": True, "false": False}.get(texts.get("Wants a call", "")),
            texts.get("Favorite dessert"),
            texts.get("Interests"),
            texts.get("Remarks"),
        )


def _iso(text: str) -> str:
    """Return a date of a custom field, MM/DD/YYYY, as YYYY-MM-DD."""
    month, day, year = text.split("/")
    return f"{year}-{month}-{day}"


def _list_memberships(account: Account) -> Iterator[tuple[str, str]]:
    for contact in account["contacts"].values():
        for id_ in contact["list_memberships"]:
            yield contact["contact_id"], id_


def _taggings(account: Account) -> Facts:
    for contact in account["contacts"].values():
        for id_ in contact["taggings"]:
            yield contact["contact_id"], id_


def _reasons(account: Account, memberships: Iterable[tuple[str, str]]) -> Facts:
    """Yield the reasons why memberships ended."""
    for contact_id, list_id in memberships:
        contact = account["contacts"][(contact_id,)]
        unsubscribed = contact.get("email_address", {}).get("permission_to_send") == "unsubscribed"
        if "deleted_at" in contact:
            yield contact_id, list_id, "contact deleted"
        else:
            yield contact_id, list_id, "unsubscribed" if unsubscribed else "taken off"


def _campaigns(account: Account) -> Facts:
    names = (
        "sends",
        "opens",
        "opens_all",
        "clicks",
        "clicks_all",
        "bounces",
        "optouts",
        "forwards",
    )
    for row in account["email_campaign_stats"].values():
        counters = (row["stats"][f"em_{name}"] for name in names)
        rates = (row["percents"][name] for name in ("open", "click", "bounce", "unsubscribe"))
        yield row["campaign_id"], *counters, *rates


def _contact_engagement(account: Account) -> Facts:
    opens = Counter(row["contact_id"] for row in account["email_opens"].values())
    clicks = Counter(row["contact_id"] for row in account["email_clicks"].values())
    for id_ in {row["contact_id"] for row in account["contacts"].values()}:
        yield id_, opens[id_], clicks[id_]


def _daily_engagement(account: Account) -> Facts:
    opens = Counter(row["created_time"][:10] for row in account["email_opens"].values())
    clicks = Counter(row["created_time"][:10] for row in account["email_clicks"].values())
    for day in opens.keys() | clicks.keys():
        yield day, opens[day], clicks[day]


def _unsubscribes_of_emails(account: Account) -> Facts:
    for row in account["email_optouts"].values():
        yield row["contact_id"], row["campaign_activity_id"], row.get("opt_out_reason")


def _links(account: Account) -> Facts:
    clicks = Counter(
        (row["campaign_activity_id"], row["url_id"]) for row in account["email_clicks"].values()
    )
    for row in account["email_links"].values():
        link = (row["campaign_activity_id"], str(row["url_id"]))
        yield *link, row["unique_clicks"], clicks[link]


def _events(account: Account) -> Facts:
    registrations = account["event_registrations"].values()
    for event in account["events"].values():
        own = [row for row in registrations if row["event_id"] == event["event_id"]]
        statuses = Counter(row["registration_status"] for row in own)
        attended = sum(
            1
            for row in own
            if row["registration_status"] == "REGISTERED" and row["checkedIn_tickets"]
        )
        yield event["event_id"], len(own), statuses["REGISTERED"], statuses["CANCELED"], attended


def _growth(account: Account) -> Facts:
    yield (
        "contacts",
        sum(
            1
            for contact in account["contacts"].values()
            if "deleted_at" not in contact
            and contact.get("email_address", {}).get("permission_to_send") != "unsubscribed"
        ),
    )


def _list_growth(account: Account) -> Facts:
    members = Counter(
        id_ for contact in account["contacts"].values() for id_ in contact["list_memberships"]
    )
    yield from members.items()


COMPARISONS: dict[str, tuple[str, Callable[[Account], Facts]]] = {
    "contacts": (
        """
        select contact_id, email_address, is_unsubscribed, unsubscribed_at, is_deleted
        from analytics.constantcontact__contacts
        """,
        _contacts,
    ),
    "contacts, with custom fields": (
        """
        select contact_id, custom_number_of_guests, cast(custom_first_visit as text),
            custom_last_booking, custom_wants_a_call, custom_favorite_dessert, custom_interests,
            custom_remarks
        from analytics.constantcontact__contacts
        """,
        _custom_fields,
    ),
    "list_memberships": (
        """
        select contact_id, list_id from analytics.constantcontact__list_memberships
        where is_current
        """,
        _list_memberships,
    ),
    "taggings": (
        "select contact_id, tag_id from analytics.constantcontact__taggings where is_current",
        _taggings,
    ),
    "campaigns": (
        """
        select campaign_id, sends, unique_opens, opens, unique_clicks, clicks, bounces, opt_outs,
            forwards,
            round(cast(coalesce(100 * open_rate, 0) as numeric(9, 5)), 1),
            round(cast(coalesce(100 * click_to_open_rate, 0) as numeric(9, 5)), 1),
            round(cast(coalesce(100 * bounce_rate, 0) as numeric(9, 5)), 1),
            round(cast(coalesce(100 * opt_out_rate, 0) as numeric(9, 5)), 1)
        from analytics.constantcontact__campaigns
        where sends is not null
        """,
        _campaigns,
    ),
    "contact_engagement": (
        "select contact_id, opens, clicks from analytics.constantcontact__contact_engagement",
        _contact_engagement,
    ),
    "daily_engagement": (
        """
        select cast(day as text), sum(opens), sum(clicks)
        from analytics.constantcontact__daily_engagement
        group by day having sum(opens) + sum(clicks) > 0
        """,
        _daily_engagement,
    ),
    "unsubscribes": (
        """
        select contact_id, campaign_activity_id, reason
        from analytics.constantcontact__unsubscribes
        where origin = 'email'
        """,
        _unsubscribes_of_emails,
    ),
    "link_performance": (
        """
        select campaign_activity_id, url_id, unique_clicks, clicks
        from analytics.constantcontact__link_performance
        """,
        _links,
    ),
    "event_attendance": (
        """
        select event_id, registrations, registered, canceled, attended
        from analytics.constantcontact__event_attendance
        """,
        _events,
    ),
    "contact_growth": (
        "select 'contacts', sum(net) from analytics.constantcontact__contact_growth",
        _growth,
    ),
    "list_growth": (
        """
        select list_id, sum(net)
        from analytics.constantcontact__list_growth
        group by list_id having sum(net) > 0
        """,
        _list_growth,
    ),
}
"""A query and the facts of the account, by model."""

TOTALS = ("contact_growth", "list_growth")

ENDED_MEMBERSHIPS = """
    select contact_id, list_id, left_because from analytics.constantcontact__list_memberships
    where not is_current
"""
