"""The tap against the vendor's contract and published responses, if CONTRACT names them.

And what compares the two.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.tap import STREAMS

from tap_constantcontact.client import ConstantContactStream
from tools import contract as tool
from tools.contract_data import DEFINITIONS, PARAMETERS

CONTRACT = os.environ.get("CONTRACT")
needs_contract = pytest.mark.skipif(CONTRACT is None, reason="CONTRACT does not name the contract")

SAMPLES = Path(CONTRACT or "").parent / "samples"
# Published answers of operations that are streams; the others are details, errors and tokens.
ANSWERED = {
    "countContact": "contact_counts",
    "getAccountById": "account",
    "getAllBulkEmailCampaignSummaries": "email_campaign_summaries",
    "getAllBulkSmsCampaignSummaries": "sms_campaign_summaries",
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
    return tool.load(CONTRACT)


def operation_of(stream: Any, contract: dict[str, Any]) -> dict[str, Any]:
    """Return the contract's GET of a stream; names of placeholders do not matter."""
    shape = re.sub(r"\{\w+\}", "{}", stream.path)
    for path, methods in contract["paths"].items():
        if "get" in methods and re.sub(r"\{\w+\}", "{}", path) in (shape, f"{shape}/{{}}"):
            operation: dict[str, Any] = methods["get"]
            if path.count("{") == shape.count("{") or "/stats/" in path:
                return operation
    raise AssertionError(stream.path)


def test_contract_covers_every_stream() -> None:
    assert DEFINITIONS.keys() == STREAMS.keys()


@needs_contract
def test_tap_has_every_read_parameter_and_property_of_the_contract(contract: Any) -> None:
    assert list(tool.differences(contract)) == []
    assert tool.known_reads() == list(tool.reads_of(contract))


@needs_contract
def test_stream_permissions_are_those_of_the_contract(contract: Any) -> None:
    lacking = []
    for name, stream in STREAMS.items():
        operation = operation_of(stream, contract)
        scopes = {
            scope
            for security in operation.get("security", [])
            for named in security.values()
            for scope in named
        }
        privileges = {*operation.get("x-authorization-privileges", [])}
        if scopes - {*stream.scopes} or privileges - {*stream.privileges}:
            lacking.append(name)
    assert lacking == []


def test_stream_parameters_are_known() -> None:
    unknown = {
        name: set(stream.params) - set(parameters_of(stream.path))
        for name, stream in STREAMS.items()
    }
    assert {name: parameters for name, parameters in unknown.items() if parameters} == {}


def parameters_of(path: str) -> list[str]:
    """Return the known query parameters of a path; names of placeholders do not matter."""
    shape = re.sub(r"\{\w+\}", "{}", path)
    found = (
        names for known, names in PARAMETERS.items() if re.sub(r"\{\w+\}", "{}", known) == shape
    )
    return next(found, "").split()


@needs_contract
def test_published_responses_lose_nothing_in_conversion() -> None:
    """Each record of a published response goes through the stream's own conversion."""
    samples = [
        (sample, ANSWERED[operation])
        for sample in sorted(SAMPLES.glob("*.json"))
        if (operation := sample.stem.split("__")[0]) in ANSWERED
    ]
    assert {name for _, name in samples} == {*ANSWERED.values()}
    lost: dict[str, set[str]] = {}
    for sample, name in samples:
        stream = STREAMS[name]
        assert isinstance(stream, ConstantContactStream)
        for record in records_of(stream, json.loads(sample.read_text("utf-8"))):
            keys = {
                key: 0 if key in ("occurrence", "send_id") else "x" for key in stream.primary_keys
            }
            row = stream.post_process({**keys, **json.loads(json.dumps(record))})
            paths = lost.setdefault(sample.stem, set())
            paths |= stream.records.unknown_properties | (_leaves(record) - _leaves(row))
    assert {stem: paths for stem, paths in lost.items() if paths} == {}


def records_of(stream: ConstantContactStream, body: Any) -> list[Any]:
    records = body.get(stream.records_key or "results", body) if isinstance(body, dict) else body
    if isinstance(records, list):
        return records
    return [records] if records.keys() - {"_links"} else []  # some show the link of a page only


def _leaves(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(
            *(_leaves(item, f"{path}.{name.replace('.', '_')}") for name, item in value.items())
        )
    if isinstance(value, list):
        return set().union(*(_leaves(item, path) for item in value))
    return {path}


OLDER = {
    "info": {"version": "3.0.0"},
    "paths": {
        "/account/summary": {"get": {"parameters": [{"in": "query", "name": "fields"}]}},
        "/elsewhere": {"get": {}},
        "/announced": {},
    },
    "definitions": {"Tag": {"properties": {"tag_id": {}, "shade": {}}}},
}


def test_make_contract_says_what_either_side_lacks(fake_server: FakeServer) -> None:
    fake_server["/swagger.yaml"] = OLDER
    contract = tool.load(f"http://127.0.0.1:{fake_server.port}/swagger.yaml")
    found = list(tool.differences(contract))
    assert "GET /elsewhere: the tap lacks it" in found
    assert "GET /contacts: the contract lacks it" in found
    assert "GET /account/summary: the tap lacks the parameter fields" in found
    assert "GET /account/summary: the contract lacks the parameter extra_fields" in found
    assert "contact_tags: the tap lacks the property shade" in found
    assert len(found) < len(tool.known_reads()) + 2 * len(DEFINITIONS)


@pytest.mark.parametrize(
    ("content", "said"),
    [(OLDER, "Contract 3.0.0: 2 GETs, and 1 paths without a method"), (b"<html>", "Can't read")],
)
def test_make_contract_fails_on_differences_and_on_other_content(
    fake_server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: Any,
    said: str,
) -> None:
    fake_server["/swagger.yaml"] = content
    monkeypatch.setenv("CONTRACT", f"http://127.0.0.1:{fake_server.port}/swagger.yaml")
    assert tool.main() == 1
    assert said in capsys.readouterr().out
