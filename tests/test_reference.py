"""The reference of the streams is what the schemas and the classes say, and leaves out nothing."""

from __future__ import annotations

import re
from importlib.metadata import metadata

import pytest
from support.tap import STREAMS

from tap_constantcontact.settings.schema import SETTINGS
from tools.docs import badges, entities, settings
from tools.docs.__main__ import DOCS, files
from tools.docs.entities import OTHERS, TARGETS
from tools.docs.page import cost_of

PAGES = {path: path.read_text("utf-8") for path in (DOCS / "reference" / "streams").glob("*.md")}


def section_of(name: str) -> str:
    pattern = rf"^## {name}\n(.*?)(?=^##|\Z)"
    found = (re.findall(pattern, page, re.MULTILINE | re.DOTALL) for page in PAGES.values())
    (section,) = (section for sections in found for section in sections)
    return str(section)


def test_reference_is_what_make_docs_writes() -> None:
    outdated = [path.name for path, text in files().items() if path.read_text("utf-8") != text]
    assert outdated == [], "run make docs"


def test_reference_has_facts_and_columns_of_every_stream() -> None:
    facts = ("endpoint", "key", "replication", "reads", "requests per run", "requires")
    lacking: dict[str, set[str]] = {}
    for name in STREAMS:
        section = section_of(name)
        columns = {column for column, _ in entities.properties_of(entities.schema_of(name))}
        lacking[name] = {fact for fact in facts if f"\n| {fact} | " not in section}
        lacking[name] |= columns - {*re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)}
    assert {name: parts for name, parts in lacking.items() if parts} == {}
    assert [path for path, page in PAGES.items() if "`None`" in page] == []


def test_reference_headings_have_unique_anchors() -> None:
    for page in PAGES.values():
        headings = re.findall("^#+ (.+)$", page, re.MULTILINE)
        assert len(headings) == len({heading.lower() for heading in headings})


def test_reference_overview_has_every_stream_with_its_page() -> None:
    overview = PAGES[DOCS / "reference" / "streams" / "index.md"]
    rows = re.findall(r"^\| \[`(\w+)`\]\(([\w-]+\.md)#(\w+)\) \|", overview, re.MULTILINE)
    assert [name for name, _, _ in rows] == [*STREAMS]
    for name, page, anchor in rows:
        assert anchor == name
        assert f"\n## {name}\n" in PAGES[DOCS / "reference" / "streams" / page]


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("account", "1"),
        ("contact_tags", "1 for 500 rows"),
        ("segments", "1 for 1,000 rows, and 1 for each changed row"),
        ("email_campaigns", "1 for 500 changed rows, and 1 for each of them"),
        ("events", "1 for 100 events, and 1 for each event that is read"),
        ("email_links", "1 or more for each changed activity"),
    ],
)
def test_reference_derives_request_costs_from_streams(name: str, cost: str) -> None:
    assert cost_of(type(STREAMS[name])) == cost


def test_reference_relations_refer_to_keys() -> None:
    for target in TARGETS.values():
        assert target in STREAMS
    found = {each.target: each for each in entities.references_of("contacts")}
    assert found["contact_lists"] == ("list_memberships", "contact_lists", True, False)
    assert entities.references_of("email_campaign_stats")[0].is_key


def test_reference_exceptions_exist() -> None:
    for name, path in OTHERS:
        assert path in dict(entities.properties_of(entities.schema_of(name)))


def test_reference_relations_cover_shared_keys() -> None:
    keys = {key for each in STREAMS.values() for key in each.primary_keys if key.endswith("_id")}
    shared = {
        key
        for key in keys
        if sum(key in entities.schema_of(name)["properties"] for name in STREAMS) > 1
    }
    # Ids of links, and of V2, are no rows of their own.
    assert shared - TARGETS.keys() == {"url_id", "sequence_id"}


def test_settings_page_has_every_setting_once() -> None:
    names = re.findall(
        r"^### (\w+)$", (DOCS / "reference" / "settings.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(names) == sorted(SETTINGS.to_dict()["properties"])


def test_settings_page_has_kinds_choices_and_defaults() -> None:
    page = settings.markdown()
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    assert "· secret" in sections["limits_url"]
    assert sections["on_quota_exceeded"].endswith(
        "string · one of `fail`, `stop`, `wait` · default: `fail`\n\n"
    )
    assert sections["engagement_rereads_days"].endswith("list of integers · default: `7`, `30`\n\n")
    assert "default: all" in sections["contact_activity_types"]


def test_badges_say_what_pyproject_says() -> None:
    from_package = metadata("tap-constantcontact")
    assert badges.facts()["license"] == from_package["License-Expression"]
    lowest, _, highest = badges.facts()["Python"].partition(" to ")
    assert from_package["Requires-Python"] == f">={lowest}"
    assert f"Programming Language :: Python :: {highest}" in from_package.get_all("Classifier", [])
