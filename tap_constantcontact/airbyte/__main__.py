"""The command line: `source-constantcontact`, or `python -m tap_constantcontact.airbyte`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.__main__ import collect_garbage_rarely
from tap_constantcontact.airbyte import catalog
from tap_constantcontact.airbyte.check import check
from tap_constantcontact.airbyte.messages import AirbyteWriter, Failure, LogHandler, Status
from tap_constantcontact.airbyte.reading import Reading, failure_type
from tap_constantcontact.airbyte.source import Source, end_by_signal
from tap_constantcontact.airbyte.spec import specification
from tap_constantcontact.airbyte.states import StreamStates
from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import EXIT_FAILED, SIGNAL_STATUS, RunEnded
from tap_constantcontact.output.stdout import flushed_stdout
from tap_constantcontact.tap import NO_SETTINGS, TapConstantContact

_SIGNALS = {SIGNAL_STATUS + signum for signum in (signal.SIGINT, signal.SIGTERM)}
_FILES = {
    "config": "the configuration",
    "catalog": "the configured catalog: which streams to read, and how",
    "state": "the states of the streams, as messages of an earlier read; without it all is read",
}
_HELP = """
Exit statuses: 0 done (a check that says no included), 1 something failed, 2 wrong use of the
command line, 75 the quota is used up and a later read goes on. Messages are on stdout, a line each.
"""


def main() -> None:
    """Run a command of the Airbyte protocol."""
    collect_garbage_rarely()
    try:
        with flushed_stdout():
            status = _run(_parser().parse_args(), AirbyteWriter())
    except OSError as error:
        sys.exit(error_message(error))  # on stderr, since stdout takes nothing
    if status in _SIGNALS:
        end_by_signal(status)
    sys.exit(status)


def _run(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Run a command, and return its exit status.

    Raises:
        OSError: Stdout cannot be written to.
    """
    try:
        _log_to(writer)
        status: int = arguments.command(arguments, writer)
    except RunEnded as ended:
        return ended.status
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in words for people
        writer.say_failure(failure_type(error), error_message(error), error=error)
        return EXIT_FAILED
    return status


def spec(_: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Say what a configuration consists of."""
    writer.say("SPEC", "spec", specification())
    return 0


def check_connection(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Try to sign in, and say which streams the account may not read."""
    # A check neither waits for a day to end nor has a part in the budget of a run.
    instead = {"on_quota_exceeded": "fail", "max_requests": None}
    try:
        message = _checked(Source(_settings(arguments), writer, instead=instead))
        status = "SUCCEEDED"
    except RunEnded as ended:
        if not ended.reason:
            raise
        status, message = "FAILED", f"{ended.reason}. Check again then"
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in words for people
        status, message = "FAILED", error_message(error)
    said = {"message": message} if message else {}
    _answer(writer, "CONNECTION_STATUS", "connectionStatus", {"status": status, **said})
    return 0


def _checked(source: Source) -> str:
    """Return which streams cannot be read; forms show it only where the check fails."""
    try:
        message = check(source)
    finally:
        source.close()
    if message:
        source.logger.warning(message)
    return message


def discover(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Say what can be read; needs no login and no network."""
    source = Source(_settings(arguments), writer, validate_config=False)
    _answer(writer, "CATALOG", "catalog", catalog.discovered(source.streams.values()))
    return 0


def read(arguments: argparse.Namespace, writer: AirbyteWriter) -> int:
    """Read the streams of the configured catalog."""
    source = Source(_settings(arguments), writer)
    modes = catalog.modes(_file(arguments.catalog))
    catalog.choose(source.streams.values(), modes)
    states = StreamStates(filter(catalog.is_incremental, source.streams.values()))
    source.load_state(states.of_tap(_file(arguments.state) if arguments.state else []))
    unknown = sorted(modes.keys() - source.streams.keys())
    for name in unknown:
        message = f"There is no stream {name}. Refresh the schema of the connection"
        writer.say_failure(Failure.CONFIG, message, stream=name)
        writer.say_status(name, Status.INCOMPLETE)
    source.connect()
    source.follow_progress()
    try:
        is_complete = Reading(source, states).run()
    finally:
        source.close()
    return 0 if is_complete and not unknown else EXIT_FAILED


def _answer(writer: AirbyteWriter, type_: str, name: str, content: dict[str, Any]) -> None:
    """Give the answer of a command; clients end the process as soon as they have it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    writer.say(type_, name, content)


def _log_to(writer: AirbyteWriter) -> None:
    """Write what is logged as messages."""
    level = os.environ.get("LOGLEVEL", "INFO").upper()
    logging.basicConfig(level=level, handlers=[LogHandler(writer)])
    logging.captureWarnings(capture=True)


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the configuration.

    Raises:
        ConfigurationError: there is none in the file.
    """
    settings = _file(arguments.config)
    if not isinstance(settings, dict):
        raise ConfigurationError(NO_SETTINGS)
    return settings


def _file(path: Path) -> Any:
    """Return the JSON of a file.

    Raises:
        ConfigurationError: it holds none.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{path} is not JSON: {error}. Mend the file"
        raise ConfigurationError(message) from error


def _parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="source-constantcontact",
        description="Constant Contact as a source of Airbyte.",
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
    """Add a command that takes some files."""
    description = (command.__doc__ or "").strip()
    parser = commands.add_parser(
        name or command.__name__, help=description, description=description
    )
    parser.set_defaults(command=command)
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)  # clients add it
    for file in files:
        required = file != "state"
        parser.add_argument(f"--{file}", type=Path, required=required, help=_FILES[file])


if __name__ == "__main__":
    main()
