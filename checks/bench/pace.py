"""Measures how many of the allowed requests a first sync uses when responses take time."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from checks.bench.run import Run, took
from sandbox import Sandbox

#: Seconds that a response takes, and the requests per second that the API allows.
LATENCY = (0.6, 1.4)
REQUESTS_PER_SECOND = 4
_NO_LIMIT = 10**6


@dataclass
class Pace:
    """A first sync.

    Attributes:
        run: Measurements of the process.
        requests: Number of requests.
        throttled: Number of requests that were rejected with 429.
        seconds: Seconds from the first request to the last.
    """

    run: Run
    requests: int
    throttled: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def first_sync(
    contacts: int, campaigns: int, max_parallel_requests: int, *, at_once: bool = False
) -> Pace:
    """Read the default streams of an account for the first time.

    Args:
        contacts: Number of contacts of the account.
        campaigns: Number of its campaigns.
        max_parallel_requests: The setting.
        at_once: Whether responses take no time and requests are not limited.
    """
    limits: dict[str, Any] = {"requests_per_second": REQUESTS_PER_SECOND, "latency": LATENCY}
    if at_once:
        limits = {"requests_per_second": 0}
    with (
        Sandbox(contacts=contacts, campaigns=campaigns, daily_quota=0, **limits) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = {
            **sandbox.settings,
            "token_store": f"{folder}/tokens.json",
            "max_parallel_requests": max_parallel_requests,
            "requests_per_second": _NO_LIMIT if at_once else REQUESTS_PER_SECOND,
            "daily_quota": _NO_LIMIT,
        }
        config = Path(folder) / "config.json"
        config.write_text(json.dumps(settings), "utf-8")
        run = took([sys.executable, "-m", "tap_constantcontact", "--config", str(config)])
        made = [request for request in sandbox.requests if request.method == "GET"]
        statuses = Counter(request.status for request in made)
        throttled = statuses[HTTPStatus.TOO_MANY_REQUESTS]
        return Pace(run, len(made), throttled, made[-1].at - made[0].at)
