"""The change log and the report cursor through random histories: no row is ever lost.

A seed makes a history: campaigns are sent and sent again, events arrive on time and late, contacts
repeat what they did, streams are deselected for a while, budgets end runs anywhere, and targets go
back to an earlier state.
`HISTORIES=5000` makes more of them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from support.histories import DAY, HOUR, STREAMS, Account, Event, Run

from tap_constantcontact.incremental import counter_requests

pytestmark = pytest.mark.slow

HISTORIES = int(os.environ.get("HISTORIES", "60"))


LAGS = [timedelta(0), 5 * HOUR, 30 * HOUR]


@pytest.fixture(autouse=True)
def _few_activities_per_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the campaigns of a history would fit into one request."""
    monkeypatch.setattr(counter_requests, "ACTIVITIES_PER_REQUEST", 2)


@pytest.mark.parametrize("lag", LAGS, ids=str)
def test_simulated_history_loses_no_row(lag: timedelta) -> None:
    lost = {}
    for seed in range(HISTORIES):
        account, state, arrived = live_through(seed, lag)
        # Repeats that no counter shows come in a week, if anything else changes.
        account.show()
        if missing := read_on(account, state, arrived, days=(2, 2, 8, 2)):
            lost[seed] = missing
    assert not lost


@pytest.mark.parametrize("lag", LAGS, ids=str)
def test_only_repeats_after_the_last_reread_stay_unseen(lag: timedelta) -> None:
    """Nothing that the API counts tells of them, as long as the activity does not change."""
    for seed in range(HISTORIES):
        account, state, arrived = live_through(seed, lag)
        for event in read_on(account, state, arrived, days=(2, 2, 8, 10, 10, 2)):
            campaign = event.activity.split(",", maxsplit=1)[0]
            assert event.known_at > account.sent[campaign] + 30 * DAY
            assert not account.is_counted(event)
            later = (
                other
                for other in account.events
                if other.activity == event.activity and other.known_at + lag > event.known_at
            )
            assert not any(map(account.is_counted, later))


def live_through(seed: int, lag: timedelta) -> tuple[Account, dict[str, Any], set[int]]:
    """Return the account of a history at its end, the last state, and the events that arrived."""
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
    return account, state, arrived


def read_on(
    account: Account, state: dict[str, Any], arrived: set[int], days: Sequence[int]
) -> list[Event]:
    """Read everything after some days, and again, and return the events that are missing."""
    for pause in days:
        account.now += pause * DAY
        run = Run(account, state)
        run.read([*STREAMS], arrived)
        state = run.states[-1]
    return [event for event in account.events if event.number not in arrived]
