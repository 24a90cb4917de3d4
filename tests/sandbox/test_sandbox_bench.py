from __future__ import annotations

import json
from collections import Counter

import pytest

from checks.request_budget import Outcome, Warehouse, _endpoint, parser
from sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(contacts=60, campaigns=6)


def filled(sandbox: Sandbox, stream: str, *key: str) -> Warehouse:
    """Fill a warehouse with what a sync brings, in the forms that the tap gives to values."""
    warehouse = Warehouse({stream: list(key)})
    for row in sandbox.expected({stream})[stream].values():
        line = json.dumps({"stream": stream, "record": {**row, "added": None}})
        line = line.replace('Z"', '.000Z"').replace(".000.000", ".000")
        warehouse.add(json.loads(line), line)
    return warehouse


OPENS = ("email_opens", "campaign_activity_id", "contact_id", "created_time", "occurrence")


def test_nothing_is_lost_that_arrived_in_another_form(sandbox: Sandbox) -> None:
    assert not filled(sandbox, "contacts", "contact_id").lost(sandbox)
    assert not filled(sandbox, *OPENS).lost(sandbox)


def test_what_did_not_arrive_or_is_old_is_lost(sandbox: Sandbox) -> None:
    warehouse = filled(sandbox, "contacts", "contact_id")
    missing, old, *_ = sandbox.account.contacts
    del warehouse.lines["contacts"][(missing,)]
    sandbox.account.edit(old, last_name="Renamed")
    assert warehouse.lost(sandbox) == {"contacts": 2}


def test_a_stream_that_never_began_is_lost(sandbox: Sandbox) -> None:
    assert Warehouse({"contacts": ["contact_id"]}).lost(sandbox) == {"contacts": 60}


def test_the_order_of_rows_in_a_minute_does_not_matter(sandbox: Sandbox) -> None:
    engagement = sandbox.account.engagement
    activity_id = max(engagement, key=lambda id_: len(engagement[id_].opens))
    part = engagement[activity_id]
    contact_id = part.opens[-1].contact_id
    for device in ("mobile", "tablet", "tablet"):
        part.opens.append(part.opens[-1]._replace(device=device))
    warehouse = filled(sandbox, *OPENS)
    part.opens[-3:] = reversed(part.opens[-3:])
    assert not warehouse.lost(sandbox)
    sandbox.account.happen(activity_id, "opens", contact_id=contact_id)
    assert warehouse.lost(sandbox) == {"email_opens": 1}


def test_an_outcome_says_what_is_wrong_with_it() -> None:
    assert not Outcome("a").failures
    assert not Outcome("b", bound=2, requests=Counter({"/contacts": 2})).failures
    outcome = Outcome(
        "c", bound=1, status=1, requests=Counter({"/a": 1, "/b": 1}), lost=Counter({"contacts": 3})
    )
    assert outcome.failures == [
        "ended with status 1", "3 rows of contacts lost", "2 requests exceed the bound of 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v3/contacts", "/contacts"),
        ("/v3/segments/14", "/segments/*"),
        ("/v3/events/{0}/tracks/1ca7e8/registrations", "/events/*/tracks/*/registrations"),
        ("/v3/reports/stats/email_campaigns/{0},{0}", "/reports/stats/email_campaigns/*"),
        ("/oauth2/default/v1/token", "/oauth2/default/v1/token"),
    ],
)
def test_places_have_no_ids(path: str, place: str) -> None:
    assert _endpoint(path.format("71600990-908b-4ee6-907f-00166bff2512")) == place


def test_the_bench_is_small_unless_told_otherwise() -> None:
    options = vars(parser().parse_args([]))
    assert options == {
        "campaigns": 360, "contacts": 5_000, "changed": [20, 200], "max_requests": 1_000,
    }  # fmt: skip
