"""Settings of the environment and of `.env`, with the values that people mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.in_process import run_main
from support.tap import Run, TapCommand

from sandbox import Sandbox
from tap_constantcontact.login.__main__ import main as login_main
from tap_constantcontact.settings.texts import convert_texts
from tap_constantcontact.tap import TapConstantContact

PREFIX = "TAP_CONSTANTCONTACT_"


def variables(**settings: Any) -> dict[str, str]:
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items()}


def run(tap: TapCommand, sandbox: Sandbox, *select: str, **settings: Any) -> Run:
    """Run the tap with settings of the environment."""
    env = variables(**tap.settings(sandbox, **settings))
    return tap.run(None, "--config=ENV", select=list(select), env=env)


def converted(**given: Any) -> dict[str, Any]:
    schema = TapConstantContact.config_jsonschema
    TapConstantContact.append_builtin_config(schema)
    convert_texts(given, schema)
    return given


def write_env(tap: TapCommand, **settings: Any) -> Path:
    file = tap.folder / ".env"
    lines = [f"{name}={value}\n" for name, value in variables(**settings).items()]
    file.write_text("".join(lines), "utf-8")
    return file


@pytest.mark.parametrize("text", ["y", "YES", "True", "t", "1", " on ", "Enabled"])
def test_text_for_true_is_true(text: str) -> None:
    assert converted(keep_unknown_fields=text) == {"keep_unknown_fields": True}


@pytest.mark.parametrize("text", ["n", "NO", "False", "f", "0", "off", "disabled"])
def test_text_for_false_is_false(text: str) -> None:
    assert converted(links_without_clicks=text) == {"links_without_clicks": False}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_requests", " 100\n", 100),
        ("contact_ids", "one", ["one"]),
        ("contact_ids", "one, two,", ["one", "two"]),
        ("contact_ids", '["one", "two"]', ["one", "two"]),
        ("engagement_rereads_days", "7,30", [7, 30]),
        ("engagement_rereads_days", "[7, 30]", [7, 30]),
        ("custom_streams", '[{"name": "a"}]', [{"name": "a"}]),
        ("stream_maps", '{"contacts": null}', {"contacts": None}),
        ("flattening_enabled", "yes", True),
        ("on_quota_exceeded", "Stop", "stop"),
        ("client_secret", "0", "0"),
    ],
)
def test_text_has_the_value_of_its_setting(name: str, text: str, value: Any) -> None:
    assert converted(**{name: text}) == {name: value}


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("campaign_status", "done", ["Done"]),
        ("campaign_status", "draft, DONE", ["Draft", "Done"]),
        ("campaign_status", ["done"], ["Done"]),
        ("event_status", "active,Complete", ["ACTIVE", "COMPLETE"]),
        ("event_status", '["Active"]', ["ACTIVE"]),
        ("contact_status", ["Active", "Temp hold"], "active,temp_hold"),
        ("contact_status", '["active"]', "active"),
        ("contact_status", "Active , temp-hold", "active,temp_hold"),
        ("contacts_include", "Notes", ["notes"]),
        ("contact_status", "Gone", "Gone"),
        ("campaign_status", ["done", "gone"], ["Done", "gone"]),
    ],
)
def test_status_is_accepted_in_every_spelling(name: str, given: Any, value: Any) -> None:
    assert converted(**{name: given}) == {name: value}


@pytest.mark.parametrize("given", ["all", ["ALL"], '["all"]'])
@pytest.mark.parametrize("name", ["campaign_status", "event_status"])
def test_all_statuses_are_no_filter(name: str, given: Any) -> None:
    assert converted(**{name: given}) == {}


def test_texts_of_the_environment_narrow_a_run(tap: TapCommand, sandbox: Sandbox) -> None:
    chosen = {"campaign_status": "done", "links_without_clicks": "disabled", "max_requests": "99"}
    narrowed = run(tap, sandbox, "email_campaigns", "email_links", **chosen)
    assert narrowed.status == 0, narrowed.log
    assert set(narrowed.keys("email_campaigns", "current_status")) == {"Done"}
    links = run(tap, sandbox, "email_links", links_without_clicks="on").records["email_links"]
    assert 0 < len(narrowed.records["email_links"]) < len(links)


WRONG = {
    "max_requests": (
        "10,000",
        "Invalid max_requests: '10,000' (must be an integer of at least 1, in digits only)",
    ),
    "requests_per_second": (
        "four",
        "Invalid requests_per_second: 'four' (must be an integer of at least 1, in digits only)",
    ),
    "keep_unknown_fields": ("maybe", "Invalid keep_unknown_fields: 'maybe' (must be true or false"),
    "contact_ids": (
        "['a']",
        'Invalid contact_ids: "[\'a\']" (must be a list, such as ["a", "b"] or a,b)',
    ),
    "event_status": ("open", "Invalid event_status.0: 'open' (must be one of ACTIVE, DRAFT"),
    "contact_status": ("gone", "Invalid contact_status: 'gone' (must be one or more of all, act"),
    "engagement_rereads_days": (
        "7,month",
        "Invalid engagement_rereads_days.1: 'month' (must be an integer of at least 1, in dig",
    ),
    "stream_maps": ("{", "Invalid stream_maps: '{' (must be an object of streams and their rules"),
    "stream_map_config": ("hash_seed", "Invalid stream_map_config: value hidden (must be an obj"),
    "limits_url": ("http://:secret@x", "Invalid limits_url: value hidden (must be a URL such as"),
}


@pytest.mark.parametrize(
    "arguments", [(), ("--discover",), ("--test",)], ids=["run", "discover", "test"]
)
def test_every_wrong_value_is_named_at_once(tap: TapCommand, arguments: tuple[str, ...]) -> None:
    env = variables(client_id="key", refresh_token="token", start_date="2026-01-31")
    env |= variables(**{name: value for name, (value, _) in WRONG.items()})
    ended = tap.run(None, "--config=ENV", *arguments, env=env)
    assert ended.status == 1
    assert ended.lines == []
    assert [said for _, said in WRONG.values() if said not in ended.log] == []
    assert "hash_seed" not in ended.log
    assert "secret@" not in ended.log
    assert "Traceback" not in ended.log


@pytest.mark.parametrize("name", ["max_requests", "start_date"])
def test_discovery_refuses_what_a_run_refuses(tap: TapCommand, name: str) -> None:
    ended = tap.run({name: "never"}, "--discover")
    assert ended.status == 1
    assert f"Invalid {name}: 'never' (must be " in ended.log
    assert ended.lines == []


@pytest.mark.parametrize("name", ["max_requests", "on_quota_exceeded"])
def test_sign_in_and_its_status_refuse_what_a_run_refuses(tap: TapCommand, name: str) -> None:
    env = variables(client_id="key", client_secret="", refresh_token="token", **{name: "never"})
    for arguments in ((), ("--status",)):
        ended = run_main(login_main, ["login", *arguments], folder=tap.folder, env=env)
        assert ended.status == 1
        assert f"Invalid {name}: 'never' (must be " in ended.stderr


def test_sign_in_reads_the_env_file_of_the_working_folder(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    write_env(tap, **tap.settings(sandbox))
    ended = run_main(login_main, ["login", "--status"], folder=tap.folder)
    assert ended.status == 0, ended.stderr
    assert "Café Olé" in ended.stdout


def test_discovery_needs_no_login(tap: TapCommand) -> None:
    assert tap.run({}, "--discover").status == 0


def test_unknown_variable_is_named(tap: TapCommand) -> None:
    env = variables(start_dat="-30d", loglevel="INFO", _select="[]", eu_client_id="key")
    ended = tap.run(None, "--config=ENV", "--discover", env=env)
    assert ended.status == 0
    assert "Unknown setting: start_dat. Did you mean start_date?" in ended.log
    assert ended.log.count("Unknown setting") == 1


def test_env_file_of_the_working_folder_is_read(tap: TapCommand, sandbox: Sandbox) -> None:
    file = write_env(tap, **tap.settings(sandbox))
    ended = tap.run(None, "--config=ENV", select=["account"])
    assert ended.status == 0, ended.log
    assert f"Settings of the environment and {file}: api_url, " in ended.log


def test_environment_wins_over_the_env_file(tap: TapCommand, sandbox: Sandbox) -> None:
    write_env(tap, **tap.settings(sandbox, max_records_per_stream=1, max_requests="many"))
    env = variables(max_records_per_stream=7, max_requests=99)
    ended = tap.run(None, "--config=ENV", select=["contacts"], env=env)
    assert ended.status == 0, ended.log
    assert len(ended.records["contacts"]) == 7


def test_empty_line_is_not_set_in_the_environment_and_in_the_env_file(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    empty = {"max_requests": "", "contact_ids": "  ", "stream_maps": "", "start_date": ""}
    write_env(tap, **tap.settings(sandbox, **empty, max_records_per_stream=3))
    env = variables(max_records_per_stream="", keep_unknown_fields="", daily_quota=" ")
    ended = tap.run(None, "--config=ENV", select=["contacts"], env=env)
    assert ended.status == 0, ended.log
    assert len(ended.records["contacts"]) == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_env_file_of_powershell_is_read(tap: TapCommand, sandbox: Sandbox, encoding: str) -> None:
    file = write_env(tap, **tap.settings(sandbox))
    file.write_text(file.read_text("utf-8"), encoding)
    assert tap.run(None, "--config=ENV", select=["account"]).status == 0


@pytest.mark.parametrize("content", [b"\xff\x00\xff", "a=b".encode("utf-16-le")])
def test_env_file_that_is_no_text_is_named(tap: TapCommand, content: bytes) -> None:
    (tap.folder / ".env").write_bytes(content)
    ended = tap.run(None, "--config=ENV")
    assert ended.status == 1
    assert f"Can't read {tap.folder / '.env'}: not a text file in UTF-8. Save it" in ended.log
    assert "Traceback" not in ended.log
