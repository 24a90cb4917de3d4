"""The explanation of a failure is on stderr, whatever configures the log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.tap import Run, TapProcess

from sandbox import Sandbox

CONSOLE = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "own"}
STRUCTURED = {"own": {"()": "singer_sdk.logging.StructuredFormatter"}}
WRONG = "Invalid start_date: 'soon'"


def run_with(tap: TapProcess, sandbox: Sandbox, settings: dict[str, Any], **config: Any) -> Run:
    path = tap.folder / "logging.yaml"
    path.write_text(json.dumps({"version": 1, **config}))  # which is YAML too
    env = {"SINGER_SDK_LOG_CONFIG": str(path)}
    return tap.run(tap.settings(sandbox, **settings), select=["account", "contact_tags"], env=env)


@pytest.mark.parametrize(
    ("settings", "status", "says"),
    [
        ({"start_date": "soon"}, 1, WRONG),
        ({"max_requests": 1}, 75, "Request budget reached: 1 requests"),
        ({}, 0, "Run ended after"),
    ],
)
def test_loggers_are_not_disabled_by_the_file_of_meltano(
    tap_process: TapProcess, sandbox: Sandbox, settings: dict[str, Any], status: int, says: str
) -> None:
    """Meltano 4.0 and 4.1 write `disable_existing_loggers`, which is also logging's default."""
    run = run_with(
        tap_process,
        sandbox,
        settings,
        disable_existing_loggers=True,
        formatters=STRUCTURED,
        handlers={"console": CONSOLE},
        root={"handlers": ["console"], "level": "INFO"},
    )
    logged = [json.loads(line) for line in run.log.splitlines()]
    assert run.status == status
    assert [each["message"] for each in logged if says in each["message"]]


def test_failure_is_explained_on_stderr_if_the_log_goes_elsewhere(
    tap_process: TapProcess, sandbox: Sandbox
) -> None:
    log = tap_process.folder / "tap.log"
    run = run_with(
        tap_process,
        sandbox,
        {"start_date": "soon"},
        handlers={"file": {"class": "logging.FileHandler", "filename": str(log)}},
        root={"handlers": ["file"], "level": "INFO"},
    )
    assert run.status == 1
    assert WRONG in run.log
    assert WRONG in log.read_text()


@pytest.mark.parametrize("root", [{"level": "LOUD"}, {"handlers": ["none"]}])
def test_wrong_log_configuration_is_named(
    tap_process: TapProcess, sandbox: Sandbox, root: dict[str, Any]
) -> None:
    run = run_with(tap_process, sandbox, {}, root=root)
    assert run.status == 1
    assert "Invalid logging configuration: Unable to configure root logger" in run.log
    assert "Traceback" not in run.log
