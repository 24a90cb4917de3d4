"""No secret and no person's data ever reaches a log line or an error message."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import TapCommand

from sandbox import TOKEN_PATH, Fault, Sandbox


def secrets_of(tap: TapCommand, sandbox: Sandbox, settings: dict[str, Any]) -> set[str]:
    """Return all that must never be printed: tokens, the secret, addresses and names."""
    kept = json.loads(tap.token_store.read_text()) if tap.token_store.exists() else {}
    tokens = {
        settings["client_secret"],
        settings["refresh_token"],
        sandbox.refresh_token,
        kept.get("refresh_token"),
        kept.get("access_token"),
    }
    addresses = {
        row["email_address"]["address"]
        for row in sandbox.account.contacts.values()
        if "email_address" in row
    }
    return {secret for secret in tokens | addresses if secret}


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/nowhere", Fault.DROPPED),
        ("/contacts", Fault.UNAUTHORIZED),
        ("/contacts", Fault.DROPPED),
        ("/contacts", Fault.CUT_JSON),
        ("/contacts", Fault.BAD_REQUEST),
        ("/contacts", Fault.FOREIGN_NEXT),
        ("/contacts", Fault.QUOTA_EXCEEDED),
        (TOKEN_PATH, Fault.BAD_REQUEST),
        (TOKEN_PATH, Fault.NOT_JSON),
    ],
)
def test_log_has_no_secret_after_a_fault(
    tap: TapCommand, make_sandbox: MakeSandbox, path: str, fault: Fault
) -> None:
    sandbox = make_sandbox(contacts=520)
    settings = tap.settings(sandbox)
    person = next(
        row["email_address"]["address"]
        for row in sandbox.account.contacts.values()
        if "email_address" in row
    )
    said = {"message": f"{person} is not valid"} if fault is Fault.BAD_REQUEST else {}
    sandbox.fail(path, fault, **said)
    run = tap.run(settings, select=["account", "contacts"], env={"LOGLEVEL": "DEBUG"})
    assert run.log
    assert "Traceback" not in run.log
    for secret in secrets_of(tap, sandbox, settings):
        assert secret not in run.log
    assert not re.search(r"eyJ[\w-]+\.", run.log)  # no other JWT


def test_log_masks_email_addresses_in_vendor_messages(tap: TapCommand, sandbox: Sandbox) -> None:
    sandbox.fail("/contacts", Fault.BAD_REQUEST, message="the address ada@example.com is in use")
    run = tap.sync(sandbox, "contacts")
    assert "the address <email address> is in use" in run.log


def test_log_has_no_used_refresh_token(tap: TapCommand, sandbox: Sandbox) -> None:
    settings = tap.settings(sandbox)
    sandbox.replace_refresh_token()
    run = tap.run(settings, select=["account"], env={"LOGLEVEL": "DEBUG"})
    assert run.status == 1
    assert settings["refresh_token"] not in run.log


def test_names_of_unknown_properties_have_no_address_or_control_character(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    tag = {"tag_id": "1", "\x1b[2Jmood": 1, "ada@example.com": 1}
    fake_server["/v3/contact_tags"] = {"tags": [tag]}
    run = tap.run(fake_server.settings, select=["contact_tags"])
    assert "dropped unknown properties: [2Jmood, <email address>. Set" in run.log
