"""The metrics, queried with MetricFlow in a project that installs the package."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.analytics.databases import NOW, ROOT, Database, DuckDB, contact
from tests.analytics.projects import dbt, make_project, query_metrics

MODELS = (
    "+constantcontact__campaigns",
    "+constantcontact__contact_growth",
    "constantcontact__days",
)


def counters(**counts: int) -> dict[str, Any]:
    names = ("sends", "opens", "clicks", "bounces", "optouts")
    return {f"em_{name}": counts.get(name, 0) for name in names}


def load(database: Database) -> None:
    """Load campaigns of two months, and one that has not been sent."""
    sent = {"a": 5, "b": 20, "c": 2}
    database.load(
        "email_campaigns",
        *((id_, id_, "NEWSLETTER", "done", NOW, NOW) for id_ in (*sent, "draft")),
    )
    database.load(
        "email_campaign_stats",
        ("a", counters(sends=110, opens=40, clicks=8, bounces=10, optouts=2), NOW),
        ("b", counters(sends=310, opens=20, clicks=4, bounces=10, optouts=2), NOW),
        ("c", counters(sends=50, opens=25, clicks=0), NOW),
    )
    database.load(
        "email_campaign_send_history",
        *(
            (f"{id_}1", 1, id_, 1, datetime(2026, 3 if id_ == "c" else 2, day, 15), "COMPLETED")  # noqa: DTZ001
            for id_, day in sent.items()
        ),
    )
    database.load(
        "contacts",
        contact("new", at=datetime(2026, 3, 1)),  # noqa: DTZ001
        contact("old", at=datetime(2026, 2, 1)),  # noqa: DTZ001
        contact("gone", at=datetime(2026, 2, 1), deleted="2026-03-09"),  # noqa: DTZ001
    )


def documented_metrics() -> list[str]:
    """Return the names of the metrics in the guide, in its order."""
    guide = (ROOT / "docs" / "guides" / "analytics.md").read_text("utf-8")
    section = guide.split("\n### Metrics\n")[1].split("\n### ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def make(folder: Path, *, metrics: bool) -> Path:
    return make_project(
        folder,
        {
            "dbt_project.yml": f"""
                name: acme
                profile: acme
                model-paths: [models]
                vars: {{constantcontact_schema: loaded, constantcontact_metrics: {metrics}}}
            """
        },
    )


def test_metrics_are_rates_of_sums(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rate of a month is that of all its emails, not the mean of its campaigns' rates."""
    monkeypatch.setattr(database, "raw_schema", "loaded")
    load(database)
    project = make(tmp_path, metrics=True)
    dbt(project, database, "deps")
    dbt(project, database, "run", "--select", *MODELS)
    names = documented_metrics()
    rows = query_metrics(project, ",".join(names), "--group-by", "metric_time__month")
    found = {
        month[:7]: [float(row[name]) for name in names]
        for row in rows
        if (month := row["metric_time__month"])  # the draft has none
    }
    assert found == {
        "2026-02": pytest.approx([60 / 400, 12 / 400, 12 / 60, 20 / 420, 4 / 400, 2]),
        "2026-03": pytest.approx([0.5, 0, 0, 0, 0, 0]),
    }


def test_metrics_are_off_by_default(tmp_path: Path, warehouse: DuckDB) -> None:
    """A table of days beside the one of the project could take its place."""
    project = make(tmp_path, metrics=False)
    dbt(project, warehouse, "deps")
    dbt(project, warehouse, "parse")
    manifest = json.loads((project / "target" / "semantic_manifest.json").read_text("utf-8"))
    assert manifest["metrics"] == manifest["semantic_models"] == []
    assert manifest["project_configuration"]["time_spines"] == []
