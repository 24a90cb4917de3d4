"""The request budget check: what it counts as lost, and what it reports."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from checks.request_budget import Outcome, _endpoint, parser
from checks.support.warehouse import Warehouse
from sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(contacts=60, campaigns=6)


def filled(sandbox: Sandbox, stream: str, *key: str) -> Warehouse:
    """Return a warehouse with the rows of a sync, in the forms of the tap."""
    warehouse = Warehouse({stream: list(key)})
    for row in sandbox.expected({stream})[stream].values():
        line = json.dumps({"stream": stream, "record": {**row, "added": None}})
        line = line.replace('Z"', '.000Z"').replace(".000.000", ".000")
        warehouse.add(json.loads(line), line)
    return warehouse


OPENS = ("email_opens", "campaign_activity_id", "contact_id", "created_time", "occurrence")


def test_lost_ignores_the_form_of_values(sandbox: Sandbox) -> None:
    assert not filled(sandbox, "contacts", "contact_id").lost(sandbox)
    assert not filled(sandbox, *OPENS).lost(sandbox)


def test_lost_counts_missing_and_outdated_rows(sandbox: Sandbox) -> None:
    warehouse = filled(sandbox, "contacts", "contact_id")
    missing, old, *_ = sandbox.account.contacts
    del warehouse.lines["contacts"][(missing,)]
    sandbox.account.edit(old, last_name="Renamed")
    assert warehouse.lost(sandbox) == {"contacts": 2}


def test_lost_counts_all_rows_of_an_unread_stream(sandbox: Sandbox) -> None:
    assert Warehouse({"contacts": ["contact_id"]}).lost(sandbox) == {"contacts": 60}


def test_lost_ignores_the_order_of_rows_in_a_minute(sandbox: Sandbox) -> None:
    engagement = sandbox.account.engagement
    activity_id = max(engagement, key=lambda id_: len(engagement[id_].opens))
    part = engagement[activity_id]
    contact_id = part.opens[-1].contact_id
    for device in ("mobile", "tablet", "tablet"):
        part.opens.append(part.opens[-1]._replace(device=device))
    warehouse = filled(sandbox, *OPENS)
    part.opens[-3:] = reversed(part.opens[-3:])
    assert not warehouse.lost(sandbox)
    sandbox.account.add_events(activity_id, "opens", contact_id=contact_id)
    assert warehouse.lost(sandbox) == {"email_opens": 1}


def test_outcome_lists_its_failures() -> None:
    assert not Outcome("a").failures
    assert not Outcome("b", goal=2, requests=Counter({"/contacts": 2})).failures
    outcome = Outcome(
        "c", goal=1, status=1, requests=Counter({"/a": 1, "/b": 1}), lost=Counter({"contacts": 3})
    )
    assert outcome.failures == [
        "ended with status 1", "3 rows of contacts lost", "2 requests exceed the goal of 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v3/contacts", "/contacts"),
        ("/v3/segments/14", "/segments/*"),
        ("/v3/events/{0}/tracks/1ca7e8/registrations", "/events/*/tracks/*/registrations"),
        ("/v3/reports/stats/email_campaigns/{0},{0}", "/reports/stats/email_campaigns/*"),
        ("/oauth2/default/v1/token", "/oauth2/default/v1/token"),
    ],
)
def test_endpoint_replaces_ids(path: str, endpoint: str) -> None:
    assert _endpoint(path.format("71600990-908b-4ee6-907f-00166bff2512")) == endpoint


def test_default_options_are_those_of_the_goals() -> None:
    options = vars(parser().parse_args([]))
    assert options == {
        "campaigns": 3_000, "contacts": 3_000, "audiences": [0, 2_500], "changed": [20, 200],
        "max_requests": 10_000,
    }  # fmt: skip
