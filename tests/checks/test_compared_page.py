"""The table of compared values is the check's, and it covers every stream and loader."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.tap import STREAMS

from checks.support import compared_page

PROJECT = yaml.safe_load((Path(__file__).parents[2] / "meltano.yml").read_text("utf-8"))
PINS = {loader["pip_url"] for loader in PROJECT["plugins"]["loaders"]}


def update(name: str, streams: list[str], order: list[str]) -> None:
    compared_page.update(
        name, loader="target-a==1", emulator="", tested=[], streams=streams, order=order
    )


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compared_page, "PAGE", tmp_path / "compared.md")
    return tmp_path / "compared.md"


def test_page_has_every_loader_and_every_stream_as_equal() -> None:
    loaders, equal = compared_page.parts(compared_page.read())
    assert {packages for _, packages, *_ in loaders.values()} >= PINS
    # It has another row in each run.
    compared = STREAMS.keys() - {"contact_counts"}
    assert equal == dict.fromkeys(loaders, compared)


def test_page_keeps_the_columns_of_other_targets(page: Path) -> None:
    update("b", ["contacts", "events"], ["a", "b", "c"])
    update("a", ["contacts"], ["a", "b", "c"])
    loaders, equal = compared_page.parts(page.read_text())
    assert equal == {"a": {"contacts"}, "b": {"contacts", "events"}}
    assert [*loaders] == [*equal]
    assert loaders["a"] == ["a", "target-a==1", "", ""]
    assert page.read_text().count("\n| `contacts` | = | = |\n") == 1
    assert page.read_text().count("\n| `events` |  | = |\n") == 1


def test_page_is_the_same_after_the_same_result(page: Path) -> None:
    update("a", ["contacts"], ["a", "b"])
    update("b", ["contacts"], ["a", "b"])
    first = page.read_text()
    update("a", ["contacts"], ["a", "b"])
    assert page.read_text() == first


def test_page_names_emulator_and_tests(page: Path) -> None:
    compared_page.update(
        "snowflake",
        loader="target-snowflake==1",
        emulator="fakesnow==2",
        tested=["queries", "models"],
        streams=["contacts"],
        order=["snowflake"],
    )
    line = "\n| snowflake | target-snowflake==1 | fakesnow==2 | queries, models |\n"
    assert line in page.read_text()


def test_page_loses_the_column_of_a_target_that_is_no_more(page: Path) -> None:
    update("old", ["contacts"], ["old"])
    update("a", ["contacts"], ["a"])
    assert [*compared_page.parts(page.read_text())[0]] == ["a"]
