"""States that an orchestrator has merged: later runs lose no row, and are soon as cheap as ever.

A history has runs of all kinds: from nothing (a full refresh), from any state or merge of states,
of some streams, ended anywhere, and two at the same time.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from support.histories import DAY, HOUR, STREAMS, Account, Run
from support.merging import State, merged


@settings(max_examples=300)
@given(rng=st.randoms(use_true_random=False))
def test_runs_after_any_merge_of_states_lose_no_row(rng: random.Random) -> None:
    account = Account(rng, lag=0 * HOUR)
    for _ in range(rng.randint(1, 5)):
        account.send()
    arrived: set[int] = set()
    written: list[State] = [{}]
    for _ in range(rng.randint(1, 8)):
        account.live()
        given_state = any_state(rng, written)
        for _ in range(rng.choice((1, 1, 2))):  # two runs at the same time have the same state
            run = Run(account, given_state, rng.choice((2, 4, 8, 16, 10**6)), reread_days=())
            run.read([name for name in STREAMS if rng.random() < 0.7], arrived)
            written += run.states
            account.live()
    account.now += DAY
    account.show()
    state, spent = any_state(rng, written), []
    for days in (0, 8, 0, 8):  # a week later come repeats that no counter shows
        account.now += days * DAY
        run = Run(account, state, reread_days=())
        run.read([*STREAMS], arrived)
        state = run.states[-1]
        spent.append(run.spent)
    assert [event for event in account.events if event.number not in arrived] == []
    assert spent[2:] == [0, 0]


def any_state(rng: random.Random, written: list[State]) -> State:
    """Return what a run may be given: a state, a merge of several, or one without some streams."""
    parts = [rng.choice(written) for _ in range(rng.choice((1, 2, 2, 3)))]
    state = merged(*parts, *([written[-1]] if rng.random() < 0.5 else []))
    if rng.random() < 0.2:
        for name in (*STREAMS, "email_campaign_stats"):
            if rng.random() < 0.3:
                state.get("bookmarks", {}).pop(name, None)
    return state


def test_late_rows_are_read_with_a_log_that_is_older_than_the_position() -> None:
    """The log doesn't know yet how many rows were read."""
    account = Account(random.Random(0), lag=0 * HOUR)
    account.send()
    account.now += 20 * DAY
    for _ in range(4):
        account.happen("campaign 0, first", "opens", account.now)
    arrived: set[int] = set()
    first = Run(account, {}, reread_days=())
    first.read(["opens"], arrived)
    account.now += HOUR
    account.happen("campaign 0, first", "opens", account.now - 10 * DAY)
    unread = next(state for state in first.states if state["bookmarks"].get("opens") == {})
    Run(account, merged(first.states[-1], unread), reread_days=()).read(["opens"], arrived)
    assert arrived == {event.number for event in account.events if event.stream == "opens"}
