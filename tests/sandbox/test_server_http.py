"""The server: recorded requests, connections, control paths, its clock, its end."""

from __future__ import annotations

import http.client
import threading
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
import requests
from sandbox_client import (
    Client,
    claims_of,
)

from sandbox import TOKEN_PATH, Sandbox
from sandbox.account.clock import seconds

pytest_plugins = ["sandbox_fixtures"]


def test_requests_are_recorded_in_order_of_arrival(fresh_client: Client) -> None:
    fresh_client.session.headers["User-Agent"] = "tap/1"
    fresh_client.get("/contacts", limit=3)
    fresh_client.get("/contacts", limit=0)
    token, good, bad = fresh_client.sandbox.requests
    assert (token.method, token.path, token.status) == ("POST", TOKEN_PATH, 200)
    assert (good.path, good.query, good.status) == ("/v3/contacts", {"limit": "3"}, 200)
    assert (good.user_agent, good.authorized, bad.status) == ("tap/1", True, 400)
    assert token.at <= good.at <= bad.at


def test_connections_stay_open(fresh_client: Client) -> None:
    address = urlsplit(fresh_client.sandbox.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    headers = {"Authorization": str(fresh_client.session.headers["Authorization"])}
    connection.request("POST", "/_sandbox/changes", body=b"{}")
    connection.getresponse().read()
    opened = connection.sock
    assert opened is not None
    for _ in range(3):
        connection.request("GET", "/v3/contacts", headers=headers)
        assert connection.getresponse().read()
        assert connection.sock is opened
    connection.close()


def test_control_paths_change_fail_and_list_requests(fresh_client: Client) -> None:
    url = fresh_client.sandbox.url + "/_sandbox"
    done = requests.post(f"{url}/changes", timeout=5).json()
    assert len(done["contacts_edited"]) == 3
    plan = {"path": "/contacts", "fault": "throttled", "times": 1}
    assert requests.post(f"{url}/faults", json=plan, timeout=5).ok
    assert fresh_client.get("/contacts").status_code == 429
    assert requests.post(f"{url}/faults", json={"fault": "odd"}, timeout=5).status_code == 400
    request = requests.get(f"{url}/requests", timeout=5).json()
    assert [row["path"] for row in request] == [TOKEN_PATH, "/v3/contacts"]


def test_now_option_sets_the_clock_of_the_account() -> None:
    now = datetime(2024, 2, 29, 23, 0, tzinfo=timezone.utc)
    with Client(now=now) as client:
        response = client.get("/contacts")
        assert response.headers["Date"].startswith("Thu, 29 Feb 2024 23:00:")
        assert max(row["updated_at"] for row in response.json()["contacts"]) < "2024-02-29T22:01"


@pytest.mark.parametrize("skew", [900, -900])
def test_clock_skew_option_shifts_all_timestamps(skew: int) -> None:
    real = int(time.time())
    with Client(clock_skew=skew) as client:
        response = client.get("/contacts")
        date = parsedate_to_datetime(response.headers["Date"]).timestamp()
        assert date == pytest.approx(real + skew, abs=20)
        account = client.sandbox.account
        contact_id = next(iter(account.contacts))
        account.edit(contact_id, last_name="Renamed")
        edited = seconds(client.json(f"/contacts/{contact_id}")["updated_at"])
        assert edited == pytest.approx(real + skew, abs=20)
        claims = claims_of(client.log_in())
        assert claims["iat"] == pytest.approx(real + skew, abs=20)
        assert client.get("/contacts").ok


def test_stop_closes_all_connections() -> None:
    before = set(threading.enumerate())
    with Client() as client:
        assert client.get("/contacts").status_code == 200
        url = client.sandbox.url + "/v3/contacts"
        client.sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            client.session.get(url, timeout=5)
        deadline = time.monotonic() + 5
        while set(threading.enumerate()) - before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not set(threading.enumerate()) - before


def test_latency_option_delays_responses() -> None:
    with Client(latency=(0.2, 0.2)) as client:
        start = time.monotonic()
        client.get("/contacts")
        assert time.monotonic() - start >= 0.2


def test_stop_frees_the_port() -> None:
    sandbox = Sandbox(contacts=1, campaigns=0).start()
    port = urlsplit(sandbox.url).port
    sandbox.stop()
    with Sandbox(contacts=1, campaigns=0, port=port) as again:
        assert urlsplit(again.url).port == port
