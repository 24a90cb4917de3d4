"""The tap against the vendor's contract and published answers, where they are at hand."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from contract import DEFINITIONS, documented, in_schema, load
from support.tap import STREAMS

from tap_constantcontact.client import ConstantContactStream

CONTRACT = os.environ.get("CONTRACT")
pytestmark = pytest.mark.skipif(CONTRACT is None, reason="CONTRACT does not name the contract")

SAMPLES = Path(CONTRACT or "").parent / "samples"
# Published answers of operations that are streams; the others are details, errors and tokens.
ANSWERED = {
    "countContact": "contact_counts",
    "getAccountById": "account",
    "getAllBulkEmailCampaignSummaries": "email_campaign_summaries",
    "getContactAdds": "landing_page_unique_adds",
    "getContactOpens": "landing_page_contact_opens",
    "getContacts": "contacts",
    "getCustomFields": "contact_custom_fields",
    "getEmailCampaignActivitySummary": "email_campaign_activity_stats",
    "getEmailSummary": "email_campaign_stats",
    "getLists": "contact_lists",
    "getOpens": "email_opens",
    "getSends": "email_sends",
    "getUniqueContactClicks": "landing_page_unique_clicks",
    "getUniqueOpens": "email_unique_opens",
    "retrieveEmailAddresses": "account_emails",
    "retrieveEmailCampaignActivityPreviewUsingGET": "email_campaign_previews",
    "retrieveEmailCampaignActivityUsingGET": "email_campaign_activities",
    "retrieveEmailCampaignsUsingGET": "email_campaigns",
    "retrieveEmailSendHistoryUsingGET": "email_campaign_send_history",
}


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return load(CONTRACT)


def operation_of(stream: Any, contract: dict[str, Any]) -> dict[str, Any]:
    """Return the contract's GET of a stream; names of placeholders do not matter."""
    shape = re.sub(r"\{\w+\}", "{}", stream.path)
    for path, methods in contract["paths"].items():
        if "get" in methods and re.sub(r"\{\w+\}", "{}", path) in (shape, f"{shape}/{{}}"):
            operation: dict[str, Any] = methods["get"]
            if path.count("{") == shape.count("{") or "/stats/" in path:
                return operation
    raise AssertionError(stream.path)


def test_every_stream_is_compared() -> None:
    assert DEFINITIONS.keys() == STREAMS.keys()


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_a_schema_has_every_documented_property_at_every_depth(contract: Any, name: str) -> None:
    assert in_schema(name) == documented(name, contract["definitions"])


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_what_a_stream_needs_is_what_the_contract_says(contract: Any, name: str) -> None:
    stream: Any = STREAMS[name]
    operation = operation_of(stream, contract)
    scopes = {
        scope
        for security in operation.get("security", [])
        for named in security.values()
        for scope in named
    }
    for needed in [*scopes, *operation.get("x-authorization-privileges", [])]:
        assert needed in stream.needs


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_parameters_are_documented(contract: Any, name: str) -> None:
    stream: Any = STREAMS[name]
    known = {parameter["name"] for parameter in operation_of(stream, contract)["parameters"]}
    assert set(stream.params) <= known


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda sample: sample.stem)
def test_published_answers_lose_nothing(sample: Path) -> None:
    """Each record of a published answer goes through the stream's own parsing."""
    name = ANSWERED.get(sample.stem.split("__")[0])
    if name is None:
        pytest.skip("a detail, an error or a token")
    stream: Any = STREAMS[name]
    assert isinstance(stream, ConstantContactStream)
    body = json.loads(sample.read_text("utf-8"))
    records = body.get(stream.records_key or "results", body) if isinstance(body, dict) else body
    for record in records if isinstance(records, list) else [records]:
        keys = {key: 0 if key in ("occurrence", "send_id") else "x" for key in stream.primary_keys}
        row = stream.post_process({**keys, **json.loads(json.dumps(record))})
        assert row is not None
        assert stream.unknown_properties == set()
        assert _leaves(record) <= _leaves(row)


def _leaves(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(
            *(_leaves(item, f"{path}.{name.replace('.', '_')}") for name, item in value.items())
        )
    if isinstance(value, list):
        return set().union(*(_leaves(item, path) for item in value))
    return {path}
