"""Runs for many accounts at once, which share a few API keys and a Redis server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from support.processes import Processes
from support.tap import Run, TapCommand
from support.target import Target, messages_of

from checks.support.redis_server import RedisServer
from sandbox import Sandbox
from sandbox.server.served_account import ServedAccount
from tap_constantcontact.api.shared_limits import fingerprint
from tap_constantcontact.exceptions import EXIT_QUOTA

pytestmark = pytest.mark.e2e

SMALL = {"contacts": 20, "campaigns": 2}
#: What a run of a small account reads with some fifteen requests.
STREAMS = (
    *("account", "contacts", "contact_lists", "contact_tags"),
    *("email_campaigns", "email_campaign_stats", "email_opens", "email_clicks"),
)
# Twenty processes start one after the other on two cores; the first of them wait for the last.
_START_SECONDS = 12
# Of the fair share of a run. Measured: 0.9 to 1.1, and 0.83 to 1.17 at a load of 20 on two cores.
_LEAST_SHARE, _LARGEST_SHARE = 0.7, 1.3
_MAX_DAYS = 4
# Writes when it woke up more than 20 ms late.
WATCH = """
import time
print("ready", flush=True)
while True:
    before = time.monotonic()
    time.sleep(0.005)
    if time.monotonic() > before + 0.025:
        print(time.monotonic(), flush=True)
"""


class Fleet:
    """Taps, one for each account of a sandbox: processes with files of their own."""

    def __init__(self, folder: Path, processes: Processes, sandbox: Sandbox) -> None:
        self.accounts = sandbox.accounts
        self.targets = {served.id: Target() for served in self.accounts}
        self._processes = processes
        self._taps = {served.id: TapCommand(folder / served.id) for served in self.accounts}
        for tap in self._taps.values():
            tap.folder.mkdir()

    def run(self, **settings: Any) -> dict[str, Run]:
        """Run all taps at once, and load what they write."""
        started = {served.id: self._start(served, settings) for served in self.accounts}
        return {id_: self._ended(id_, process) for id_, process in started.items()}

    def lacks(self) -> dict[str, dict[str, str]]:
        """Return what the targets lack of the rows of their accounts, by account and stream."""
        lacks = {each.id: self.targets[each.id].lacks(each, STREAMS) for each in self.accounts}
        return {id_: streams for id_, streams in lacks.items() if streams}

    def _start(self, served: ServedAccount, settings: dict[str, Any]) -> subprocess.Popen[str]:
        tap, state = self._taps[served.id], self.targets[served.id].state
        given = tap.settings(served, **settings)
        command = tap.command(given, select=list(STREAMS), state=state)
        with (tap.folder / "output").open("wb") as output, (tap.folder / "log").open("wb") as log:
            return self._processes.start(command, stdout=output, stderr=log)

    def _ended(self, id_: str, process: subprocess.Popen[str]) -> Run:
        status, folder = process.wait(timeout=120), self._taps[id_].folder
        self.targets[id_].load(messages_of((folder / "output").read_bytes()))
        return Run(status, (folder / "log").read_text(), [])


def shares(sandbox: Sandbox) -> list[float]:
    """Return what each run had of the slots of its key while all runs of the key needed some.

    1 is the fair share.
    """
    times: defaultdict[str, defaultdict[str, list[float]]]
    times = defaultdict(lambda: defaultdict(list))
    for request in sandbox.requests:
        if request.path.startswith("/v3/"):
            times[request.client_id][request.account].append(request.at)
    found = []
    for runs in times.values():
        first, last = max(at[0] for at in runs.values()), min(at[-1] for at in runs.values())
        counts = [sum(first <= each <= last for each in at) for at in runs.values()]
        found += [count * len(counts) / sum(counts) for count in counts]
    return found


class Watch:
    """A process that notes when the machine lets a process wait that has something to do.

    Requests arrive late then, however evenly they are spaced, and the sandbox refuses some.
    """

    def __init__(self, processes: Processes) -> None:
        self._process = processes.start([sys.executable, "-c", WATCH])
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def held_up(self) -> list[float]:
        """Stop watching, and return when that was, by the clock of the sandbox's requests."""
        self._process.terminate()
        output, _ = self._process.communicate()
        return [float(line) for line in output.splitlines()]


def test_twenty_runs_share_three_api_keys(
    redis: RedisServer, processes: Processes, tmp_path: Path
) -> None:
    with Sandbox(accounts=20, api_keys=3, requests_per_second=4, **SMALL) as sandbox:
        with redis.client() as client:
            for key in sandbox.requests_today:
                at = time.time() + _START_SECONDS
                client.hset(f"tap-constantcontact:limits:{fingerprint(key)}", "next_turn", at)
        fleet, watch = Fleet(tmp_path, processes, sandbox), Watch(processes)
        runs = fleet.run(limits_url=redis.url, requests_per_second=4)
        held_up = watch.held_up()
        assert {run.status for run in runs.values()} == {0}
        assert fleet.lacks() == {}
        throttled = [request.at for request in sandbox.requests if request.status == 429]
        assert [at for at in throttled if not any(at - 1.5 < each < at for each in held_up)] == []
        found = shares(sandbox)
        assert len(found) == 20
        assert min(found) > _LEAST_SHARE
        assert max(found) < _LARGEST_SHARE


def begin_day(sandbox: Sandbox, redis: RedisServer) -> None:
    """Let today's requests be those of yesterday."""
    sandbox.reset_quotas()
    with redis.client() as client:
        for key in client.scan_iter("tap-constantcontact:limits:*"):
            client.hincrby(key, "day", -1)


def test_runs_resume_after_the_quota_of_their_api_key_resets(
    redis: RedisServer, processes: Processes, tmp_path: Path
) -> None:
    quota = 35  # two runs take thirty requests, and the first key has three
    with Sandbox(accounts=5, api_keys=2, daily_quota=quota, **SMALL) as sandbox:
        sandbox.limit_requests(0)
        fleet = Fleet(tmp_path, processes, sandbox)
        for day in range(_MAX_DAYS):
            runs = fleet.run(limits_url=redis.url, daily_quota=quota)
            ended_early = {id_ for id_, run in runs.items() if run.status}
            if day == 0:
                assert ended_early
            if not ended_early:
                break
            assert ended_early <= {served.id for served in sandbox.accounts[::2]}
            for id_ in ended_early:
                assert runs[id_].status == EXIT_QUOTA
                assert "the next run resumes here" in runs[id_].log
            begin_day(sandbox, redis)
        assert not ended_early
        assert {request.status for request in sandbox.requests} <= {200, 202}
        assert fleet.lacks() == {}
