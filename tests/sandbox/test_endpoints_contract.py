"""Every response of the sandbox is as the vendor's contract says, where CONTRACT names a copy."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, FormatChecker
from sandbox_client import ACCOUNT_INCLUDE, ACTIVITIES_INCLUDE, CONTACTS_INCLUDE, Client, next_href

from sandbox.account.contact_activity import EMAIL_TYPES, PAGE_TYPES
from sandbox.server.routing import ENDPOINTS

CONTRACT = os.environ.get("CONTRACT", "")

pytestmark = pytest.mark.skipif(
    not CONTRACT, reason="set CONTRACT to the vendor's contract (a YAML file) to run these"
)

# Properties that the contract lacks, by definition, and why the sandbox sends them.
BEYOND = {
    # The contract has the parameter include_sms_membership_count and no property for its count.
    "ContactList": {"sms_membership_count": {"type": "integer"}},
    # Its own example is no date-time: "2023-01-23 06:09:23 -0800".
    "HistoryDetails": {"consent_action_time": {"type": "string"}},
    # Its own description allows plain dates.
    "EmailScheduleResponse": {"scheduled_date": {"type": "string"}},
    # The published response has it.
    "PContactAddTrackingActivity": {"device_type": {"type": "string"}},
    # Its own description says: a string or an array of strings. Declared an object.
    "ParameterDto": {"parameter_value": {}},
}

# Documented properties that no response here holds, and why.
NEVER_SENT = {
    "AccountPhysicalAddress.state_name": "only outside the US and Canada",
    "Customer.physical_address.state_name": "only outside the US and Canada",
    "EmailPhysicalAddress.state_non_us_name": "only outside the US and Canada",
    "TrackingActivitySmsChannelDTO.formatted_international": "only for numbers of other countries",
    "EmailLinkClickCount.link_tag": "not available yet, its description says",
    "PartnerAccount.site_owner_list.last_login_date": "not shown, its description says",
    "ContactCampaignActivitiesSummary._links": "200 is the maximum (documented)",
    "PaginatedRegistrations.prev_cursor": "no previous page (assumed)",
    "PaginationDtoEventListingDto.prev_cursor": "no previous page (assumed)",
    "registrationsLinks.prev": "no previous page (assumed)",
    "registrationsLinks.self": "no previous page (assumed)",
    "Links.prev": "no previous page (assumed)",
    "Links.self": "no previous page (assumed)",
    "tagsLinks.next": "the contract's other form: the option nested_tag_links, tested elsewhere",
}

# Endpoints that only return 404 here.
ONLY_404 = {
    # An export requires a POST first.
    "/contact_exports/<file_export_id>",
}
SERVED = [path for path in ENDPOINTS if path not in ONLY_404]

FORMATS = FormatChecker(["date"])
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:?\d\d)")


@FORMATS.checks("date-time")
def is_date_time(value: object) -> bool:
    """Accept offsets without a colon as well: account emails have them (observed)."""
    return not isinstance(value, str) or DATE_TIME.fullmatch(value) is not None


YEAR = datetime.now(timezone.utc).year
FIVE_YEARS = {"start": f"{YEAR - 4}-01-01T00:00:00-0500", "end": f"{YEAR + 1}-01-01T00:00:00Z"}

QUERIES: dict[str, list[dict[str, Any]]] = {
    "/account/summary": [{}, {"extra_fields": ACCOUNT_INCLUDE}],
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
        {"include": ACTIVITIES_INCLUDE},
    ],
    "/reports/summary_reports/email_campaign_summaries": [{"limit": 3}],
    "/reports/summary_reports/sms_campaign_summaries": [{"start_at": "2000-01-01", "limit": 2}],
    "/reports/email_reports/<campaign_activity_id>/links": [{}, {"no_clicks": "true"}],
    "/reports/contact_reports/<contact_id>/activity_details": [
        {"tracking_activities_list": ",".join([*EMAIL_TYPES, *PAGE_TYPES]), "limit": 20},
        {"tracking_activity_type": "em_sends", "include_campaign_activity_names": "false"},
    ],
    "/reports/contact_reports/<contact_id>/activity_summary": [FIVE_YEARS],
    "/reports/contact_reports/<contact_id>/open_and_click_rates": [FIVE_YEARS],
    "/activities": [{"limit": 3}, {"state": "completed"}],
    "/contacts/contact_id_xrefs": [{"sequence_ids": "1775000000,1775000007,1"}],
    "/contact_lists/list_id_xrefs": [{"sequence_ids": "1995000000,1995000007,1"}],
    "/emails/campaign_id_xrefs": [{"v2_email_campaign_ids": "1100567546598,1100567546605,1"}],
    "/events": [{"limit": 2}, {"event_status": "DELETED"}, {"sort_by": "created_time"}],
    "/events/<event_id>": [{}, {"include": "true"}],
    "/events/<event_id>/tracks/<track_id>/registrations": [{}, {"limit": 5}],
    "/social/profiles": [{}, {"include": "accessible"}],
    "/partner/accounts": [{}, {"limit": "10"}],
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture(scope="module")
def whole_contract() -> dict[str, Any]:
    contract: dict[str, Any] = yaml.safe_load(Path(CONTRACT).read_text(encoding="utf-8"))
    return contract


@pytest.fixture(scope="module")
def contract(whole_contract: dict[str, Any]) -> dict[str, Any]:
    contract = copy.deepcopy(whole_contract)
    for name, properties in BEYOND.items():
        definition = contract["definitions"][name]
        definition.get("items", definition)["properties"].update(properties)
    return {**contract, "definitions": loosened(contract["definitions"])}


def loosened(schema: Any) -> Any:
    """Make every property nullable and optional, and no other property allowed.

    The contract declares no nullable property although its text speaks of nulls, and requires
    properties that real responses lack. Draft 4 has no format for UUIDs.
    """
    if isinstance(schema, list):
        return [loosened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {key: loosened(value) for key, value in schema.items()}
    if isinstance(loose.get("required"), list):
        del loose["required"]
    if loose.get("properties"):  # an object without any may have all
        loose["properties"] = {name: nullable(part) for name, part in loose["properties"].items()}
        loose.setdefault("additionalProperties", False)
    return loose


def nullable(schema: Any) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def mistakes(contract: dict[str, Any], path: str, body: Any) -> list[str]:
    """Return how a response differs from the contract."""
    schema = loosened(copy.deepcopy(schema_of_success(contract, path)))
    validator = Draft4Validator(
        {**schema_of(schema), "definitions": contract["definitions"]},
        format_checker=FORMATS,
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def schema_of_success(contract: dict[str, Any], path: str) -> Any:
    operation = contract["paths"][path.replace("<", "{").replace(">", "}")]["get"]
    responses = operation["responses"]
    (success,) = (responses[status] for status in responses if status in ("200", "209"))
    return success["schema"]


def schema_of(schema: dict[str, Any]) -> dict[str, Any]:
    # In draft 4 a $ref hides its siblings, so the definitions need their own level.
    return {"allOf": [schema]}


def paths_of(client: Client, path: str) -> list[str]:
    """Return a path with the ids of all records in its placeholders."""
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
        "<campaign_activity_ids>": list(account.engagement),
        "<activity_id>": [row["activity_id"] for row in client.json("/activities")["activities"]],
        "<automation_flow_id>": list(account.automations),
        "<encoded_account_id>": list(account.partner_accounts),
        "<topic_id>": list(account.webhook_subscriptions),
    }
    if path.endswith("/abtest"):
        ids["<campaign_activity_id>"] = list(account.ab_tests)
    if "/landing_pages/" in path:
        ids["<campaign_activity_id>"] = list(account.landing_pages)
    if path == "/events/<event_id>":
        return [fill(path, {"<event_id>": event_id}) for event_id in account.events]
    if path.startswith("/events/"):
        return [fill(path, names) for names in event_ids(client)]
    for placeholder, values in ids.items():
        if placeholder in path:
            return [fill(path, {placeholder: value}) for value in values]
    return [path]


def fill(path: str, names: dict[str, Any]) -> str:
    for placeholder, value in names.items():
        path = path.replace(placeholder, str(value))
    return path


def event_ids(client: Client) -> Iterator[dict[str, str]]:
    account = client.sandbox.account
    for event_id, registrations in account.registrations.items():
        track_id = account.events[event_id]["default_track"]["track_id"]
        for registration_id in registrations:
            yield {
                "<event_id>": event_id,
                "<track_id>": track_id,
                "<registration_id>": registration_id,
            }


@pytest.mark.parametrize("path", SERVED)
def test_responses_are_as_the_contract_says(
    client: Client, contract: dict[str, Any], path: str
) -> None:
    paths = paths_of(client, path)
    assert paths
    for query in QUERIES.get(path, [{}]):
        for filled in paths:
            body = client.json(filled, **query)
            assert mistakes(contract, path, body) == []
            while isinstance(body, dict) and (href := next_href(body)):
                body = client.json(href)
                assert mistakes(contract, path, body) == []


def test_permissions_and_parameters_are_as_the_contract_says(contract: dict[str, Any]) -> None:
    for path, endpoint in ENDPOINTS.items():
        operation = contract["paths"][path.replace("<", "{").replace(">", "}")]["get"]
        assert operation.get("x-authorization-privileges", [None]) == [endpoint.privilege], path
        if endpoint.service.for_partners:
            assert set(operation["security"][0]) == {"ctctPartnerAuthorizer", "api_key"}, path
        else:
            scopes = operation["security"][0]["oauth2_implicit"]
            assert scopes == ([endpoint.scope] if endpoint.scope else []), path
        documented = {p["name"] for p in operation.get("parameters", []) if p.get("in") == "query"}
        assert set(endpoint.parameters) <= documented, path
        required = {p["name"] for p in operation.get("parameters", []) if p.get("required")}
        assert set(endpoint.required) == required & documented, path


def test_every_get_of_the_contract_is_served(contract: dict[str, Any]) -> None:
    documented = {path for path, item in contract["paths"].items() if "get" in item}
    assert {path.replace("<", "{").replace(">", "}") for path in ENDPOINTS} == documented


def record(
    contract: dict[str, Any], schema: Any, name: str, body: Any, held: dict[str, bool]
) -> None:
    """Record for each documented property, by its name, whether a response holds it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = contract["definitions"][name]
    for part in schema.get("allOf", []):
        record(contract, part, name, body, held)
    for row in body if isinstance(body, list) else []:
        record(contract, schema.get("items", {}), name, row, held)
    for property_, part in (schema.get("properties") or {}).items():
        is_sent = isinstance(body, dict) and body.get(property_) is not None
        held[f"{name}.{property_}"] = is_sent or held.get(f"{name}.{property_}", False)
        if is_sent:
            record(contract, part, f"{name}.{property_}", body[property_], held)


def responses(client: Client, path: str) -> Iterator[Any]:
    """Yield the responses of an endpoint: first pages, and one page with a next link."""
    queries = QUERIES.get(path, [{}])
    if ENDPOINTS[path].paging:
        queries = [*queries, {**queries[0], "limit": 1}]
    for filled in paths_of(client, path):
        for query in queries:
            yield client.json(filled, **query)


def test_every_documented_property_is_sent_or_excused(
    whole_contract: dict[str, Any],
) -> None:
    held: dict[str, bool] = {}
    with Client() as client:
        account = client.sandbox.account
        segment = {"segment_id": next(iter(account.segments))}
        bodies = [("/contacts", client.get("/contacts", **segment).json())]
        for contact_id in account.contacts:
            account.delete(contact_id)
        for part in account.engagement.values():  # else there may be less than two pages
            part.forwards *= 2
            part.optouts *= 2
        bodies += [(path, body) for path in SERVED for body in responses(client, path)]
    for path, body in bodies:
        record(whole_contract, schema_of_success(whole_contract, path), path, body, held)
    assert len(held) > 1000
    assert {name for name, is_sent in held.items() if not is_sent} == set(NEVER_SENT)


def test_check_finds_an_unknown_property(client: Client, contract: dict[str, Any]) -> None:
    body = client.json("/contacts", limit=1)
    body["contacts"][0]["shoe_size"] = 42
    assert "shoe_size" in str(mistakes(contract, "/contacts", body))


def test_check_finds_an_invalid_date(client: Client, contract: dict[str, Any]) -> None:
    body = client.json("/contacts", limit=1)
    body["contacts"][0]["updated_at"] = "yesterday"
    assert "yesterday" in str(mistakes(contract, "/contacts", body))


def test_check_finds_a_wrong_type(client: Client, contract: dict[str, Any]) -> None:
    body = client.json("/contacts", limit=1)
    body["contacts"][0]["birthday_month"] = "May"
    assert "May" in str(mistakes(contract, "/contacts", body))
