"""The command `source-constantcontact`, or `python -m tap_constantcontact.airbyte`."""

from __future__ import annotations

import sys

if __name__ == "__main__":  # before the imports that take long
    from tap_constantcontact import entry_points

    entry_points.source()
    sys.exit()

import argparse
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tap_constantcontact.__main__ import collect_garbage_rarely
from tap_constantcontact.airbyte import catalog
from tap_constantcontact.airbyte.check import check
from tap_constantcontact.airbyte.messages import (
    AirbyteWriter,
    FailureType,
    LogHandler,
    StreamStatus,
)
from tap_constantcontact.airbyte.runner import SyncRunner, failure_type
from tap_constantcontact.airbyte.source import Source, end_by_signal
from tap_constantcontact.airbyte.spec import specification
from tap_constantcontact.airbyte.states import StreamStates
from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import EXIT_FAILED, SIGNAL_STATUS, RunEnded
from tap_constantcontact.help_topics import with_topic
from tap_constantcontact.input_files import parse_json, read_settings
from tap_constantcontact.output.stdout import flushed_stdout
from tap_constantcontact.tap import TapConstantContact

_SIGNALS = {SIGNAL_STATUS + signum for signum in (signal.SIGINT, signal.SIGTERM)}
_FILES = {
    "config": "configuration",
    "catalog": "configured catalog: the streams to read and their sync modes",
    "state": "STATE messages of an earlier sync; without them everything is read",
}
_HELP = """
Exit status: 0 success (including a check that reports a failure), 1 failure, 2 invalid command
line, 75 quota exhausted (the next sync resumes). Messages are written to stdout, one per line.
"""


def main() -> None:
    """Run a command of the Airbyte protocol."""
    collect_garbage_rarely()
    try:
        with flushed_stdout():
            status = _run(_parser().parse_args(), AirbyteWriter())
    except OSError as error:
        sys.exit(error_message(error))  # to stderr, because stdout doesn't accept anything
    if status in _SIGNALS:
        end_by_signal(status)
    sys.exit(status)


def _run(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Run a command, and return its exit status.

    Raises:
        OSError: Stdout can't be written.
    """
    try:
        _log_to(writer)
        status: int = arguments.command(arguments, writer)
    except RunEnded as ended:
        return ended.status
    except Exception as error:  # noqa: BLE001 - every failure ends with a message for people
        writer.send_error(failure_type(error), error_message(error), error=error)
        return EXIT_FAILED
    return status


def spec(_: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Print the specification of the configuration."""
    writer.send("SPEC", "spec", specification())
    return 0


def check_connection(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Test the login, and report which streams the account has no permission to read."""
    try:
        source = Source(_settings(arguments), writer)
        source.has_budget = False  # a check doesn't wait for the quota to reset either
        message = _run_check(source)
        status = "SUCCEEDED"
    except RunEnded as ended:
        if not ended.reason:
            raise
        status, message = "FAILED", with_topic(f"{ended.reason}. Run the check again then")
    except Exception as error:  # noqa: BLE001 - every failure ends with a message for people
        status, message = "FAILED", error_message(error)
    result = {"status": status, **({"message": message} if message else {})}
    _send_result(writer, "CONNECTION_STATUS", "connectionStatus", result)
    return 0


def _run_check(source: Source) -> str:
    """Return which streams can't be read, and log it: forms show only failed checks."""
    try:
        message = check(source)
    finally:
        source.close()
    if message:
        source.logger.warning(message)
    return message


def discover(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Print the catalog of streams; requires neither a login nor a network."""
    source = Source(_settings(arguments), writer, validate_config=False)
    _send_result(writer, "CATALOG", "catalog", catalog.airbyte_catalog(source.streams.values()))
    return 0


def read(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Read the streams of the configured catalog."""
    source = Source(_settings(arguments), writer, setup_mapper=False)
    modes = catalog.sync_modes(_file(arguments.catalog))
    catalog.select(source.streams.values(), modes)
    source.setup_mapper()
    states = StreamStates(filter(catalog.is_incremental, source.streams.values()))
    source.load_state(states.of_tap(_file(arguments.state) if arguments.state else []))
    unknown = sorted(modes.keys() - source.streams.keys())
    for name in unknown:
        message = f"Unknown stream: {name}. Refresh the schema of the connection"
        writer.send_error(FailureType.CONFIG, message, stream=name)
        writer.send_status(name, StreamStatus.INCOMPLETE)
    source.connect()
    source.follow_progress()
    try:
        is_complete = SyncRunner(source, states).run()
    finally:
        source.close()
    return 0 if is_complete and not unknown else EXIT_FAILED


def _send_result(writer: AirbyteWriter, type_: str, name: str, content: dict[str, Any]) -> None:
    """Write the result of a command; clients end the process as soon as they have it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    writer.send(type_, name, content)


def _log_to(writer: AirbyteWriter) -> None:
    """Write the log as messages."""
    level = os.environ.get("LOGLEVEL", "INFO").upper()
    logging.basicConfig(level=level, handlers=[LogHandler(writer)])
    logging.captureWarnings(capture=True)


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the configuration.

    Raises:
        ConfigurationError: The file contains no configuration.
    """
    return read_settings(arguments.config)


def _file(path: Path) -> Any:
    """Return the JSON of a file.

    Raises:
        ConfigurationError: The file is not valid JSON.
    """
    return parse_json(path.read_bytes(), str(path))


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="source-constantcontact",
        description="Constant Contact source connector for Airbyte.",
        epilog=_HELP,
    )
    version = f"%(prog)s {TapConstantContact.plugin_version}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(metavar="command", required=True)
    _add(commands, spec)
    _add(commands, check_connection, "config", name="check")
    _add(commands, discover, "config")
    _add(commands, read, "config", "catalog", "state")
    return parser


def _add(
    commands: Any,
    command: Callable[[argparse.Namespace, AirbyteWriter], int],
    *files: str,
    name: str | None = None,
) -> None:
    """Add a command that requires some files."""
    description = (command.__doc__ or "").strip()
    parser = commands.add_parser(
        name or command.__name__, help=description, description=description
    )
    parser.set_defaults(command=command)
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)  # clients add it
    for file in files:
        required = file != "state"
        parser.add_argument(f"--{file}", type=Path, required=required, help=_FILES[file])
