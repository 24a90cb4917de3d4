"""Prefetching: the same rows and states, and no superfluous request."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
import requests
from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, Run, TapCommand
from support.waiting import wait_until

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.rate_limit import RateLimit
from tap_constantcontact.api.responses import ApiResponse, outline_of, rows_of
from tap_constantcontact.api.session import PrefetchingSession
from tap_constantcontact.api.shared_limits import MemoryCounter
from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.tap import TapConstantContact

#: What the clock writes into rows and states.
OF_THE_CLOCK = {
    *("counted_at", "report_start", "report_end", "start_at", "end_at"),
    *("swept_at", "round_at", "began", "cycle_began", "asked_since", "created_before"),
}


def steady(value: Any, *, without: set[str] = OF_THE_CLOCK) -> Any:
    """Return rows or a state without what depends on when the run was made."""
    if isinstance(value, dict):
        return {name: steady(part) for name, part in value.items() if name not in without}
    return [steady(part) for part in value] if isinstance(value, list) else value


def bookmarks(run: Run) -> dict[str, Any]:
    """Return the last state, without the time by which contacts were read and the log's id."""
    state: dict[str, Any] = steady(run.state)["bookmarks"]
    state.get("contacts", {}).pop("replication_key_value", None)
    (log,) = state.get("email_campaign_stats", {}).get("log", [{"id": "none"}])
    without: dict[str, Any] = json.loads(json.dumps(state).replace(log["id"], "id"))
    return without


@pytest.fixture
def taps(tmp_path_factory: pytest.TempPathFactory) -> dict[int, TapCommand]:
    """Taps that differ in how many requests they make at a time."""
    return {parallel: TapCommand(tmp_path_factory.mktemp("tap")) for parallel in (1, 8)}


@pytest.mark.slow
@pytest.mark.parametrize(("contacts", "streams"), [(60, list(STREAMS)), (13_000, ["contacts"])])
def test_prefetch_gives_rows_states_and_requests_of_a_sequential_run(
    taps: dict[int, TapCommand], make_sandbox: MakeSandbox, contacts: int, streams: list[str]
) -> None:
    sandbox = make_sandbox(contacts=contacts, campaigns=12, segment_polls=0)
    runs, requests_made = {}, {}
    for parallel, tap in taps.items():
        settings = {**tap.settings_of_all(sandbox), "max_parallel_requests": parallel}
        settings["contact_ids"] = list(sandbox.account.contacts)[:20]
        before = len(sandbox.requests)
        runs[parallel] = tap.run(settings, select=streams)
        requests_made[parallel] = len(sandbox.requests) - before
        assert runs[parallel].status == 0, runs[parallel].log
    one, many = runs[1], runs[8]
    assert one.records.keys() == many.records.keys()
    for stream, rows in one.records.items():
        assert steady(rows) == steady(many.records[stream]), stream
    assert bookmarks(one) == bookmarks(many)
    assert requests_made[8] <= 1.02 * requests_made[1]


def test_prefetch_adds_no_request_to_an_incremental_run(
    taps: dict[int, TapCommand], make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=1200, campaigns=12)
    firsts = {n: tap.sync(sandbox, max_parallel_requests=n) for n, tap in taps.items()}
    for campaign_id, campaign in list(sandbox.account.campaigns.items()):
        if campaign["current_status"] == "Done":
            sandbox.account.add_events(campaign_id, "opens")
    made = {}
    for parallel, tap in taps.items():
        before = len(sandbox.requests)
        state = firsts[parallel].state
        second = tap.sync(sandbox, state=state, max_parallel_requests=parallel)
        assert second.status == 0, second.log
        assert second.records["email_opens"]
        made[parallel] = len(sandbox.requests) - before
    assert made[8] == made[1]


def test_run_without_a_change_does_not_wait_for_summaries(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    """Page after page of them, and then the counters, would come after all other requests."""
    sandbox = make_sandbox(campaigns=12)
    state = tap.sync(sandbox).state
    before = len(sandbox.requests)
    assert tap.sync(sandbox, state=state, max_parallel_requests=2).status == 0
    paths = [request.path for request in sandbox.requests[before:] if request.method == "GET"]
    summaries = paths.index("/v3/reports/summary_reports/email_campaign_summaries")
    assert summaries <= 2 < paths.index("/v3/segments")


@pytest.mark.parametrize("budget", [40, 160])
def test_prefetch_respects_max_requests(
    tap: TapCommand, make_sandbox: MakeSandbox, budget: int
) -> None:
    sandbox = make_sandbox(campaigns=24)
    run = tap.sync(sandbox, max_requests=budget)
    assert run.status == 75
    assert len([request for request in sandbox.requests if request.method == "GET"]) == budget
    read = sum(int(row[1]) for row in run.table.values())
    assert read > 0.95 * budget  # few were in vain


def test_prefetch_adds_no_request_for_a_refused_stream(
    taps: dict[int, TapCommand], make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(campaigns=12, scopes=("account_read", "contact_data"))
    refused = {}
    for parallel, tap in taps.items():
        before = len(sandbox.requests)
        run = tap.sync(sandbox, max_parallel_requests=parallel)
        assert run.status == 0, run.log
        statuses = [request.status for request in sandbox.requests[before:]]
        refused[parallel] = statuses.count(403)
    assert refused[8] == refused[1] > 0


def test_prefetched_requests_are_in_flight_concurrently(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    """Each response waits until four requests are in flight, or fewer than four are left."""
    together = threading.Barrier(4)

    def answer() -> tuple[int, Any]:
        try:
            together.wait(timeout=10)
        except threading.BrokenBarrierError:
            return 500, {}
        return 200, []

    campaigns = [{"campaign_id": str(number), "updated_at": "2026-01-01"} for number in range(8)]
    fake_server["/v3/emails"] = {"campaigns": campaigns}
    for number in range(8):
        fake_server[f"/v3/emails/{number}"] = lambda: (answer()[0], {"name": "any"})
    run = tap.run(fake_server.settings, select=["email_campaigns"])
    assert run.status == 0, run.log
    assert run.keys("email_campaigns", "name") == ["any"] * 8
    assert "Backing off" not in run.log


@pytest.mark.parametrize("parallel", [2, 4])
def test_prefetch_respects_max_parallel_requests(
    tap: TapCommand, fake_server: FakeServer, parallel: int
) -> None:
    waiting, most, lock = 0, 0, threading.Lock()

    def detail() -> Any:
        nonlocal waiting, most
        with lock:
            waiting += 1
            most = max(most, waiting)
        time.sleep(0.05)
        with lock:
            waiting -= 1
        return {"name": "any"}

    campaigns = [{"campaign_id": str(number), "updated_at": "2026-01-01"} for number in range(12)]
    fake_server["/v3/emails"] = {"campaigns": campaigns}
    for number in range(12):
        fake_server[f"/v3/emails/{number}"] = detail
    settings = {**fake_server.settings, "max_parallel_requests": parallel}
    assert tap.run(settings, select=["email_campaigns"]).status == 0
    assert most == parallel


@pytest.mark.parametrize(
    "detail",
    [
        {"default_track": {"track_id": "T"}},
        {"event_id": "1", "default_track": "odd"},
        {"event_id": "1", "default_track": [1]},
        [],
    ],
)
def test_prefetch_survives_unpredictable_responses(
    tap: TapCommand, fake_server: FakeServer, detail: Any
) -> None:
    fake_server["/v3/events"] = {"records": [{"event_id": "1"}, {"event_id": "2"}]}
    fake_server["/v3/events/1"] = detail
    fake_server["/v3/events/2"] = {"event_id": "2"}
    fake_server["/v3/events/1/tracks/T/registrations"] = {"records": []}
    runs = [
        tap.run({**fake_server.settings, "max_parallel_requests": parallel}, select=["events"])
        for parallel in (1, 8)
    ]
    assert runs[0].status == runs[1].status
    assert runs[0].records == runs[1].records


@pytest.mark.parametrize("parallel", [1, 8])
def test_prefetch_waits_once_for_the_quota_to_reset(fake_server: FakeServer, parallel: int) -> None:
    """Requests that the exhausted quota refused are repeated after the reset."""
    used_up, one_at_a_time, nights = threading.Event(), threading.Lock(), 0

    def detail(*, last: bool = False) -> Any:
        if last and not nights:
            used_up.set()
        refused = used_up.is_set()
        time.sleep(0.02)
        return (429, {"error_key": "quota_exceeded"}) if refused else {"name": "any"}

    campaigns = [{"campaign_id": str(number), "updated_at": "2026-01-01"} for number in range(20)]
    fake_server["/v3/emails"] = {"campaigns": campaigns}
    for number in range(20):
        fake_server[f"/v3/emails/{number}"] = partial(detail, last=number == 5)
    settings = {"max_parallel_requests": parallel, "on_quota_exceeded": "wait"}
    tap = TapConstantContact(config={**fake_server.settings, **settings})
    for name, stream in tap.streams.items():
        stream.selected = name == "email_campaigns"
    now = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)

    def sleep(seconds: float) -> None:
        """Let a night pass for all threads that sleep through it."""
        nonlocal now, nights
        morning = now + timedelta(seconds=seconds)
        if seconds > 3600:
            time.sleep(1)  # what is on its way arrives before the night is over
            with one_at_a_time:
                nights += now < morning
                now = max(now, morning)
                used_up.clear()

    tap.api.limits._now, tap.api.limits._sleep = lambda: now, sleep
    tap.sync_all()
    assert nights == 1


def test_send_between_list_and_summaries_is_read(tap: TapCommand, fake_server: FakeServer) -> None:
    """The list is prefetched; that a send changes `updated_at` is assumed, and not so here."""
    failures, is_sent = [503], threading.Event()

    def status() -> str:
        return "Done" if is_sent.is_set() else "Draft"

    def listed() -> Any:
        new = {"campaign_id": "2", "updated_at": "2026-03-01T00:00:00Z", "current_status": "Draft"}
        old = {"campaign_id": "1", "updated_at": "2026-01-01T00:00:00Z", "current_status": status()}
        return {"campaigns": [new, old]}

    def summarized() -> Any:
        if failures:
            time.sleep(0.2)
            return failures.pop(), {}
        is_sent.set()
        now = datetime.now(timezone.utc).isoformat()
        summary = {"campaign_id": "1", "last_sent_date": now, "unique_counts": {"sends": 1}}
        return {"bulk_email_campaign_summaries": [summary]}

    fake_server["/v3/account/summary"] = {"encoded_account_id": "1"}
    fake_server["/v3/emails"] = listed
    fake_server["/v3/emails/1"] = lambda: {"campaign_id": "1", "current_status": status()}
    fake_server["/v3/emails/2"] = {"campaign_id": "2", "current_status": "Draft"}
    fake_server["/v3/reports/summary_reports/email_campaign_summaries"] = summarized
    held, state = {}, None
    for _ in range(2):
        streams = ["account", "email_campaign_summaries", "email_campaigns"]
        run = tap.run(fake_server.settings, select=streams, state=state)
        assert run.status == 0, run.log
        state = run.state
        held.update({row["campaign_id"]: row["current_status"] for row in run.records[streams[2]]})
    assert held == {"1": "Done", "2": "Draft"}


def test_prefetched_counts_have_the_time_of_their_request(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    requested_at: list[datetime] = []

    def counts() -> Any:
        requested_at.append(datetime.now(timezone.utc))
        return {"total": 1}

    def contacts() -> Any:
        wait_until(lambda: len(requested_at) > 0)  # they are prefetched
        time.sleep(2.5)
        return {"contacts_count": 1, "contacts": [{"contact_id": "1"}]}

    fake_server["/v3/account/summary"] = {"encoded_account_id": "1"}
    fake_server["/v3/contacts"] = contacts
    fake_server["/v3/contacts/counts"] = counts
    run = tap.run(fake_server.settings, select=["account", "contacts", "contact_counts"])
    (counted_at,) = run.keys("contact_counts", "counted_at")
    late = datetime.fromisoformat(counted_at.replace("Z", "+00:00")) - requested_at[0]
    assert late < timedelta(seconds=2)


# The session alone, with a server that responds to any path.


@dataclass
class Stream:
    """A stream that predicts requests to some addresses."""

    url: str
    paths: Iterable[str] = ()
    may_be_forbidden: bool = False
    leads_to_others: bool = False
    then: dict[str, list[str]] = field(default_factory=dict)

    def predicted_requests(self) -> Iterator[PredictedRequest]:
        return map(self.guess, self.paths)

    def guess(self, path: str) -> PredictedRequest:
        return PredictedRequest(
            get(self.url + path), lambda _: map(self.guess, self.then.get(path, []))
        )


def get(url: str) -> requests.PreparedRequest:
    return requests.Request("GET", url).prepare()


@dataclass
class Server:
    """A server that notes its requests."""

    url: str
    asked: list[str]

    def count(self, number: int) -> bool:
        return len(self.asked) >= number


@pytest.fixture
def server(fake_server: FakeServer) -> Server:
    asked: list[str] = []

    def answer(path: str) -> Callable[[], Any]:
        def note() -> Any:
            asked.append(path)
            return (
                (500, {})
                if path == "/broken"
                else (200, b"x" * (1_000_000 if "big" in path else 1))
            )

        return note

    for name in ("small", "big", "other", "broken", "next"):
        for number in ["", *map(str, range(300))]:
            fake_server[f"/{name}{number}"] = answer(f"/{name}{number}")
    return Server(f"http://127.0.0.1:{fake_server.port}", asked)


def limits(**changed: Any) -> RateLimit:
    settings: dict[str, Any] = {
        "requests_per_second": 10_000,
        "max_requests": None,
        "daily_quota": 10_000,
        "on_quota_exceeded": "fail",
        "counter": MemoryCounter(),
    }
    return RateLimit(**{**settings, **changed})


def session_of(
    *streams: Stream,
    threads: int = 4,
    before_wait: Callable[[], None] = lambda: None,
    authenticate: Callable[[Any], Any] = lambda request: request,
    **changed: Any,
) -> PrefetchingSession:
    return PrefetchingSession(
        streams[0].url,
        streams,
        threads,
        limits(**changed),
        authenticate,
        before_wait=before_wait,
        timeout=10,
    )


def settle(server: Server) -> int:
    """Wait until there are no more requests, and return how many there were."""
    idle = threading.Event()
    before = -1
    while before < len(server.asked):
        before = len(server.asked)
        idle.wait(0.2)
    return before


def test_predicted_request_is_sent_once(server: Server) -> None:
    stream = Stream(server.url, [f"/small{number}" for number in range(20)])
    session = session_of(stream)
    session.begin_stream(stream)
    for number in range(20):
        assert session.send(get(f"{server.url}/small{number}")).content == b"x"
    assert Counter(server.asked) == Counter(f"/small{number}" for number in range(20))


def test_wrong_prediction_costs_one_request_only(server: Server) -> None:
    stream, later = Stream(server.url, ["/small1", "/small2"]), Stream(server.url)
    session = session_of(stream, later)
    session.begin_stream(stream)
    assert session.send(get(f"{server.url}/other")).status_code == 200
    session.begin_stream(later)
    assert session.send(get(f"{server.url}/other1")).status_code == 200
    assert session.send(get(f"{server.url}/small1")).status_code == 200  # requested again
    assert server.asked.count("/small1") == 2


def test_prefetch_window_bounds_the_number_of_responses(server: Server) -> None:
    stream = Stream(server.url, [f"/small{number}" for number in range(300)])
    later = Stream(server.url, [f"/next{number}" for number in range(300)])
    session = session_of(stream, later)
    session.begin_stream(stream)
    for number in range(40):
        session.send(get(f"{server.url}/small{number}"))
    asked_for = settle(server)
    assert 40 < asked_for <= 40 + 2 * 4 * 8
    assert len([path for path in server.asked if path.startswith("/next")]) <= 4 * 8


def test_prefetch_window_bounds_the_bytes_of_responses(server: Server) -> None:
    stream = Stream(server.url, [f"/big{number}" for number in range(300)])
    session = session_of(stream)
    session.begin_stream(stream)
    for number in range(10):
        session.send(get(f"{server.url}/big{number}"))
    assert 10 < settle(server) <= 10 + 8 + 4


@pytest.mark.parametrize("limit", [{"max_requests": 100}, {"daily_quota": 100}])
def test_prefetch_leaves_the_last_requests_to_the_loop(
    server: Server, limit: dict[str, Any]
) -> None:
    stream = Stream(server.url, [f"/small{number}" for number in range(300)])
    later = Stream(server.url, [f"/next{number}" for number in range(300)])
    session = session_of(stream, later, **limit)
    session.begin_stream(stream)
    for number in range(60):
        session.send(get(f"{server.url}/small{number}"))
    assert settle(server) <= 60 + 4 * 8 * 2
    for number in range(60, 300):
        with suppress(RunEnded):
            session.send(get(f"{server.url}/small{number}"))
    assert len(server.asked) == 100


def test_requests_that_follow_a_response_are_prefetched_first(server: Server) -> None:
    stream = Stream(server.url, ["/small1"], then={"/small1": ["/small2"], "/small2": ["/small3"]})
    session = session_of(stream)
    session.begin_stream(stream)
    session.send(get(f"{server.url}/small1"))
    wait_until(lambda: server.count(2))
    session.send(get(f"{server.url}/small2"))
    wait_until(lambda: server.count(3))
    assert server.asked == ["/small1", "/small2", "/small3"]


def test_list_that_others_wait_for_is_prefetched_first(server: Server) -> None:
    stream = Stream(server.url)
    ordinary = Stream(server.url, [f"/small{number}" for number in range(20)])
    chain = {"/next1": ["/next2"], "/next2": ["/next3"]}
    urgent = Stream(server.url, ["/next1"], leads_to_others=True, then=chain)
    session = session_of(stream, ordinary, urgent, threads=2)
    session.begin_stream(stream)
    for number in range(12):
        session.send(get(f"{server.url}/other{number}"))
    settle(server)
    ahead = [path for path in server.asked if "other" not in path]
    assert ahead.index("/next1") <= 1  # the order of two that are in flight is not certain
    assert ahead.index("/next3") < ahead.index("/small9")


def test_prefetch_sends_one_request_of_a_stream_that_may_be_refused(server: Server) -> None:
    stream = Stream(server.url)
    doubtful = Stream(server.url, ["/broken", "/small1", "/small2"], may_be_forbidden=True)
    session = session_of(stream, doubtful)
    session.begin_stream(stream)
    for number in range(5):
        session.send(get(f"{server.url}/other{number}"))
    settle(server)
    assert [path for path in server.asked if "other" not in path] == ["/broken"]
    doubtful.may_be_forbidden = False
    for number in range(5, 9):
        session.send(get(f"{server.url}/other{number}"))
    wait_until(lambda: "/small2" in server.asked)


def test_prefetch_error_is_raised_in_the_loop(server: Server) -> None:
    stream = Stream(server.url, ["/small1", "/small2"])
    session = session_of(stream)
    nowhere = Stream("http://127.0.0.1:1", ["/any"])
    session.begin_stream(stream)
    session.prefetch([nowhere.guess("/any")])
    assert session.send(get(f"{server.url}/small1")).ok
    with pytest.raises(requests.ConnectionError):
        session.send(get("http://127.0.0.1:1/any"))
    assert session.send(get(f"{server.url}/small2")).ok


def test_requests_that_waited_for_a_new_token_are_spaced(fake_server: FakeServer) -> None:
    """An access token that expires in the middle of a run: all requests need the new one."""
    came: list[float] = []

    def respond() -> dict[str, Any]:
        came.append(time.monotonic())
        return {}

    paths = [f"/{number}" for number in range(5)]
    for path in paths:
        fake_server[path] = respond
    stream, refreshed = Stream(f"http://127.0.0.1:{fake_server.port}", paths), threading.Event()

    def authenticate(request: requests.PreparedRequest) -> requests.PreparedRequest:
        refreshed.wait()
        return request

    session = session_of(stream, authenticate=authenticate, requests_per_second=10)
    session.begin_stream(stream)
    threading.Timer(0.6, refreshed.set).start()
    for path in paths:
        session.send(get(stream.url + path))
    assert came[4] - came[0] > 0.3  # seconds; four intervals take 0.42


def test_response_age_is_that_of_the_oldest_unread_response(server: Server) -> None:
    stream = Stream(server.url, ["/small1", "/small2"])
    session = session_of(stream)
    assert session.oldest_request_age == 0
    session.begin_stream(stream)
    session.send(get(f"{server.url}/small1"))
    wait_until(lambda: server.count(2))
    age = session.oldest_request_age
    threading.Event().wait(0.05)
    assert session.oldest_request_age >= age + 0.05
    session.send(get(f"{server.url}/small2"))
    assert session.oldest_request_age == pytest.approx(session.last_request_age, abs=0.01)


def test_prefetch_starts_with_the_first_stream(server: Server) -> None:
    session = session_of(Stream(server.url, ["/small1", "/small2"]))
    session.send(get(f"{server.url}/other"))
    settle(server)
    assert server.asked == ["/other"]


def test_retried_response_predicts_what_follows(server: Server, fake_server: FakeServer) -> None:
    stream = Stream(server.url, ["/small0", "/first"], then={"/first": ["/small2"]})
    failures = [503, 200]

    def first() -> Any:
        server.asked.append("/first")
        return failures.pop(0), {}

    fake_server["/first"] = first
    session = session_of(stream)
    session.begin_stream(stream)
    session.send(get(f"{server.url}/small0"))
    wait_until(lambda: "/first" in server.asked)
    settle(server)
    assert session.send(get(f"{server.url}/first")).ok  # what failed is not handed over
    wait_until(lambda: "/small2" in server.asked)


@pytest.mark.parametrize(("threads", "waits"), [(1, ["1", "2"]), (4, ["1"])])
def test_before_wait_is_called_before_a_response_is_waited_for(
    server: Server, threads: int, waits: list[str]
) -> None:
    stream, waited_for = Stream(server.url, ["/small1", "/small2"]), []
    current = ""

    def before_wait() -> None:
        assert threading.current_thread() is threading.main_thread()
        assert f"/small{current}" not in server.asked
        waited_for.append(current)

    session = session_of(stream, threads=threads, before_wait=before_wait)
    session.begin_stream(stream)
    for current in ("1", "2"):
        session.send(get(f"{server.url}/small{current}"))
        if threads > 1:
            wait_until(lambda: session._in_flight == {} or session._under_way[-1].is_done)
    assert waited_for == waits


def test_a_prefetched_response_is_parsed_once(fake_server: FakeServer, server: Server) -> None:
    fake_server["/rows"] = {"rows": [{"id": 1}]}
    session = session_of(Stream(server.url))
    response = session.send(get(f"{server.url}/rows"))
    assert isinstance(response, ApiResponse)
    assert outline_of(response) is outline_of(response)
    assert list(rows_of(response, "rows")) == [{"id": 1}]
