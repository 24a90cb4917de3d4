"""The change log and the report cursor through random histories: no row is ever lost.

A seed makes a history: campaigns are sent and sent again, events arrive on time and late, contacts
repeat what they did, streams are deselected for a while, budgets end runs anywhere, and targets go
back to an earlier state.
`HISTORIES=5000` makes more of them.
"""

from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import Any

import pytest
from support.histories import DAY, HOUR, STREAMS, Account, Event, Run

from tap_constantcontact.incremental import counter_requests

pytestmark = pytest.mark.slow

HISTORIES = int(os.environ.get("HISTORIES", "60"))


@pytest.mark.parametrize("lag", [timedelta(0), 5 * HOUR, 30 * HOUR], ids=str)
def test_simulated_history_loses_no_row(lag: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter_requests, "ACTIVITIES_PER_REQUEST", 2)  # for few campaigns
    lost = {seed: events for seed in range(HISTORIES) if (events := live_through(seed, lag))}
    assert not lost


def live_through(seed: int, lag: timedelta) -> list[Event]:
    """Return the events of a history that are missing at its end."""
    rng = random.Random(seed)
    account = Account(rng, lag)
    arrived: set[int] = set()
    state: dict[str, Any] = {}
    for _ in range(rng.randint(1, 6)):
        account.send()
    for _ in range(25):
        account.live()
        selected = [name for name in STREAMS if rng.random() < 0.8]
        run = Run(account, state, rng.choice((3, 6, 10, 20, 10**6)))
        run.read(selected, arrived)
        # The target may have kept an earlier state, with all rows.
        state = rng.choice(run.states) if rng.random() < 0.4 else run.states[-1]
    # Repeats that no counter shows come in a week, if anything else changes.
    account.show()
    for days in (2, 2, 8, 2):
        account.now += days * DAY
        run = Run(account, state)
        run.read([*STREAMS], arrived)
        state = run.states[-1]
    return [event for event in account.events if event.number not in arrived]
