"""Every answer of the sandbox against the vendor's contract, where that is at hand."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, FormatChecker
from sandbox_client import CONTACTS_INCLUDE, Client, next_href

from sandbox.api import ENDPOINTS

CONTRACT = os.environ.get("CONTRACT", "")

pytestmark = pytest.mark.skipif(
    not CONTRACT, reason="set CONTRACT to the vendor's contract (a YAML file) to run these"
)

# What the contract lacks, by definition, and why the sandbox sends it all the same.
BEYOND = {
    # The contract has the parameter include_sms_membership_count and no property for its answer.
    "ContactList": {"sms_membership_count": {"type": "integer"}},
}

FORMATS = FormatChecker(["date"])
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:?\d\d)")


@FORMATS.checks("date-time")
def is_date_time(value: object) -> bool:
    """Accept offsets without a colon as well: account emails were seen to have them."""
    return not isinstance(value, str) or DATE_TIME.fullmatch(value) is not None


QUERIES: dict[str, list[dict[str, Any]]] = {
    "/account/summary": [{}, {"extra_fields": "physical_address,company_logo"}],
    "/contacts": [
        {},
        {
            "status": "all",
            "limit": 25,
            "include_count": "true",
            "include": CONTACTS_INCLUDE,
        },
    ],
    "/contacts/counts": [{}, {"include": "new_subscriber"}],
    "/contact_lists": [
        {"status": "all", "include_count": "true", "include_membership_count": "all", "limit": 3},
        {"channel_type": "sms", "include_sms_membership_count": "true"},
    ],
    "/contact_tags": [{"include_count": "true", "limit": 2}],
    "/contact_custom_fields": [{"limit": 4}],
    "/segments": [{"limit": 3}, {"sort_by": "name"}],
    "/emails": [{"limit": 5}],
    "/emails/activities/<campaign_activity_id>": [
        {},
        {"include": "physical_address_in_footer,permalink_url,html_content,document_properties"},
    ],
    "/reports/summary_reports/email_campaign_summaries": [{"limit": 3}],
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    contract: dict[str, Any] = yaml.safe_load(Path(CONTRACT).read_text(encoding="utf-8"))
    for name, properties in BEYOND.items():
        contract["definitions"][name]["properties"].update(properties)
    return {**contract, "definitions": loosened(contract["definitions"])}


def loosened(schema: Any) -> Any:
    """Make every property nullable and optional, and no other property allowed.

    The contract declares no nullable property although its text speaks of nulls, and requires
    properties that real answers lack. Ids in the form of a UUID are no format of draft 4.
    """
    if isinstance(schema, list):
        return [loosened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {key: loosened(value) for key, value in schema.items()}
    if isinstance(loose.get("required"), list):
        del loose["required"]
    if isinstance(loose.get("properties"), dict):
        loose["properties"] = {name: nullable(part) for name, part in loose["properties"].items()}
        loose.setdefault("additionalProperties", False)
    return loose


def nullable(schema: Any) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def mistakes(contract: dict[str, Any], path: str, body: Any) -> list[str]:
    """List what an answer has that the contract does not foresee."""
    operation = contract["paths"][path.replace("<", "{").replace(">", "}")]["get"]
    schema = loosened(copy.deepcopy(operation["responses"]["200"]["schema"]))
    validator = Draft4Validator(
        {**schema_of(schema), "definitions": contract["definitions"]},
        format_checker=FORMATS,
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def schema_of(schema: dict[str, Any]) -> dict[str, Any]:
    # In draft 4 nothing beside a $ref counts, so the definitions need a level of their own.
    return {"allOf": [schema]}


def paths_of(client: Client, path: str) -> list[str]:
    """Fill the placeholders of a path in, with all there is."""
    account = client.sandbox.account
    readable = [
        row["campaign_id"]
        for row in account.campaigns.values()
        if row["current_status"] != "Removed"
    ]
    sent = [id_ for id_ in readable if account.engagements(id_)]
    ids: dict[str, list[Any]] = {
        "<contact_id>": list(account.contacts),
        "<list_id>": list(account.lists),
        "<tag_id>": list(account.tags),
        "<custom_field_id>": list(account.custom_fields),
        "<segment_id>": list(account.segments),
        "<campaign_id>": readable,
        "<campaign_activity_id>": [
            reference["campaign_activity_id"]
            for id_ in readable
            for reference in account.campaigns[id_]["campaign_activities"]
            if reference["campaign_activity_id"] not in account.unreadable
        ],
        "<campaign_ids>": [",".join(sent)],
    }
    for placeholder, values in ids.items():
        if placeholder in path:
            return [path.replace(placeholder, str(value)) for value in values]
    return [path]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_answers_are_as_the_contract_says(
    client: Client, contract: dict[str, Any], path: str
) -> None:
    for query in QUERIES.get(path, [{}]):
        for filled in paths_of(client, path):
            body = client.json(filled, **query)
            assert mistakes(contract, path, body) == []
            while isinstance(body, dict) and (href := next_href(body)):
                body = client.json(href)
                assert mistakes(contract, path, body) == []


@pytest.mark.parametrize("path", ENDPOINTS)
def test_declarations_are_as_the_contract_says(contract: dict[str, Any], path: str) -> None:
    operation = contract["paths"][path.replace("<", "{").replace(">", "}")]["get"]
    endpoint = ENDPOINTS[path]
    assert operation.get("x-authorization-privileges", [None]) == [endpoint.privilege]
    scopes = operation["security"][0]["oauth2_implicit"]
    assert scopes == ([endpoint.scope] if endpoint.scope else [])
    documented = {p["name"] for p in operation.get("parameters", []) if p.get("in") == "query"}
    assert set(endpoint.parameters) <= documented


def test_an_unknown_property_is_noticed(client: Client, contract: dict[str, Any]) -> None:
    body = client.json("/contacts", limit=1)
    body["contacts"][0]["shoe_size"] = 42
    assert "shoe_size" in str(mistakes(contract, "/contacts", body))


def test_a_wrong_date_is_noticed(client: Client, contract: dict[str, Any]) -> None:
    body = client.json("/contacts", limit=1)
    body["contacts"][0]["updated_at"] = "yesterday"
    assert "yesterday" in str(mistakes(contract, "/contacts", body))


def test_a_wrong_type_is_noticed(client: Client, contract: dict[str, Any]) -> None:
    body = client.json("/contacts", limit=1)
    body["contacts"][0]["birthday_month"] = "May"
    assert "May" in str(mistakes(contract, "/contacts", body))
