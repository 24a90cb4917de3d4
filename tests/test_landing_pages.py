"""Landing pages, which the API does not list: a setting names them."""

from __future__ import annotations

from support.tap import STREAMS, TapCommand

from sandbox import Sandbox

REPORTS = tuple(name for name in STREAMS if name.startswith("landing_page_"))


def test_landing_pages_without_ids_cost_no_request(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, *REPORTS)
    assert run.status == 0, run.log
    assert not run.records
    assert not [request for request in sandbox.requests if request.path.startswith("/v3")]


def test_landing_page_reports_have_every_row_once(tap: TapCommand, sandbox: Sandbox) -> None:
    run = tap.sync(sandbox, *REPORTS, landing_page_activity_ids=[*sandbox.account.landing_pages])
    assert run.status == 0, run.log
    assert len(REPORTS) == 6
    for name, expected in sandbox.expected(REPORTS).items():
        arrived = [
            tuple(row[key] for key in STREAMS[name].primary_keys) for row in run.records[name]
        ]
        assert len(arrived) == len(expected) > 0, name
        assert set(arrived) == set(expected), name
    # Some open twice in the same minute.
    assert set(run.keys("landing_page_contact_opens", "occurrence")) >= {0, 1}


def test_landing_page_ids_narrow_the_reports(tap: TapCommand, sandbox: Sandbox) -> None:
    first, second = sandbox.account.landing_pages
    run = tap.sync(sandbox, "landing_page_unique_opens", landing_page_activity_ids=[second])
    assert set(run.keys("landing_page_unique_opens", "campaign_activity_id")) == {second}
    assert not [request for request in sandbox.requests if first in request.path]
