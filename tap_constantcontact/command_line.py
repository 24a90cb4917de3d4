"""The command line of the tap: the SDK's, with an option more and with messages for people."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigurationError, ConfigValidationError
from typing_extensions import override

from tap_constantcontact.input_files import (
    FOREIGN_CATALOG,
    FOREIGN_STATE,
    parse_json,
    read_settings,
)
from tap_constantcontact.sdk_hooks.tap import TapHooks
from tap_constantcontact.settings.choices import near_miss

if TYPE_CHECKING:
    from typing import IO

    from singer_sdk.streams import Stream

_ENVIRONMENT = "ENV"  # takes the place of a config file


class CommandLine(TapHooks):
    """A tap whose command line has `--select`, and names the file or the setting that is wrong."""

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """Return the SDK's command with the option `--select`."""
        command = super().get_singer_command()
        command.params.append(
            click.Option(
                ["--select"],
                metavar="STREAM[,STREAM]",
                multiple=True,
                is_eager=True,  # before the callbacks of --discover and --test
                help="Read these streams only, whatever is selected. Can be repeated.",
                callback=lambda _context, _option, given: _names(given),
            )
        )
        return command

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the config files.

        Raises:
            ConfigurationError: One of them does not contain an object.
            OSError: One of them can't be read.
        """
        given = super().cb_config(ctx, param, tuple(name for name in value if name == _ENVIRONMENT))
        for name in value:
            if name != _ENVIRONMENT:
                given.config.update(read_settings(name))
        return given

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Test which streams can be read: all of them, or those of `--select`."""
        if value != "all" or not ctx.params.get("select"):
            super().cb_test(ctx, param, value)
            return
        config = ctx.params["config"]
        tap = cls(config=config.config, parse_env_config=config.parse_env)
        tap.run_sync_dry_run(streams=[*_with_parents(tap.streams.values())])
        ctx.exit()

    @classmethod
    @override
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        select: Iterable[str] = (),
        **options: Any,
    ) -> None:
        """Read the files of a run, then run.

        Args:
            state: The file with the state.
            catalog: The file with the catalog.
            select: The names of the streams to read, which `select_streams` uses.
            options: The other options of the SDK's command.

        Raises:
            ConfigurationError: A file or a setting is invalid. The SDK would print the schema of
                all settings last, and Meltano shows nothing but the last line.
        """
        try:
            super().invoke(
                state=_checked(state, FOREIGN_STATE),
                catalog=_checked(catalog, FOREIGN_CATALOG),
                **options,
            )
        except ConfigValidationError as error:
            raise ConfigurationError("; ".join(error.errors)) from error

    def select_streams(self, names: Iterable[str]) -> None:
        """Select streams, and no others.

        Args:
            names: The names of the streams.

        Raises:
            ConfigurationError: There is no such stream.
        """
        chosen = set(names)
        for name in sorted(chosen - self.streams.keys()):
            near = near_miss(name, self.streams)
            remedy = f"Did you mean {near}?" if near else "--discover lists all streams"
            raise _not_selectable(name, remedy)
        for stream in self.streams.values():
            stream.selected = stream.name in chosen


def _names(given: Iterable[str]) -> list[str]:
    """Return the names in the values of --select, each of which may have several.

    Raises:
        ConfigurationError: One of them has none, such as a variable of a script that is not set.
    """
    names = []
    for value in given:
        if not (listed := value.replace(",", " ").split()):
            raise _not_selectable(value, "--discover lists all streams")
        names += listed
    return names


def _not_selectable(given: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"Invalid --select: {given!r} (must be names of streams). {remedy}")


def _with_parents(streams: Iterable[Stream]) -> Iterable[Stream]:
    """Yield the selected streams, and the parents whose rows they need."""
    return (stream for stream in streams if stream.selected or stream.has_selected_descendents)


def _checked(file: IO[str] | None, foreign: str) -> IO[str] | None:
    """Return a file that was opened by the command line, if it has a JSON object.

    Args:
        file: The file.
        foreign: The message about anything else, which the SDK would take for a path or ignore.

    Raises:
        ConfigurationError: It has none; about JSON the message names the file.
    """
    if file is None:
        return None
    content = getattr(file, "buffer", file).read()
    given = parse_json(content, file.name)
    if not isinstance(given, dict):
        raise ConfigurationError(foreign)
    return io.StringIO(json.dumps(given))
