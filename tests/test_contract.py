"""The tap against the vendor's contract, where it is at hand (`CONTRACT=path make test`)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tap_constantcontact.streams import STREAMS

CONTRACT = os.environ.get("CONTRACT")
pytestmark = pytest.mark.skipif(CONTRACT is None, reason="CONTRACT does not name the contract")

SCHEMAS = Path(__file__).parent.parent / "schemas"
# Definitions of the contract whose properties a stream's records have.
DEFINITIONS = {
    "account": "Customer",
    "account_emails": "AccountEmails",
    "account_user_privileges": "UserPrivilegesResource",
    "contact_counts": "ContactsCounts",
    "contact_custom_fields": "CustomField",
    "contact_lists": "ContactList",
    "contact_tags": "Tag",
    "contacts": "ContactResource",
    "email_campaign_activities": "EmailCampaignActivity",
    "email_campaign_stats": "CampaignStatsResultGenericStatsEmailPercentsEmail",
    "email_campaign_summaries": "BulkEmailCampaignSummary",
    "email_campaigns": "EmailCampaign",
    "segments": "SegmentDetail",
}
# Properties that the contract lacks, and where they come from.
OWN = {
    ("contacts", "last_changed_at"): "computed",
    ("contact_counts", "counted_at"): "computed",
    ("contact_lists", "channel_types"): "computed",
    ("contact_lists", "sms_membership_count"): "asked for by a parameter; its name is a guess",
}
IDS = {"email_campaign_stats": "/{campaign_ids}"}


@pytest.fixture(scope="module")
def contract() -> Any:
    return yaml.load(Path(str(CONTRACT)).read_text("utf-8"), Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_a_schema_has_every_documented_property_at_every_depth(contract: Any, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    documented = paths(contract["definitions"][DEFINITIONS[name]], contract)
    own = {path for stream, path in OWN if stream == name}
    assert paths(schema, contract) == documented | own


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_what_a_stream_needs_is_what_the_contract_says(contract: Any, stream: Any) -> None:
    operation = contract["paths"][stream.path + IDS.get(stream.name, "")]["get"]
    scopes = {
        scope
        for security in operation["security"]
        for named in security.values()
        for scope in named
    }
    for needed in [*scopes, *operation.get("x-authorization-privileges", [])]:
        assert needed in stream.needs


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_parameters_are_documented(contract: Any, stream: Any) -> None:
    operation = contract["paths"][stream.path + IDS.get(stream.name, "")]["get"]
    known = {parameter["name"] for parameter in operation["parameters"]}
    assert set(stream.params) <= known


def paths(schema: Any, contract: Any, path: str = "") -> set[str]:
    """Return the paths of all properties; the definitions of this slice are not recursive."""
    if "$ref" in schema:
        return paths(contract["definitions"][schema["$ref"].split("/")[-1]], contract, path)
    found: set[str] = set()
    for part in schema.get("allOf", []):
        found |= paths(part, contract, path)
    for name, inner in schema.get("properties", {}).items():
        found |= {f"{path}{name}"} | paths(inner, contract, f"{path}{name}.")
    if "items" in schema:
        found |= paths(schema["items"], contract, path)
    return found
