"""`tap-constantcontact-check`: what it finds in accounts of all kinds, and what it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.in_process import run_main
from support.sandboxes import MakeSandbox
from support.tap import PROJECT, STREAMS, TapCommand
from test_assumptions import FALSE

from sandbox import Fault, Sandbox
from sandbox.account import engagement
from tap_constantcontact import check
from tap_constantcontact.api import assumptions
from tap_constantcontact.api.assumptions import ASSUMPTIONS, CONTRACT
from tap_constantcontact.check import other_probes
from tap_constantcontact.check.__main__ import main
from tap_constantcontact.check.command_line import MAX_REQUESTS
from tap_constantcontact.check.costs import COSTS, RECENT_DAYS, Cost, Size
from tap_constantcontact.check.outcome import Verdict, confirmed
from tap_constantcontact.check.presentation import estimate_lines
from tap_constantcontact.check.probes import UNREADABLE, probed

#: What a switch of the sandbox makes contradicted, unless reading can't show it.
UNSEEN = {
    *UNREADABLE,
    # A campaign that is missing, or a date that did not move, leaves no trace.
    "removed_campaigns_stay_listed",
    # Memberships from before the switch was turned stay.
    "memberships_keep_updated_at",
    "throttling_has_no_retry_after",
    # Both forms are right.
    "event_links_are_either",
    *("partners_use_client_credentials", "keys_with_a_secret_may_use_pkce"),
}
SEEN = [
    pytest.param(name, options, id=f"{name}-{'-'.join(map(str, options.values()))}")
    for name, switches in FALSE.items()
    if name not in UNSEEN
    for options in switches
]
#: An account in which every kind of record is there.
SIZE = {"contacts": 120, "campaigns": 16}


@dataclass
class Check:
    """How a check ended.

    Attributes:
        status: The exit status.
        out: What it printed.
        errors: What it said on stderr.
        report: The report that it wrote.
    """

    status: int
    out: str
    errors: str
    report: dict[str, Any]

    @property
    def verdicts(self) -> dict[str, str]:
        return {each["name"]: each["verdict"] for each in self.report["assumptions"]}


@dataclass
class CheckCommand:
    """The command line of the check."""

    tap: TapCommand

    def run(self, settings: dict[str, Any], *arguments: str) -> Check:
        path = self.tap.folder / "report.json"
        given = self.tap.arguments(settings)
        command = ["tap-constantcontact-check", *given, "--report", str(path), *arguments]
        ended = run_main(main, command, folder=self.tap.folder)
        report = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return Check(ended.status, ended.stdout, ended.stderr, report)

    def check(self, sandbox: Sandbox, *arguments: str, **settings: Any) -> Check:
        return self.run(self.tap.settings(sandbox, **settings), *arguments)


@pytest.fixture
def command(tap: TapCommand) -> CheckCommand:
    return CheckCommand(tap)


def test_every_assumption_has_a_probe_or_a_reason() -> None:
    assert probed() | UNREADABLE.keys() == ASSUMPTIONS.keys()
    assert probed().isdisjoint(UNREADABLE)


def test_check_confirms_what_the_sandbox_does(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(**SIZE)
    done = command.check(sandbox)
    assert done.status == 0, done.errors
    assert list(done.verdicts) == list(ASSUMPTIONS)
    others = {name: verdict for name, verdict in done.verdicts.items() if verdict != "confirmed"}
    assert others.keys() == {
        *UNREADABLE,
        *("throttling_has_no_retry_after", "partners_use_client_credentials"),
    }
    assert {*others.values()} == {"not observable"}
    made = [each for each in sandbox.requests if each.path.startswith("/v3/")]
    assert len(made) == done.report["requests"] <= MAX_REQUESTS


@pytest.mark.parametrize(("name", "options"), SEEN)
def test_check_finds_what_is_otherwise(
    command: CheckCommand, make_sandbox: MakeSandbox, name: str, options: dict[str, Any]
) -> None:
    sandbox = make_sandbox(**SIZE, **options)
    for _ in range(6):
        sandbox.change()
    done = command.check(sandbox)
    assert done.verdicts[name] == "contradicted", done.out
    assert done.status == int(ASSUMPTIONS[name].is_harmful), done.errors
    assert ASSUMPTIONS[name].if_wrong in done.out
    assert done.report["requests"] <= MAX_REQUESTS


@pytest.mark.parametrize("retry_after", [False, True])
def test_check_notes_the_headers_of_429(
    command: CheckCommand, make_sandbox: MakeSandbox, monkeypatch: Any, *, retry_after: bool
) -> None:
    monkeypatch.setattr("tap_constantcontact.api.session._THROTTLE_SECONDS", 0.01)
    sandbox = make_sandbox(retry_after=retry_after)
    sandbox.fail("/contacts", Fault.THROTTLED)
    verdict = command.check(sandbox).verdicts["throttling_has_no_retry_after"]
    assert verdict == ("contradicted" if retry_after else "confirmed")


def test_check_tries_the_grant_of_a_partner(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox()
    done = command.check(sandbox, **sandbox.partner_settings)
    assert done.verdicts["partners_use_client_credentials"] == "confirmed"


@pytest.mark.parametrize("budget", [3, 12, 30])
def test_check_keeps_to_its_budget(
    command: CheckCommand, make_sandbox: MakeSandbox, budget: int
) -> None:
    sandbox = make_sandbox(**SIZE)
    done = command.check(sandbox, "--max-requests", str(budget))
    assert len([each for each in sandbox.requests if each.path.startswith("/v3/")]) <= budget
    assert "the request budget of the check is exhausted" in done.out


def test_setting_max_requests_lowers_the_budget(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(**SIZE)
    assert command.check(sandbox, max_requests=20).report["requests"] <= 20


def test_check_of_an_empty_account_confirms_nothing(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(contacts=0, campaigns=0)
    account = sandbox.account
    for held in (account.events, account.registrations, account.sms_campaigns, account.lists):
        held.clear()
    done = command.check(sandbox)
    assert done.status == 0, done.errors
    assert {*done.verdicts.values()} <= {"not observable", "confirmed"}
    assert list(done.verdicts.values()).count("confirmed") <= 1


def test_check_without_a_scope_says_what_is_rejected(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(scopes=("contact_data", "offline_access"))
    done = command.check(sandbox)
    assert "requires the scope campaign_data" in done.out
    assert "Size           60 contacts\n" in done.out
    assert done.report["size"]["known"] == ["contacts"]
    assert done.verdicts["contacts_come_newest_first"] == "confirmed"
    rejected = {
        each["name"]: each["evidence"] for each in done.report["assumptions"] if each["reason"]
    }
    assert rejected["event_links_are_either"] == {"status": 403}


def test_check_without_contacts_contradicts_nothing(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    done = command.check(make_sandbox(scopes=("campaign_data", "offline_access")))
    assert done.status == 0
    assert "Size           6 campaigns, 3 of them sent, 6 events\n" in done.out
    assert done.verdicts["sms_lists_can_be_requested"] == "not observable"


def test_check_at_the_end_of_the_quota_shows_what_it_found(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    done = command.check(make_sandbox(**SIZE, daily_quota=35))
    assert done.status == 75
    assert done.verdicts["contacts_come_newest_first"] == "confirmed"
    assert done.verdicts["event_links_are_either"] == "not observable"
    assert "the daily quota is exhausted" in done.out


@pytest.mark.parametrize(
    ("path", "fault", "lost"),
    [
        ("/contacts", Fault.SERVER_ERROR, "contacts_come_newest_first"),
        ("/contacts", Fault.NOT_JSON, "contacts_come_newest_first"),
        ("/events/*", Fault.CUT_JSON, "event_list_shows_registrations"),
    ],
)
def test_check_goes_on_after_requests_that_fail(
    command: CheckCommand,
    make_sandbox: MakeSandbox,
    path: str,
    fault: Fault,
    lost: str,
) -> None:
    sandbox = make_sandbox(**SIZE)
    sandbox.fail(path, fault, times=99)
    done = command.check(sandbox)
    assert done.status == 0, done.errors
    assert done.verdicts[lost] == "not observable"
    assert "the API failed" in done.out
    assert done.verdicts["removed_campaigns_stay_listed"] == "confirmed"


def test_check_goes_on_without_the_published_contract(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox()
    sandbox.fail("/swagger.yaml", Fault.DROPPED, times=9)
    done = command.check(sandbox)
    assert done.status == 0, done.errors
    assert "the API publishes none" in done.out


def test_check_goes_on_if_a_response_has_another_form(
    command: CheckCommand, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_probes, "next_link", lambda body: body["_links"]["other"])
    done = command.check(sandbox)
    assert done.status == 0, done.errors
    assert done.verdicts["event_links_are_either"] == "not observable"
    assert "a response has an unexpected form" in done.out


def test_check_with_an_unwritable_report_makes_no_request(
    command: CheckCommand, sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "missing" / "report.json"
    done = command.check(sandbox, "--report", str(path))
    assert (done.status, len(sandbox.requests)) == (1, 0)
    assert done.errors == (
        f"{path}: No such file or directory. Check its path and its permissions "
        "[docs: troubleshooting#file-access]\n"
    )


@pytest.mark.parametrize("text", ["2", "61", "many"])
def test_check_explains_an_invalid_budget(
    command: CheckCommand, sandbox: Sandbox, text: str
) -> None:
    done = command.check(sandbox, "--max-requests", text)
    assert done.status == 2
    assert f"'{text}' (must be an integer from 3 to 60)" in done.errors


def test_check_explains_an_invalid_catalog(
    command: CheckCommand, sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "catalog.json"
    path.write_text("{streams")
    done = command.check(sandbox, "--catalog", str(path))
    assert done.status == 1
    assert f"Invalid JSON in {path}" in done.errors


def test_check_with_a_void_token_fails_without_a_traceback(
    command: CheckCommand, sandbox: Sandbox
) -> None:
    done = command.check(sandbox, refresh_token="void")
    assert done.status == 1
    assert "Traceback" not in done.errors
    assert "refresh token" in done.errors


@pytest.mark.parametrize("version", [CONTRACT, "3.0.200"])
def test_check_compares_the_version_of_the_contract(
    command: CheckCommand, make_sandbox: MakeSandbox, version: str
) -> None:
    done = command.check(make_sandbox(contract_version=version))
    assert done.report["published_contract"] == version
    assert ("the same as the tap's" in done.out) == (version == CONTRACT)


# The report.


def values_of(held: Any) -> Iterator[str]:
    """Yield every text at any depth, numbers included if they are long enough for an id."""
    if isinstance(held, dict):
        yield from values_of([*held.values()])
    elif isinstance(held, list):
        for value in held:
            yield from values_of(value)
    elif len(str(held)) > 3 and not isinstance(held, bool):
        yield str(held)


def test_report_has_no_value_of_the_account(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(**SIZE)
    done = command.check(sandbox)
    rows = [row for rows in sandbox.expected().values() for row in rows.values()]
    tokens = json.loads(command.tap.token_store.read_text("utf-8"))
    held = {*values_of([rows, sandbox.settings, tokens])}
    assert len(held) > 1000
    text = json.dumps(done.report)
    # A word that the code has too, such as "opens", can be from there.
    of_the_code = {*re.findall(r"[\w.]+", " ".join(sources()))}
    written = {*re.findall(r"[\w.@:/+-]+", text)} - {"true", "false", "null"}
    assert (held & written) - of_the_code == set()
    assert {value for value in held if len(value) > 8 and value in text} - of_the_code == set()


def sources() -> Iterator[str]:
    """Yield the code that a report can have words from."""
    folder = Path(check.__file__).parent
    for path in (*folder.glob("*.py"), Path(assumptions.__file__)):
        yield path.read_text("utf-8")


def test_evidence_can_not_hold_a_text() -> None:
    with pytest.raises(TypeError, match="name"):
        confirmed(name="Lola")  # type: ignore[arg-type] # what mypy refuses too


# The estimate.


def requests_of(tap: TapCommand, sandbox: Sandbox, *select: str, **options: Any) -> tuple[int, Any]:
    before = len(sandbox.requests)
    run = tap.sync(sandbox, *select, **options)
    assert run.status == 0, run.log
    made = [each for each in sandbox.requests[before:] if each.path.startswith("/v3/")]
    return len(made), run.state


@pytest.mark.parametrize(
    "size",
    [
        {"contacts": 60, "campaigns": 6},
        {"contacts": 700, "campaigns": 24},
        {"contacts": 1200, "campaigns": 60, "seed": 5},
        # The campaign that changed last was removed.
        {"contacts": 60, "campaigns": 100},
    ],
    ids=str,
)
def test_estimate_is_what_runs_take(
    tap: TapCommand, command: CheckCommand, make_sandbox: MakeSandbox, size: dict[str, int]
) -> None:
    sandbox = make_sandbox(**size)
    done = command.check(sandbox, "--estimate")
    assert done.status == 0, done.errors
    first, state = requests_of(tap, sandbox)
    idle, _ = requests_of(tap, sandbox, state=state)
    cost = done.report["cost"]
    assert cost["first"] == pytest.approx(first, rel=0.1)
    assert cost["idle"] == pytest.approx(idle, rel=0.1)
    assert f"{cost['first']:,} requests" in done.out


@pytest.mark.parametrize("skips", [False, True])
def test_estimate_leaves_out_reports_that_are_skipped(
    tap: TapCommand, command: CheckCommand, make_sandbox: MakeSandbox, *, skips: bool
) -> None:
    sandbox = make_sandbox(contacts=60, campaigns=20)  # of which all are looked at
    settings: dict[str, Any] = {"start_date": "-200d", "skip_old_reports": skips}
    done = command.check(sandbox, "--estimate", **settings)
    assert done.status == 0, done.errors
    first, state = requests_of(tap, sandbox, **settings)
    idle, _ = requests_of(tap, sandbox, state=state, **settings)
    assert done.report["cost"]["first"] == pytest.approx(first, rel=0.1)
    assert done.report["cost"]["idle"] == pytest.approx(idle, rel=0.1)


def test_estimate_follows_the_catalog(
    tap: TapCommand, command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(**SIZE)
    select = ["contacts", "contact_open_click_rates", "email_opens"]
    path = Path(tap.folder / "selected.json")
    path.write_text(json.dumps(tap.catalog(select)))
    done = command.check(sandbox, "--estimate", "--catalog", str(path))
    assert done.status == 0, done.errors
    first, _ = requests_of(tap, sandbox, *select)
    assert done.report["cost"]["first"] == pytest.approx(first, rel=0.1)


@pytest.mark.parametrize(("sent", "recent"), [(0, "1 campaign"), (6, "7 campaigns")])
def test_estimate_of_a_typical_run_is_what_it_takes(
    tap: TapCommand, command: CheckCommand, make_sandbox: MakeSandbox, sent: int, recent: str
) -> None:
    sandbox = make_sandbox(contacts=60, campaigns=80)
    account = sandbox.account
    drafts = [id_ for id_, row in account.campaigns.items() if row["current_status"] == "Draft"]
    for id_ in drafts[:sent]:
        account.send_campaign(id_, account.now() - 86_400)
        account.send_to_all_lists(id_, account.now() - 86_400)
    _, state = requests_of(tap, sandbox)
    done = command.check(sandbox, "--estimate")
    week_ago = account.now() - RECENT_DAYS * 86_400
    for part in account.engagement.values():
        if any(send.at > week_ago for send in part.sends):
            for kind in ("opens", "clicks"):
                engagement.add_event(
                    account.rng, part, kind, part.reached[0], at=account.now(), known=account.now()
                )
    typical, _ = requests_of(tap, sandbox, state=state)
    cost = Cost(**done.report["cost"])
    assert cost.typical == pytest.approx(typical, rel=0.1)
    assert cost.typical > cost.idle
    assert f"Typical run    {cost.typical} requests, " in done.out
    assert f"opens and clicks of {recent} sent within 7 days\n" in done.out


@pytest.mark.parametrize(
    ("cost", "settings", "numbers"),
    [
        (Cost(first=900, idle=20), {}, (20, 125, 500)),
        (Cost(900, 20, changed=5), {}, (16, 100, 400)),
        # Sweeps come once in some days, or with each run.
        (Cost(900, 20, 30, 70), {}, (19, 83, 166)),
        (Cost(900, 20, 5), {"contacts_sweep_days": 0}, (16, 100, 400)),
        (Cost(900, 500), {}, (0, 5, 20)),
        # A partner's limit.
        (Cost(900, 34), {"daily_quota": 250_000}, (306, 1838, 7352)),
    ],
    ids=str,
)
def test_estimate_has_the_number_of_accounts_for_a_key(
    cost: Cost, settings: dict[str, int], numbers: tuple[int, int, int]
) -> None:
    usual = {"contacts_sweep_days": 1, "events_sweep_days": 7, "daily_quota": 10_000}
    lines = [*estimate_lines(Size(), cost, {**usual, "requests_per_second": 4, **settings})]
    noun = "account" if numbers[0] == 1 else "accounts"
    cadences = f"{{:,}} such {noun} hourly, {{:,}} every 6 hours, or {{:,}} daily"
    assert lines[-1] == f"API key        enough to sync {cadences.format(*numbers)}"


def test_estimate_of_an_account_that_is_too_large_for_a_key() -> None:
    settings = {"contacts_sweep_days": 1, "events_sweep_days": 7, "daily_quota": 100}
    lines = [*estimate_lines(Size(), Cost(900, 500), {**settings, "requests_per_second": 4})]
    assert lines[-1].startswith("API key        not enough for this account daily; ")


def test_fleet_page_has_the_numbers_of_accounts() -> None:
    """Those of the accounts whose requests the bench has counted."""
    page = (PROJECT / "docs/guides/fleet.md").read_text("utf-8")
    rows = re.findall(r"^\| .* \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    found = [tuple(map(int, row)) for row in rows]
    expected = []
    for idle, sweep in ((34, 6), (21, 223)):
        for campaigns in (0, 2, 20):
            cost = Cost(0, idle, sweep, event_sweep=6, changed=round(3.4 * campaigns))
            days = {"contacts_sweep_days": 1, "events_sweep_days": 7}
            numbers = [10_000 // cost.per_day(runs, days) for runs in (24, 4, 1)]
            expected.append((cost.typical, *numbers))
    assert found == expected


def test_estimate_makes_no_further_requests(
    command: CheckCommand, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(**SIZE)
    done = command.check(sandbox, "--estimate")
    assert done.report["assumptions"] == []
    assert Verdict.CONFIRMED.value.capitalize() not in done.out
    assert "of the quota" in done.out


def test_costs_are_of_streams() -> None:
    assert COSTS.keys() <= STREAMS.keys()
