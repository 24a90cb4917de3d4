"""`python -m sandbox`."""

from __future__ import annotations

import json
import re
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


def test_config_option_writes_the_settings_and_says_how_to_use_them(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    process = start("--config", str(config))
    assert process.stdout
    lines = iter(process.stdout.readline, "")
    said = ""
    while "Ctrl-C" not in said:
        said += next(lines)
    settings = json.loads(config.read_text())
    response = requests.get(settings["api_url"] + "/contacts", timeout=5)
    assert response.status_code == 401
    assert settings["api_url"] in said
    (command,) = re.findall(r"^  (.*tap-constantcontact .*)$", said, re.MULTILINE)
    run = subprocess.run(
        command.partition(" | ")[0], shell=True, cwd=PROJECT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert '"type":"RECORD"' in run.stdout
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=5)
    assert (process.returncode, rest, errors) == (0, "", "")
    again = start("--config", str(config))  # replaces its own file
    assert again.stdout
    assert "Serving" in again.stdout.readline()
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=5)


@pytest.mark.parametrize("content", ['{"client_id": "mine"}', "not JSON"])
def test_config_option_keeps_a_file_with_other_settings(tmp_path: Path, content: str) -> None:
    config = tmp_path / "config.json"
    config.write_text(content)
    process = start("--config", str(config))
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output) == (1, "")
    assert errors == f"{config} has other settings: move it, or name another file with --config\n"
    assert config.read_text() == content


def test_command_without_flask_says_what_to_do() -> None:
    hidden = "import sys; sys.modules['flask'] = None; sys.argv = ['-m']; import sandbox"
    done = subprocess.run(
        [sys.executable, "-c", hidden],
        cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "The sandbox requires Flask: use make sandbox, or pip install flask\n"


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
