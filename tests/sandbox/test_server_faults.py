"""Planned faults, each of them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sandbox_client import (
    CONTACT_REPORTS,
    TRACKING,
    Client,
    error_of,
    filled,
    next_href,
)
from support.waiting import wait_until

from sandbox import TOKEN_PATH, Fault
from sandbox.server.faults import PAGES

pytest_plugins = ["sandbox_fixtures"]

STATUS = {
    Fault.THROTTLED: 429,
    Fault.QUOTA_EXCEEDED: 429,
    Fault.UNAUTHORIZED: 401,
    Fault.FORBIDDEN: 403,
    Fault.NOT_FOUND: 404,
    Fault.BAD_REQUEST: 400,
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE: 503,
    Fault.GATEWAY_TIMEOUT: 504,
}


def test_status_faults_return_their_status_the_planned_times(fresh_client: Client) -> None:
    for fault, status in STATUS.items():
        fresh_client.sandbox.fail("/contacts", fault, times=2, skip=1)
        statuses = [fresh_client.get("/contacts", limit=1).status_code for _ in range(4)]
        assert statuses == [200, status, status, 200]
        assert fresh_client.get("/contact_tags").status_code == 200


def test_fault_path_pattern_matches_paths(fresh_client: Client) -> None:
    fresh_client.sandbox.fail("/contact*", Fault.SERVER_ERROR, times=9)
    assert (
        fresh_client.get("/contacts").status_code
        == fresh_client.get("/contact_tags").status_code
        == 500
    )
    assert fresh_client.get("/emails").status_code == 200
    fresh_client.sandbox.clear_faults()
    assert fresh_client.get("/contacts").status_code == 200


def test_bad_request_fault_has_the_planned_message(fresh_client: Client) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.BAD_REQUEST, message="limit is too small")
    assert fresh_client.get("/contacts").json()[0]["error_message"] == "limit is too small"


def test_dropped_fault_closes_the_connection(
    fresh_client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.DROPPED)
    with pytest.raises(requests.ConnectionError):
        fresh_client.get("/contacts")
    assert fresh_client.get("/contacts").status_code == 200
    assert [request.status for request in fresh_client.sandbox.requests[-2:]] == [0, 200]
    assert capfd.readouterr().err == ""


def test_cut_fault_truncates_the_body(fresh_client: Client) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.CUT)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        fresh_client.get("/contacts")
    assert fresh_client.get("/contacts").status_code == 200


def test_cut_json_and_not_json_faults_return_invalid_json(fresh_client: Client) -> None:
    for fault in (Fault.CUT_JSON, Fault.NOT_JSON):
        fresh_client.sandbox.fail("/contacts", fault)
        response = fresh_client.get("/contacts")
        assert response.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            response.json()


@pytest.mark.parametrize("skip", [0, 1])
def test_empty_page_fault_links_to_the_real_page(fresh_client: Client, skip: int) -> None:
    rows = fresh_client.get_all("/contacts", "contacts", limit=20)
    fresh_client.sandbox.fail("/contacts", Fault.EMPTY_PAGE, times=2, skip=skip)
    earlier = len(fresh_client.sandbox.requests)
    assert fresh_client.get_all("/contacts", "contacts", limit=20) == rows
    urls = [str(request.query) for request in fresh_client.sandbox.requests[earlier:]]
    assert len(set(urls)) == len(urls) == 5


def test_foreign_next_fault_links_to_another_host(fresh_client: Client) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.FOREIGN_NEXT)
    href = next_href(fresh_client.json("/contacts")) or ""
    assert urlsplit(href).hostname == "localhost" != urlsplit(fresh_client.sandbox.url).hostname
    assert fresh_client.get(href).status_code == 404
    assert fresh_client.sandbox.requests[-1].path == "/elsewhere"
    assert fresh_client.sandbox.requests[-1].authorized


def test_loop_fault_links_to_the_same_page(fresh_client: Client) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.LOOP, times=2)
    first = fresh_client.json("/contacts", limit=3)
    href = next_href(first) or ""
    assert href == "/v3/contacts?limit=3"
    assert fresh_client.json(href) == first


def test_absolute_next_fault_links_with_a_full_url(fresh_client: Client) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.ABSOLUTE_NEXT)
    first = fresh_client.json("/contacts", limit=3)
    href = next_href(first) or ""
    assert href.startswith(fresh_client.sandbox.url + "/v3/contacts?cursor=")
    assert (
        fresh_client.json(href)["contacts"]
        == fresh_client.json("/contacts", limit=6)["contacts"][3:]
    )


def test_delay_fault_delays_the_response(fresh_client: Client) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.DELAY, seconds=0.2)
    start = time.monotonic()
    assert fresh_client.get("/contacts").status_code == 200
    assert time.monotonic() - start >= 0.2


def test_delay_fault_does_not_block_other_requests(
    fresh_client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    fresh_client.sandbox.fail("/contacts", Fault.DELAY, seconds=2)
    fresh_client.sandbox.fail(TOKEN_PATH, Fault.DELAY, seconds=2)
    headers = dict(fresh_client.session.headers)
    with ThreadPoolExecutor() as pool:
        url = fresh_client.sandbox.url
        hanging = [
            pool.submit(requests.get, f"{url}/v3/contacts", headers=headers, timeout=1),
            pool.submit(requests.post, f"{url}{TOKEN_PATH}", timeout=1),
        ]
        wait_until(lambda: len(fresh_client.sandbox.requests) == 3)
        assert fresh_client.get("/contacts").status_code == 200
        assert fresh_client.get("/emails").status_code == 200
        assert fresh_client.refresh(fresh_client.sandbox.refresh_token).ok
        assert not any(response.done() for response in hanging)
    assert [type(response.exception()) for response in hanging] == [requests.ReadTimeout] * 2
    # The server completes requests of clients that hung up, and logs no error.
    wait_until(lambda: all(request.status for request in fresh_client.sandbox.requests))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("fault", PAGES)
def test_page_faults_do_not_change_other_responses(fresh_client: Client, fault: Fault) -> None:
    fresh_client.sandbox.fail("/account/emails", fault)
    fresh_client.sandbox.fail("/contacts", fault, times=2)
    assert len(fresh_client.json("/account/emails")) == 3
    assert fresh_client.get("/contacts", limit=0).status_code == 400
    segment_id = next(iter(fresh_client.sandbox.account.segments))
    assert fresh_client.get("/contacts", segment_id=segment_id).status_code == 202


def test_empty_page_fault_keeps_repeated_parameters(fresh_client: Client) -> None:
    path = filled(fresh_client, CONTACT_REPORTS + "activity_details")
    query: Any = {"tracking_activity_type": ["em_sends", "em_opens"]}
    rows = fresh_client.json(path, **query)["tracking_activities"]
    fresh_client.sandbox.fail(path, Fault.EMPTY_PAGE)
    assert fresh_client.get_all(path, "tracking_activities", **query, _detour="x") == rows


def test_faults_have_the_error_form_of_the_service(fresh_client: Client) -> None:
    report = filled(fresh_client, TRACKING + "sends")
    for fault, key in (
        (Fault.FORBIDDEN, "forbidden"),
        (Fault.NOT_FOUND, "not_found"),
        (Fault.BAD_REQUEST, "validation.error"),
        (Fault.SERVER_ERROR, "internal"),
    ):
        for path, service, type_ in (
            (report, "reportingsvc", dict),
            ("/emails", "campaigns.api", list),
        ):
            fresh_client.sandbox.fail(path, fault)
            response = fresh_client.get(path)
            assert isinstance(response.json(), type_)
            assert error_of(response) == (STATUS[fault], f"{service}.{key}")


def test_admission_faults_are_bare_objects(fresh_client: Client) -> None:
    for fault in (Fault.THROTTLED, Fault.QUOTA_EXCEEDED, Fault.UNAUTHORIZED):
        fresh_client.sandbox.fail("/emails", fault)
        assert fresh_client.get("/emails").json()["error_key"] == fault.value


def test_token_endpoint_faults_have_the_form_of_oauth(fresh_client: Client) -> None:
    for fault, error in (
        (Fault.UNAUTHORIZED, "invalid_client"),
        (Fault.BAD_REQUEST, "invalid_request"),
        (Fault.SERVER_ERROR, "server_error"),
    ):
        fresh_client.sandbox.fail(TOKEN_PATH, fault)
        response = fresh_client.refresh(fresh_client.sandbox.refresh_token)
        assert response.status_code == STATUS[fault]
        assert set(response.json()) == {"error", "error_description"}
        assert response.json()["error"] == error


def test_every_fault_is_tested_here() -> None:
    others = {
        Fault.DROPPED, Fault.CUT, Fault.CUT_JSON, Fault.NOT_JSON, Fault.EMPTY_PAGE,
        Fault.FOREIGN_NEXT, Fault.LOOP, Fault.ABSOLUTE_NEXT, Fault.DELAY,
    }  # fmt: skip
    assert set(Fault) == {*STATUS, *others}
