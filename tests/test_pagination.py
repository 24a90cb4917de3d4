"""Pagination: which requests follow a page, with and without records."""

from __future__ import annotations

import pytest
from support.fake_server import FakeServer
from support.tap import TapCommand


@pytest.mark.parametrize("records", [[], [{"contact_id": "1"}]])
def test_an_empty_page_ends_the_pagination_only_without_a_link(
    tap: TapCommand, fake_server: FakeServer, records: list[dict[str, str]]
) -> None:
    link = {"next": {"href": "/v3/contacts/page2"}}
    fake_server["/v3/contacts"] = {"contacts": [], "_links": link}
    fake_server["/v3/contacts/page2"] = {"contacts": records}
    settings = {**fake_server.settings, "max_parallel_requests": 1}
    run = tap.run(settings, select=["contacts"], env={"LOGLEVEL": "DEBUG"})
    assert run.status == 0, run.log
    assert [row["contact_id"] for row in run.records["contacts"]] == [
        record["contact_id"] for record in records
    ]
    assert "Pagination stopped" not in run.log
