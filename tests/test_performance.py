"""Speed without a clock: the number of calls per record."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.tap import TapCommand

from checks.bench.run import serving
from tap_constantcontact.api import responses
from tap_constantcontact.tap import TapConstantContact

PAGE = 500


def sync(contacts: int) -> tuple[int, int]:
    """Read contacts from the server of `make bench`; count the calls of functions, and pages."""
    calls = Counter[str]()

    def count(frame: FrameType, event: str, _: Any) -> None:
        calls["all"] += event == "call"
        calls["pages"] += event == "call" and frame.f_code is responses._parse_outline.__code__

    with serving(contacts, 0) as api_url:
        settings = {"api_url": api_url, "access_token": "any"}
        limits = {"requests_per_second": 10**6, "daily_quota": 10**9}
        tap = TapConstantContact(config={**settings, **limits})
        for name, stream in tap.streams.items():
            stream.selected = name == "contacts"
        sys.setprofile(count)
        try:
            tap.sync_all()
        finally:
            sys.setprofile(None)
    return calls["all"], calls["pages"]


@pytest.mark.e2e
def test_record_costs_few_calls_and_pages_are_parsed_once(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    few, pages_of_few = sync(2 * PAGE)
    many, pages_of_many = sync(6 * PAGE)
    assert (pages_of_few, pages_of_many) == (2, 6)
    assert (many - few) / (4 * PAGE) < 75  # 40 values in 5 objects, and what the SDK does
    lines = capsysbinary.readouterr().out.splitlines()
    assert sum(b'"RECORD"' in line for line in lines) == 8 * PAGE


def test_output_is_ascii_with_exact_digits(tap: TapCommand, fake_server: FakeServer) -> None:
    digits = "12345678901234567890.10"
    fake_server["/v3/contacts"] = (
        b'{"contacts_count": 1, "contacts": [{"contact_id": "1", "first_name": "\xd0\x9e\xf0\x9f'
        b'\x8c\xbf", "last_name": "half \\ud83c", "company_name": ' + digits.encode() + b"}]}"
    )
    fake_server["/v3/contacts/counts"] = {"total": 1}
    run = tap.run(fake_server.settings, select=["contacts"])
    (record,) = run.records["contacts"]
    assert all(line.isascii() for line in run.lines)
    assert (record["first_name"], record["last_name"]) == ("\u041e\U0001f33f", "half ")
    assert record["company_name"] == digits


@pytest.mark.parametrize("deselected", ["first_name", "email_address"])
def test_deselected_properties_are_not_written(
    tap: TapCommand, fake_server: FakeServer, deselected: str
) -> None:
    address = {"address": "a@example.com"}
    contact = {"contact_id": "1", "first_name": "Maria", "email_address": address}
    fake_server["/v3/contacts"] = {"contacts_count": 1, "contacts": [contact]}
    catalog = tap.catalog(["contacts"])
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == ["properties", deselected]:
                entry["metadata"]["selected"] = False
    path = tap.folder / "some.json"
    path.write_text(json.dumps(catalog))
    run = tap.run(fake_server.settings, "--catalog", str(path))
    (record,) = run.records["contacts"]
    assert {*contact} - {*record} == {deselected}


@pytest.mark.e2e
def test_start_imports_little_more_than_the_sdk() -> None:
    code = (
        "import sys, singer_sdk; before = {*sys.modules}; import tap_constantcontact.__main__;"
        "print(*{*sys.modules} - before)"
    )
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    foreign = {name.split(".")[0] for name in loaded} - {"tap_constantcontact"}
    foreign -= sys.stdlib_module_names
    assert foreign <= {"msgspec", "filelock", "typing_extensions"}
