"""Each assumption about the API: where code relies on it, and what a run does if it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import person
from support.sandboxes import MakeSandbox
from support.tap import STREAMS, TapCommand
from support.target import Target

import tap_constantcontact
from sandbox import Sandbox
from tap_constantcontact.api.assumptions import ASSUMPTIONS, Effect
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.login.application import Application
from tap_constantcontact.login.flows import BrowserSignIn
from tap_constantcontact.streams.campaigns import EmailCampaigns

PACKAGE = Path(tap_constantcontact.__file__).parent
REFERENCE = re.compile(r"Assumes:\s+(\w+(?:,\s+\w+)*)")

#: The options of the sandbox that make an assumption false. Several are tried apart.
FALSE: dict[str, list[dict[str, Any]]] = {
    "contact_pages_are_numbered": [{"contacts_cursors": "keyset"}],
    "contacts_come_newest_first": [{"contacts_order": "updated"}, {"contacts_order": "oldest"}],
    "dates_exclude_their_moment": [{"inclusive_dates": "both"}],
    "contacts_count_follows_the_filter": [{"contacts_count": "all"}],
    "unsubscribing_keeps_updated_at": [{"unsubscribing_moves_updated_at": True}],
    "deleting_moves_updated_at": [{"deleting_moves_updated_at": False}],
    "memberships_keep_updated_at": [{"memberships_move_updated_at": True}],
    "created_at_never_changes": [{"editing_moves_created_at": True}],
    "sms_channel_comes_unasked": [{"sms_channel_unasked": False}],
    "sms_count_has_this_name": [{"sms_count_name": "sms_count"}],
    "sms_lists_can_be_requested": [{"sms_lists": False}],
    "conflict_means_no_test": [{"ab_test_conflict": True}],
    "keys_with_a_secret_may_use_pkce": [{"pkce_with_secret": False}],
    "campaign_links_hold_a_position": [{"campaigns_cursors": "keyset"}],
    "removed_campaigns_stay_listed": [{"removed_campaigns_listed": False}],
    "sending_moves_updated_at": [{"sending_moves_updated_at": False}],
    "unknown_ids_fail_stats": [{"partial_stats": True}],
    "counters_have_underscores": [{"dotted_stats": True}],
    "last_sent_date_is_the_last_send": [{"last_sent_date": "first"}],
    "report_rows_match_counters": [{"unlisted_opens": True}],
    "counters_show_new_rows": [{"uncounted_forwards": True}],
    "zero_counters_mean_empty_reports": [{"uncounted_forwards": True}],
    "event_list_shows_registrations": [{"event_metrics": False}],
    "report_times_are_whole_minutes": [{"report_seconds": True}],
    "report_links_hold_a_keyset": [{"tracking_cursors": "offset"}],
    "reports_are_newest_first": [{"reports_order": "oldest", "tracking_cursors": "offset"}],
    "events_come_in_every_status": [{"default_events": "active"}],
    "event_links_are_either": [{"event_links": "cursor"}, {"event_links": "links"}],
    "sms_counts_settle": [{"sms_counts_settle": False}],
    "throttling_has_no_retry_after": [{"retry_after": True}],
    "used_refresh_tokens_are_void": [{"refresh_token_grace": True}],
    "void_tokens_are_status_400": [{"invalid_grant_status": 401}],
    "partners_use_client_credentials": [{"partner_grant": "refresh_token"}],
}

DEFAULT = [name for name, stream in STREAMS.items() if stream.selected_by_default]
CASES = [
    pytest.param(name, options, id=f"{name}-{'-'.join(map(str, options.values()))}")
    for name, switches in FALSE.items()
    for options in switches
]
#: Streams that a wrong assumption leaves behind, and what the registry says of it.
LEFT_BEHIND = {
    "sending_moves_updated_at": {"email_campaign_activities"},
    "events_come_in_every_status": {"events", "event_registrations"},
    "sms_counts_settle": {"sms_campaign_summaries"},
    "sms_count_has_this_name": {"contact_lists"},
    "sms_lists_can_be_requested": {"contact_lists"},
}


def references() -> Iterator[str]:
    """Yield the names that the code of the package refers to."""
    for path in PACKAGE.rglob("*.py"):
        if path.name != "assumptions.py":
            for found in REFERENCE.findall(path.read_text("utf-8")):
                yield from re.findall(r"\w+", found)


def test_code_refers_to_every_assumption_and_to_no_other() -> None:
    assert {*references()} == {*ASSUMPTIONS}


def test_code_marks_no_assumption_of_its_own() -> None:
    """What is inferred or assumed is in the registry, not in a comment."""
    marked = [
        f"{path.name}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "assumptions.py"
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"\((assumed|inferred)\b", line)
    ]
    assert marked == []


def test_every_assumption_can_be_made_false() -> None:
    assert FALSE.keys() == ASSUMPTIONS.keys()


def test_assumptions_are_sentences_of_their_own() -> None:
    claims = [each.claim for each in ASSUMPTIONS.values()]
    assert len({*claims}) == len(claims)
    for each in ASSUMPTIONS.values():
        for sentence in (each.claim, each.if_wrong):
            assert re.fullmatch(r"[A-Za-z].*\.", sentence), each.name


@pytest.mark.parametrize(("name", "options"), CASES)
def test_no_row_is_lost_if_an_assumption_is_wrong(
    tap: TapCommand, make_sandbox: MakeSandbox, name: str, options: dict[str, Any]
) -> None:
    """Three runs, with changes between them and sweeps in each; all default streams."""
    sandbox, target = make_sandbox(**options), Target()
    lacking: set[str] = set()
    for _ in range(3):
        run = tap.sync(sandbox, state=target.state, contacts_sweep_days=0, events_sweep_days=0)
        assert run.status == 0, run.log
        target.load(run.messages)
        lacking |= target.lacks(sandbox, DEFAULT).keys()
        sandbox.change()
    assert lacking == LEFT_BEHIND.get(name, set())


def test_streams_are_left_behind_only_where_the_registry_says_so() -> None:
    told = {*(Effect.SAID, Effect.STALE, Effect.LATE)}
    assert {name for name in LEFT_BEHIND if ASSUMPTIONS[name].effect not in told} == set()
    said = {
        name for name, each in ASSUMPTIONS.items() if each.effect in (Effect.SAID, Effect.STALE)
    }
    told_below = {
        *("sms_channel_comes_unasked", "partners_use_client_credentials"),
        *("removed_campaigns_stay_listed", "conflict_means_no_test"),
        "keys_with_a_secret_may_use_pkce",
    }
    assert said <= LEFT_BEHIND.keys() | told_below


def without_sms(sandbox: Sandbox) -> set[str]:
    rows = sandbox.expected(["contact_sms_engagement_history"])["contact_sms_engagement_history"]
    return {key for (key,) in rows}


def test_run_says_that_no_contact_came_with_an_sms_channel(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    stream = "contact_sms_engagement_history"
    sandbox = make_sandbox(sms_channel_unasked=False, sms_channel_include=True)
    run = tap.sync(sandbox, stream)
    assert (run.status, run.records[stream]) == (0, []), run.log
    assert "no contact came with an SMS channel" in run.log
    asked = tap.sync(sandbox, stream, contacts_include=["sms_channel"])
    assert {*asked.keys(stream, "sms_channel_history_id")} == without_sms(sandbox) != set()
    assert "no contact came" not in asked.log


def test_run_says_which_events_came(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(default_events="active")
    run = tap.sync(sandbox, "events")
    assert {row["status"] for row in run.records["events"]} == {"ACTIVE"}
    assert "the API listed only events in status ACTIVE" in run.log
    statuses = ["ACTIVE", "DRAFT", "COMPLETE", "CANCELLED", "ERROR"]
    target = Target()
    target.load(tap.sync(sandbox, "events", event_status=statuses).messages)
    assert target.lacks(sandbox, ["events"]) == {}
    assert "the API listed" not in tap.sync(make_sandbox(), "events").log


def test_run_names_an_sms_count_of_another_name(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    run = tap.sync(make_sandbox(sms_count_name="sms_count"), "contact_lists")
    assert run.status == 0, run.log
    assert "contact_lists: dropped unknown properties: sms_count" in run.log


def test_run_says_that_a_partner_gets_no_token(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(partner_grant="refresh_token")
    settings = tap.settings(sandbox, **sandbox.partner_settings)
    run = tap.run(settings, select=["partner_accounts"])
    assert run.status == 1
    assert "Supported grant type: refresh_token." in run.log


def test_run_warns_of_rejected_sms_lists(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    run = tap.sync(make_sandbox(sms_lists=False), "contact_lists")
    assert run.status == 0, run.log
    assert run.records["contact_lists"] != []
    assert "Skipping SMS lists (no action needed if the account has no SMS)" in run.log


def test_run_counts_conflicts_of_tests(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    stream = "email_campaign_ab_tests"
    sandbox = make_sandbox(campaigns=24, ab_test_conflict=True)
    run = tap.sync(sandbox, stream)
    assert (run.status, run.records[stream]) == (0, []), run.log
    skipped = len(sandbox.expected([stream])[stream])
    assert run.table[stream][2] == f"{skipped} gone or forbidden"


def test_sign_in_with_a_rejected_challenge_says_so(make_sandbox: MakeSandbox) -> None:
    settings = make_sandbox(pkce_with_secret=False).settings
    key = {name: settings[name] for name in ("client_id", "client_secret")}
    application = Application(**key, token_url=settings["auth_url"], user_agent="test")
    uri = "http://localhost:8888"
    sign_in = BrowserSignIn(application, frozenset({"account_read"}), uri)
    with pytest.raises(LoginError, match="PKCE is for public clients"):
        sign_in.tokens(person.answer(sign_in.url), lambda _: None)


def test_full_table_reads_late_sms_counts(tap: TapCommand, make_sandbox: MakeSandbox) -> None:
    stream = "sms_campaign_summaries"
    sandbox, target = make_sandbox(sms_counts_settle=False), Target()
    target.load(tap.sync(sandbox, stream).messages)
    sandbox.change()
    target.load(tap.sync(sandbox, stream).messages)  # without a state, as FULL_TABLE
    assert target.lacks(sandbox, [stream]) == {}


@pytest.mark.parametrize("option", [{"refresh_token_grace": True}, {"invalid_grant_status": 401}])
def test_replaced_refresh_token_is_read_from_the_store(
    tap: TapCommand, make_sandbox: MakeSandbox, option: dict[str, Any]
) -> None:
    sandbox = make_sandbox(**option, token_lifetime=1)
    settings = tap.settings(sandbox)
    assert tap.run(settings, select=["account"]).status == 0
    assert tap.run(settings, select=["account"]).status == 0


def test_campaign_that_leaves_the_list_hides_no_other(
    tap: TapCommand, make_sandbox: MakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links hold a position: the campaign after the page that was read would be skipped."""
    monkeypatch.setitem(EmailCampaigns.params, "limit", 5)
    sandbox = make_sandbox(campaigns=24, removed_campaigns_listed=False)
    first = max(sandbox.account.campaigns.values(), key=lambda row: str(row["updated_at"]))
    remove_behind_the_first_page(sandbox, first["campaign_id"])
    run = tap.sync(sandbox, "email_campaigns", max_parallel_requests=1)
    expected = {key for (key,) in sandbox.expected(["email_campaigns"])["email_campaigns"]}
    assert expected <= {*run.keys("email_campaigns", "campaign_id")}


def test_removed_campaign_that_leaves_the_list_does_not_affect_others(
    tap: TapCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox, target = make_sandbox(removed_campaigns_listed=False), Target()
    target.load(tap.sync(sandbox).messages)
    sent = (
        id_ for id_, row in sandbox.account.campaigns.items() if row["current_status"] == "Done"
    )
    removed = next(sent)
    sandbox.account.set_status(removed, "Removed", sandbox.account.now())
    sandbox.change()
    run = tap.sync(sandbox, state=target.state, contacts_sweep_days=0, events_sweep_days=0)
    target.load(run.messages)
    assert run.status == 0, run.log
    assert target.rows["email_campaigns"][removed,]["current_status"] == "Done"
    assert target.lacks(sandbox, DEFAULT) == {}


def remove_behind_the_first_page(sandbox: Sandbox, campaign_id: str) -> None:
    """Remove a campaign as soon as the first page of the list was served."""
    lists = 0
    now = sandbox.account.now

    def clock() -> int:
        nonlocal lists
        lists = sum(each.path == "/v3/emails" and each.status == 200 for each in sandbox.requests)
        if lists == 1:
            sandbox.account.campaigns[campaign_id]["current_status"] = "Removed"
        return now()

    sandbox.account.now = clock
