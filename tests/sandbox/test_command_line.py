"""`python -m sandbox`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests

from sandbox import Options
from sandbox.__main__ import parser

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.e2e


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--contacts", "5", "--campaigns", "1", *arguments],
        cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_command_serves_until_a_signal() -> None:
    processes = [start("--latency", "0-0.01") for _ in range(2)]
    for process, number in zip(processes, (signal.SIGTERM, signal.SIGINT), strict=True):
        assert process.stdout is not None
        settings = json.loads(process.stdout.readline())
        response = requests.get(settings["api_url"] + "/contacts", timeout=5)
        process.send_signal(number)
        rest, errors = process.communicate(timeout=5)
        assert response.status_code == 401
        assert set(settings) == {
            *("client_id", "client_secret", "refresh_token", "api_url", "auth_url"),
            *("partner_api_key", "partner_client_id", "partner_client_secret", "partner_auth_url"),
        }
        assert (process.returncode, rest, errors) == (0, "", "")


def test_unknown_host_or_taken_port_fails_in_one_line() -> None:
    hosts = ("::1", "no.such.host.invalid", "a..b")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        processes = {f"{host}:0": start("--host", host) for host in hosts}
        processes[f"127.0.0.1:{port}"] = start("--port", str(port))
        for address, process in processes.items():
            output, errors = process.communicate(timeout=10)
            assert (process.returncode, output) == (1, "")
            assert errors.startswith(f"cannot listen on {address}: ")
            assert errors.count("\n") == 1
            assert "Unknown error" not in errors
        assert errors == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *(("port", "99999"), ("port", "-5"), ("now", "today"), ("latency", "long")),
        ("event-links", "none"),
    ],
)
def test_invalid_value_of_an_option_is_rejected(
    capsys: pytest.CaptureFixture[str], flag: str, value: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([f"--{flag}", value])
    assert ended.value.code == 2
    assert f"argument --{flag}: " in capsys.readouterr().err


def test_every_option_has_a_flag() -> None:
    given = vars(parser().parse_args([]))
    assert Options(**given) == Options()
    given = vars(
        parser().parse_args(
            [
                *("--now", "2024-02-29T23:00:00Z", "--scopes", "contact_data,account_read"),
                *("--latency", "0.1-0.2", "--expires-in", "absent", "--partial-stats"),
                *("--no-deleting-moves-updated-at", "--port", "8080"),
            ]
        )
    )
    assert Options(**given) == Options(
        now=datetime(2024, 2, 29, 23, tzinfo=timezone.utc),
        scopes=("contact_data", "account_read"),
        latency=(0.1, 0.2),
        expires_in="absent",
        partial_stats=True,
        deleting_moves_updated_at=False,
        port=8080,
    )


def test_help_lists_the_control_paths() -> None:
    text = parser().format_help()
    for path in ("changes", "faults", "requests"):
        assert f"/_sandbox/{path}" in text
