"""The layers of the models: only staging reads raw tables, one of them in each model."""

from __future__ import annotations

from tests.analytics.databases import ROOT

MODELS = ROOT / "analytics" / "models"


def test_only_staging_reads_raw_tables() -> None:
    readers = {path for path in MODELS.rglob("*.sql") if "constantcontact_raw(" in path.read_text()}
    assert readers == {*(MODELS / "staging").glob("*.sql")}
    for path in readers:
        stream = path.stem.removeprefix("stg_constantcontact__")
        assert path.read_text().count("constantcontact_raw(") == 1
        assert f"constantcontact_raw('{stream}')" in path.read_text()
