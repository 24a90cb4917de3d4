"""Runs whose state an orchestrator has merged, cut, or kept from an earlier version of the tap."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from support.merging import State, merged
from support.sandboxes import MakeSandbox
from support.tap import Run, TapCommand
from support.target import Target, hidden_by

from sandbox import Sandbox
from tap_constantcontact.streams import contacts

REPORTS = ("email_opens", "email_clicks", "email_campaign_send_history")
STREAMS = ("contacts", "email_campaigns", "email_campaign_activities", *REPORTS)
LOG_OWNER = "email_campaign_stats"


class Account:
    """A sandbox, and a target that all runs load."""

    def __init__(self, sandbox: Sandbox, tap: TapCommand) -> None:
        self.sandbox = sandbox
        self.target = Target()
        self.hidden: set[str] = set()
        self._tap = tap

    def change(self) -> None:
        self.hidden |= hidden_by(self.sandbox.change())

    def run(self, state: State | None, select: Sequence[str] = STREAMS, **settings: Any) -> Run:
        settings = {"on_quota_exceeded": "stop", **settings}
        run = self._tap.sync(self.sandbox, *select, state=state, **settings)
        assert run.status == 0, run.log
        self.target.load(run.messages)
        return run

    def settle(self, state: State) -> None:
        """Run until nothing is new; all rows are there then, and a run costs what it must."""
        state = self.run(state).state
        assert self.target.lacks(self.sandbox, STREAMS, self.hidden) == {}
        state = self.run(state).state
        settled = self.requests_of(state)
        assert settled == self.requests_of(self.run(None).state)

    def requests_of(self, state: State) -> Counter[str]:
        """Return the requests of a run, without the list of campaigns.

        Changes of the same second make a run request that twice.
        """
        before = len(self.sandbox.requests)
        self.run(state)
        made = self.sandbox.requests[before:]
        return Counter(each.path for each in made if each.path != "/v3/emails")


@pytest.fixture
def account(make_sandbox: MakeSandbox, tap: TapCommand) -> Account:
    return Account(make_sandbox(contacts=600, campaigns=8), tap)


@pytest.mark.parametrize(
    ("select", "budget"),
    [
        *(pytest.param(STREAMS, budget, id=f"all-{budget}") for budget in (1, 8, 25, 40, 50)),
        pytest.param(["email_opens"], None, id="opens"),
        pytest.param(["email_opens"], 9, id="opens-9"),
        pytest.param(["contacts", "email_clicks"], None, id="contacts and clicks"),
    ],
)
def test_full_refresh_that_is_merged_loses_no_row(
    account: Account, select: Sequence[str], budget: int | None
) -> None:
    first = account.run(None).state
    account.change()
    limits = {"max_requests": budget} if budget else {}
    refresh = account.run(None, select, **limits)
    assert bool(budget) == ("Request budget reached" in refresh.log)
    account.change()
    account.settle(merged(first, *refresh.states))


def test_interleaved_runs_that_are_merged_lose_no_row(account: Account) -> None:
    """Both give the same numbers to different changes."""
    first = account.run(None).state
    account.change()
    one = account.run(first, ["email_opens"], max_requests=12)
    account.change()
    other = account.run(first, ["email_clicks"])
    state = merged(first, one.states[0], other.state, {"bookmarks": {LOG_OWNER: {}}}, one.state)
    account.settle(state)


@pytest.mark.parametrize("seed", range(3))
def test_any_merge_of_states_loses_no_row(
    account: Account, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Runs of some streams, from any states, ended anywhere; the account changes meanwhile."""
    monkeypatch.setattr(contacts, "_SLICE", 100)
    rng = random.Random(seed)
    written: list[State] = [{}]
    for _ in range(6):
        select = [name for name in STREAMS if rng.random() < 0.7] or STREAMS
        limits = {} if rng.random() < 0.4 else {"max_requests": rng.randint(1, 40)}
        given = merged(*rng.choices(written, k=rng.randint(1, 3)))
        written += account.run(given, select, **limits).states
        account.change()
    account.settle(merged(*rng.choices(written, k=3)))


@pytest.mark.parametrize("removed", [LOG_OWNER, "email_opens", "contacts", "email_campaigns"])
def test_stream_that_is_removed_from_the_state_starts_over(account: Account, removed: str) -> None:
    state = account.run(None).state
    account.change()
    del state["bookmarks"][removed]
    account.settle(state)


def test_bookmark_in_the_future_is_ignored(account: Account) -> None:
    state = account.run(None).state
    account.change()
    for name in ("contacts", "email_campaigns", "email_campaign_activities"):
        state["bookmarks"][name]["replication_key_value"] = "2099-01-01T00:00:00.000Z"
    run = account.run(state)
    for name in ("contacts", "email_campaigns", "email_campaign_activities"):
        assert f"{name}: the state has a bookmark in the future" in run.log
    assert account.target.lacks(account.sandbox, STREAMS, account.hidden) == {}
    assert "2099" not in str(run.state)


def test_sweep_of_a_merged_state_is_that_of_one_run(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refresh has begun a sweep, but the position belongs to an earlier one."""
    monkeypatch.setattr(contacts, "_SLICE", 100)
    ended = account.run(None, ["contacts"], max_requests=6)
    assert "created_before" in ended.state["bookmarks"]["contacts"]["unfinished_sweep"][0]
    account.change()
    refresh = account.run(None, ["contacts"], max_requests=2)
    assert "unfinished_sweep" in str(refresh.state)
    assert "created_before" not in str(refresh.state)
    assert account.run(merged(ended.state, *refresh.states), ["contacts"]).status == 0
    assert account.target.lacks(account.sandbox, ["contacts"]) == {}


def test_send_without_updated_at_is_noticed_after_a_refresh_that_read_no_campaign(
    account: Account,
) -> None:
    """What the refresh knows of sends belongs to a bookmark that it does not have yet."""
    streams = ("email_campaign_summaries", "email_campaigns")
    first = account.run(None, streams).state
    campaigns, now = account.sandbox.account.campaigns, account.sandbox.account.now
    draft = next(id_ for id_, row in campaigns.items() if row["current_status"] == "Draft")
    before = campaigns[draft]["updated_at"]
    account.sandbox.account.now = lambda: now() - 7200
    account.sandbox.account.send_campaign(draft)
    account.sandbox.account.now = now
    campaigns[draft]["updated_at"] = before
    refresh = account.run(None, streams, max_requests=2)
    assert refresh.records.keys() == {"email_campaign_summaries"}
    account.run(merged(first, *refresh.states), streams)
    assert account.target.lacks(account.sandbox, streams) == {}


def test_state_of_an_earlier_version_is_taken_as_it_is(account: Account) -> None:
    state = account.run(None).state
    idle = account.requests_of(state)
    assert account.requests_of(earlier_form(state)) == idle
    account.settle(earlier_form(state))


def test_state_of_an_earlier_version_that_was_merged_starts_over(account: Account) -> None:
    """An entry has a number above the last one."""
    state = earlier_form(account.run(None).state)
    account.change()
    state["bookmarks"][LOG_OWNER]["last_number"] -= 1
    assert "The change log in the state contradicts itself" in account.run(state).log
    account.settle(state)


def test_state_of_an_earlier_version_under_a_new_one_is_not_believed(account: Account) -> None:
    first = earlier_form(account.run(None).state)
    account.change()
    refresh = account.run(None, ["email_opens"])
    account.settle(merged(first, *refresh.states))


def earlier_form(state: State) -> State:
    """Return a state as version 1 has written it."""
    bookmarks = merged(state)["bookmarks"]
    for own in bookmarks.values():
        for part in ("log", "position"):
            (values,) = own.pop(part, [{}])
            for added in ("id", "earlier", "version", "log"):
                values.pop(added, None)
            own.update(values)
        for part in ("sweep", "round"):
            if under_way := own.pop(f"unfinished_{part}", None):
                (own[part],) = under_way
    return {"bookmarks": bookmarks}
