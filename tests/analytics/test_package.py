"""The models as a package of another dbt project, and over the history of earlier versions."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.analytics.databases import ROOT, Database, DuckDB, contact
from tests.analytics.projects import dbt, make_project

# A project with its own macros and models, whose names are those that come to mind first.
PROJECT = {
    "dbt_project.yml": """
        name: acme
        profile: acme
        model-paths: [models]
        macro-paths: [macros]
        vars: {constantcontact_schema: loaded, constantcontact_time_zone: US/Eastern}
    """,
    "macros/raw.sql": """
        {% macro raw(name) %}acme{% endmacro %}
        {% macro rate(name) %}acme{% endmacro %}
        {% macro stays(name) %}acme{% endmacro %}
    """,
    "models/contacts.sql": """
        select contact_id, '{{ raw("x") }}' as owner
        from {{ ref('constantcontact', 'constantcontact__contacts') }}
    """,
    "models/campaigns.sql": "select 1 as campaign",
    "snapshots/own.yml": """
        snapshots:
        - name: own
          relation: ref('campaigns')
          config: {schema: own, unique_key: campaign, strategy: check, check_cols: all}
    """,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path, PROJECT)


def test_installed_in_another_project(
    project: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "raw_schema", "loaded")
    monkeypatch.setenv("PGTZ", "US/Eastern")
    at = datetime(2026, 3, 31, 3, 30)  # noqa: DTZ001
    database.load("contacts", contact("c", lists=["a"], at=at))
    dbt(project, database, "deps")
    dbt(
        project, database, "build", "--warn-error-options", "{error: [NoNodesForSelectionCriteria]}"
    )

    assert database.query("select * from acme.contacts") == [("c", "acme")]
    days = database.query("select cast(day as text) from acme.constantcontact__contact_growth")
    assert days == [("2026-03-30",)]
    # The clock of its snapshots is UTC's; that of others is dbt's.
    (ours,) = database.query("select dbt_valid_from from acme_history.list_membership_history")
    (theirs,) = database.query("select dbt_valid_from from acme_own.own")
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    assert abs(now - ours[0]) < timedelta(minutes=10)
    assert timedelta(hours=3) < ours[0] - theirs[0] < timedelta(hours=6)


def test_history_of_earlier_versions(database: Database) -> None:
    """Snapshots had no prefix: their tables go on."""
    database.query("create schema analytics_history")
    for table, key in (("list_membership_history", "list_id"), ("tagging_history", "tag_id")):
        database.query(
            f"""
            create table analytics_history.{table} as
            select contact_id, 'k' as {key}, contact_id as dbt_scd_id,
                timestamp '2026-01-01' as dbt_updated_at, timestamp '2026-01-01' as dbt_valid_from,
                left_at as dbt_valid_to
            from (values ('gone', timestamp '2026-02-01'), ('here', null))
                as stays (contact_id, left_at)
            """
        )
    database.load("contacts", contact("gone"), contact("here", lists=["k"], tags=["k"]))
    done = database.build("--no-report")
    assert done.returncode == 0, done.stdout
    for mart in ("list_memberships", "taggings"):
        stays = database.query(
            f"""
            select contact_id, cast(left_seen_at as text)
            from analytics.constantcontact__{mart} order by contact_id
            """
        )
        assert stays == [("gone", "2026-02-01 00:00:00"), ("here", None)]


def test_exposure_names_what_the_report_reads(project: Path, warehouse: DuckDB) -> None:
    dbt(project, warehouse, "deps")
    dbt(project, warehouse, "parse")
    manifest = json.loads((project / "target" / "manifest.json").read_text("utf-8"))
    exposure = manifest["exposures"]["exposure.constantcontact.constantcontact__report"]
    marts = {node.rpartition(".")[2] for node in exposure["depends_on"]["nodes"]}
    files = [ROOT / "analytics" / "warehouse.py", *(ROOT / "analytics" / "report").glob("*.py")]
    code = "".join(file.read_text("utf-8") for file in files)
    # Its table has a name without the prefix.
    code = code.replace("from list_membership", "from constantcontact__list_membership")
    assert marts == set(re.findall(r"constantcontact__\w+", code))
