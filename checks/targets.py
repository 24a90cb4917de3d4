"""`make targets`: sync every stream of a simulated account with Meltano into several targets.

Each target is loaded twice, with changes in between. Every time, all rows and values are compared
with the account's. In databases so are the results of the queries of docs/guides/warehouses/ and
the models of analytics/, and a run is killed before each of the two.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from checks.support import compared_page
from checks.support.analytics import AnalyticsModels
from checks.support.comparison import compare, normalize
from checks.support.loaders import TARGETS
from checks.support.loaders.target import Database, Skipped, Target
from checks.support.meltano import PROJECT, CheckFailed, Project, Run, end_on_signals
from checks.support.postgresql import ServerFailed
from checks.support.table import print_lines_at_once
from sandbox import Sandbox
from sandbox.server.expected import STREAMS, Rows

OUTPUT = PROJECT / "output" / "targets"
PAGES = PROJECT / "docs" / "guides" / "warehouses"

ALL_STREAMS = {
    "requests_per_second": 1000,
    "contacts_sweep_days": 0,
    "events_sweep_days": 0,
    "_select": ["*.*"],
}

# Of an email of a megabyte; with what loaders have to escape, and what CSV takes for a null.
_HTML = "<td class=\"a\" title='b'>Café 🌷 50 %s, C:\\temp\\N \\N, {{name}},\r\n\t\u2028&nbsp;</td>"
_BYTES_OF_HTML = 1_000_000

# Runs are killed at this request, of at least 380; some small batches are stored by then.
KILL_AT_REQUEST = 200
SMALL_BATCHES = {"batch_size_rows": 20}


def main() -> int:
    """Load the targets, and return an exit status."""
    print_lines_at_once()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "targets", nargs="*", metavar="target", help=f"one of {', '.join(TARGETS)}; default: all"
    )
    named = parser.parse_args().targets
    if unknown := set(named) - TARGETS.keys():
        parser.error(f"unknown target: {', '.join(sorted(unknown))}")
    end_on_signals()
    page = compared_page.read()
    if not all(loads_into(name, skippable=not named) for name in named or TARGETS):
        return 1
    if compared_page.read() != page:
        print(f"\n{compared_page.PAGE} was out of date; it now has what was compared")
        return 1
    return 0


def loads_into(name: str, *, skippable: bool) -> bool:
    """Load a target, and return whether the check succeeds.

    Args:
        name: The name of the target.
        skippable: Whether it may be impossible on this machine.
    """
    try:
        load_into(name)
    except Skipped as reason:
        print(f"{name}: skipped, because {reason}")
        return skippable
    except (CheckFailed, ServerFailed) as failure:
        where = f"The loaded data and the log are in {OUTPUT / name}"
        print(f"\nThe check failed: {failure}\n{where}")
        return False
    return True


def load_into(name: str) -> None:
    """Load a target.

    Args:
        name: Its name.

    Raises:
        Skipped: If this is impossible on this machine.
        CheckFailed: As for `load`.
        ServerFailed: If its server does not start.
    """
    folder = OUTPUT / name
    with Sandbox(
        contacts=60, campaigns=10, seed=1, requests_per_second=0, segment_polls=0
    ) as sandbox:
        lengthen_an_email(sandbox)
        project = Project(folder, sandbox)
        with TARGETS[name](folder) as target:
            if target.command:
                project.run_instead(target.loader, target.command)
            print(f"{name}: syncing every stream of a simulated account …")
            load(project, target, sandbox)
            compared_page.update(
                name,
                loader=target.packages,
                emulator=target.emulator,
                tested=also_tested(target),
                streams=STREAMS,
                order=TARGETS,
            )


def also_tested(target: Target) -> list[str]:
    """Return what is tested in a target, in addition to its rows."""
    if not isinstance(target, Database):
        return []
    kinds = {"a killed run": target.stored, "queries": target.page, "models": target.dbt_target}
    return [kind for kind, tested in kinds.items() if tested]


def lengthen_an_email(sandbox: Sandbox) -> None:
    """Give an email, and its preview, HTML as long as that of a newsletter with pictures."""
    emails = sandbox.expected({"email_campaign_activities"})["email_campaign_activities"]
    id_ = next(row["campaign_activity_id"] for row in emails.values() if "html_content" in row)
    html = _HTML * (_BYTES_OF_HTML // len(_HTML.encode()))
    sandbox.account.activities[id_]["html_content"] = f"<html><body>{html}</body></html>"


def load(project: Project, target: Target, sandbox: Sandbox) -> None:
    """Load a target twice, with changes in between, and compare it with the account each time.

    Raises:
        CheckFailed: If a run fails, a stream has no row, or a row is missing or differs.
    """
    tap = {**sandbox.settings_of_all, **ALL_STREAMS}
    streams = sorted(STREAMS)
    # For five minutes, Meltano takes a killed run for a running one.
    database = target if isinstance(target, Database) else None
    flags = ["--force"] if database and database.stored else []
    models = AnalyticsModels(database, project.folder) if database and database.dbt_target else None
    for number in ("first", "second"):
        if database and database.stored:
            kill(project, database, tap, *flags)
        run = target.sync(project, tap, *flags)
        if empty := [name for name in streams if not target.rows(name)]:
            raise CheckFailed(f"no rows of {', '.join(empty)} were loaded")
        check(target, run, sandbox, streams)
        if database and database.page:
            check_queries(database, sandbox)
        print(
            f"  {number} run: {len(run.rows)} streams, {sum(run.rows.values())} rows, "
            f"each with the values of the account, in {run.seconds:.0f} s",
            flush=True,
        )
        if models:
            models.build("--report", str(project.folder / "report.html"))
            print(f"  models: {models.check(sandbox)} comparisons with the account")
        sandbox.change()


def kill(project: Project, target: Database, tap: dict[str, Any], *flags: str) -> None:
    """Kill a run halfway.

    Raises:
        CheckFailed: If it ends earlier, or has stored nothing yet.
    """
    settings = {**target.settings, **SMALL_BATCHES}
    began = project.kill_sync(target.loader, settings, tap, KILL_AT_REQUEST, target.stored, *flags)
    stored = target.count_since("contacts", began)
    if not stored:
        raise CheckFailed("a run was killed before its target had stored a row")
    print(f"  a run killed at request {KILL_AT_REQUEST}, when {stored} contacts were stored")


def check(
    target: Target,
    run: Run,
    sandbox: Sandbox,
    streams: Collection[str],
    hidden: Collection[str] = (),
) -> None:
    """Compare a target with the rows that the tap sent, and with the account.

    Args:
        target: The loaded target.
        run: The run that has just ended.
        sandbox: The server of the account.
        streams: The streams that the run had to read.
        hidden: The ids of rows whose values may be older than the account's.

    Raises:
        CheckFailed: If a row is missing or differs.
    """
    for name, sent in run.rows.items():
        if (received := target.count_since(name, run.began)) != sent:
            raise CheckFailed(
                f"the tap sent {sent} rows of {name}, and the target received {received}"
            )
    expected = sandbox.expected(set(streams))
    for name in streams:
        if (columns := target.key(name)) not in (None, set(STREAMS[name].key)):
            raise CheckFailed(f"the primary key of {name} is {columns}")
        wanted = {key: target.kept(row) for key, row in expected[name].items()}
        missing, differing = compare(target.rows(name), wanted, STREAMS[name].key, hidden)
        for what, found in (("missing", missing), ("not the account's", differing)):
            if found:
                raise CheckFailed(f"{len(found)} rows of {name} are {what}, such as {found[0]}")


def check_queries(target: Database, sandbox: Sandbox) -> None:
    """Compare the results of the queries in the docs with the account.

    Raises:
        CheckFailed: If they differ.
    """
    page = (PAGES / target.page).read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    expected = sandbox.expected({"contacts", "email_clicks"})
    for sql, result in zip(queries, RESULTS, strict=True):
        rows = [tuple(map(normalize, row)) for row in target.query(sql)[1]]
        wanted = [tuple(map(normalize, row)) for row in result(expected)]
        if Counter(rows) != Counter(wanted) or not rows:
            raise CheckFailed(f"the result differs from the account:\n{sql}")


def _unsubscribed(expected: dict[str, Rows]) -> Iterator[tuple[Any, ...]]:
    for contact in expected["contacts"].values():
        email = contact.get("email_address", {})
        if email.get("permission_to_send") == "unsubscribed":
            yield contact.get("first_name"), email["address"], email.get("opt_out_date")


def _custom_fields(expected: dict[str, Rows]) -> Iterator[tuple[Any, ...]]:
    for contact in expected["contacts"].values():
        for field in contact["custom_fields"]:
            yield contact["contact_id"], field["custom_field_id"], field.get("value")


def _clicks(expected: dict[str, Rows]) -> Iterator[tuple[Any, ...]]:
    clicks = expected["email_clicks"].values()
    yield from Counter(click["url_id"] for click in clicks).items()


# The results of the queries in the docs, in their order.
RESULTS = (_unsubscribed, _custom_fields, _clicks)


if __name__ == "__main__":
    sys.exit(main())
