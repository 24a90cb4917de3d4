"""The tap: its settings, its streams, and the end of a run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import click
from singer_sdk import Tap, metrics
from singer_sdk.exceptions import ConfigValidationError, FatalAPIError
from singer_sdk.helpers.capabilities import CapabilitiesEnum
from typing_extensions import override

from tap_constantcontact.api.counter_factory import open_counter
from tap_constantcontact.api.rate_limit import RateLimit
from tap_constantcontact.api.run_context import RunContext
from tap_constantcontact.auth import (
    AccessTokenAuthenticator,
    Login,
    PartnerAuthenticator,
    RefreshTokenAuthenticator,
)
from tap_constantcontact.catalog_check import CatalogCheck
from tap_constantcontact.catalog_entries import prepared
from tap_constantcontact.command_line import CommandLine
from tap_constantcontact.exceptions import RunEnded
from tap_constantcontact.input_files import check_account_column, check_files, check_known
from tap_constantcontact.output.log_filters import mute_notes_on_order
from tap_constantcontact.output.messages import MessageWriter
from tap_constantcontact.output.progress import Progress
from tap_constantcontact.output.states import StateThrottle
from tap_constantcontact.run_report import RunReport
from tap_constantcontact.services import Services
from tap_constantcontact.settings import validation
from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.settings.texts import convert_texts
from tap_constantcontact.shutdown import ShutdownHandler
from tap_constantcontact.streams import NAMES, STREAMS, place_of
from tap_constantcontact.streams.contact_reports import announce_cycles
from tap_constantcontact.streams.custom import CustomStream
from tap_constantcontact.token_store import open_token_store
from tap_constantcontact.token_store.base import TokenStore

if TYPE_CHECKING:
    from tap_constantcontact.client import ConstantContactStream

_Stream = TypeVar("_Stream", bound="ConstantContactStream")


class TapConstantContact(CommandLine):
    """Loads contacts, campaigns, opens, clicks, events and more from Constant Contact."""

    name = "tap-constantcontact"
    config_jsonschema = SETTINGS.to_dict()
    message_writer_class = MessageWriter
    # `StreamHooks` says why: its streams have a `start_date`, but not with the SDK's meaning. By
    # value: the SDK moves them between its enumerations, and adds some.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability
        for capability in Tap.capabilities
        if capability.value not in ("batch", "activate-version", "start-date")
    ]

    message_writer: MessageWriter

    def __init__(self, *, catalog: Any = None, setup_mapper: bool = True, **arguments: Any) -> None:
        """Make a tap; on the command line, it is closed when the command ends.

        Args:
            catalog: The catalog, or the path of its file.
            setup_mapper: Whether to make the stream maps now.
            arguments: The other arguments of `singer_sdk.Tap`.
        """
        self._report = RunReport(self)
        self._shutdown = ShutdownHandler(self._unfinished)
        check_files(arguments.get("state"), catalog)
        super().__init__(catalog=prepared(catalog), setup_mapper=False, **arguments)
        command = click.get_current_context(silent=True)
        if names := command and command.params.get("select"):
            self.select_streams(names)
        self._compare_with(catalog)
        check_known(arguments.get("state"), self.streams)
        if setup_mapper:  # rules hold for what is selected by now
            self.setup_mapper()
        #: Writes states, but not too often.
        self.states = StateThrottle(self.message_writer)
        #: Whether the settings on_quota_exceeded and max_requests hold: not for a check.
        self.has_budget = True
        self._progress: Progress | None = None
        if command:
            self.follow_progress()
            command.call_on_close(self.close)
        # One line per request would be too much. The summary has their number.
        muted = [metrics.Metric.HTTP_REQUEST_DURATION]
        if not self.logger.isEnabledFor(logging.DEBUG):
            muted.append(metrics.Metric.HTTP_REQUEST_COUNT)
        self.metrics_logger.addFilter(metrics.MetricExclusionFilter(metrics=muted))
        mute_notes_on_order()

    @cached_property
    @override
    def state_writer(self) -> Any:
        """The writer of states. The SDK calls only its `write_state`."""
        return self.states

    @cached_property
    def api(self) -> RunContext:
        """The run context of the account's streams, created on first use."""
        return self._connect(self._login(), self.config.get("client_id", ""), for_partners=False)

    @cached_property
    def partner_api(self) -> RunContext:
        """The run context of the partner streams."""
        client_id = self.config["partner_client_id"]
        login = PartnerAuthenticator(
            auth_url=self.config["partner_auth_url"],
            client_secret=self.config["partner_client_secret"],
            store=self._token_store(client_id, "", suffix=".partner.json"),
            user_agent=self.user_agent,
            before_wait=self._flush_messages,
        )
        return self._connect(login, client_id, for_partners=True)

    @property
    def user_agent(self) -> str:
        """The User-Agent header of all requests."""
        return self.config.get("user_agent") or f"{self.name}/{self.plugin_version}"

    @override
    def discover_streams(self) -> list[ConstantContactStream]:
        """Return all streams, without a login or network access."""
        services = Services(self, lambda: self.api)
        partner_services = Services(self, lambda: self.partner_api)
        return [
            *(cls(self, partner_services if cls.for_partners else services) for cls in STREAMS),
            *(
                CustomStream(self, services, declaration)
                for declaration in self.config.get("custom_streams", ())
            ),
        ]

    @cached_property
    @override
    def streams(self) -> dict[str, ConstantContactStream]:  # type: ignore[override] # only ours
        """The streams in the order of their subjects: the most important ones are read first.

        The SDK sorts them by name.
        """
        loaded = cast("Iterable[ConstantContactStream]", super().streams.values())
        return {stream.name: stream for stream in sorted(loaded, key=place_of)}

    def stream(self, cls: type[_Stream]) -> _Stream:
        """Return the stream of a class."""
        return next(stream for stream in self.streams.values() if isinstance(stream, cls))

    def follow_progress(self) -> None:
        """Show progress while streams are read. The caller has to close the tap."""
        self._progress = Progress(self._report.snapshot)

    def begin_stream(self, name: str) -> None:
        """Note that a stream and its children are being read."""
        is_first = self._report.begin(name)
        if self.is_test:
            return
        if self._progress:
            self._progress.begin()
        if is_first and not self.config.get("max_records_per_stream"):
            announce_cycles(self)

    def end_stream(self, name: str) -> None:
        """Note that a stream has been read in full."""
        self._report.end(name)

    def _compare_with(self, catalog: Any) -> None:
        """Warn about what a catalog requests in vain.

        Raises:
            ConfigurationError: There is nothing to read, or the catalog has other keys.
        """
        if self.input_catalog is None:
            return
        given = catalog if isinstance(catalog, Mapping) else self.input_catalog.to_dict()
        check = CatalogCheck(given, self.streams)
        check.require_selection()
        for warning in check.warnings():
            self.logger.warning(warning)
        check_account_column(self.input_catalog, self.streams.values())

    def close(self) -> None:
        """End a run, successful or not: write the state and log the summary."""
        if self._progress:
            self._progress.end()
        if not self.connections:
            return
        with suppress(RunEnded):  # the pipe is closed, or another signal came: it ends anyway
            self.states.write_now(self.state)
        message = (
            "%s: unknown properties kept in _extra, if the catalog has it: %s. Please report them"
            if self.config["keep_unknown_fields"]
            else "%s: dropped unknown properties: %s. Set keep_unknown_fields to keep them, and "
            "please report them"
        )
        own = "%s: properties that its schema in custom_streams does not declare: %s"
        for name, properties in self._report.unknown_properties():
            if isinstance(self.streams[name], CustomStream):  # somebody has chosen its columns
                self.logger.info(own, name, properties)
            else:
                self.logger.warning(message, name, properties)
        if self.is_test:
            self._report.write_test()
        self._report.write()

    @override
    def check_settings(self, config: dict[str, Any], *, requires_login: bool) -> None:
        """Convert settings given as text, and check all of them.

        Raises:
            ConfigValidationError: There are problems; the message says what is accepted.
        """
        schema = self.config_jsonschema
        convert_texts(config, schema)
        validation.tidy(config)
        now = datetime.now(timezone.utc)
        errors = [*validation.problems(config, schema, now, NAMES, requires_login=requires_login)]
        if errors:
            message = "The settings are not usable"
            raise ConfigValidationError(message, errors=errors, schema=schema)
        for hint in validation.unknown(config, schema):
            self.logger.warning(hint)

    @override
    def resolve_settings(self, config: dict[str, Any]) -> None:
        """Resolve a relative start_date."""
        validation.resolve(config, datetime.now(timezone.utc))

    @override
    def shut_down(self, signum: int) -> None:
        """Exit within a second, with the exit status of the signal."""
        self._shutdown.begin(signum, self.message_writer)

    def require_readable_stream(self, refusal: object) -> None:
        """Fail if no selected stream can be read, so that an empty run does not look successful.

        Raises:
            FatalAPIError: None can be read.
        """
        if all(stream.why_unreadable() for stream in self.streams.values() if stream.selected):
            message = (
                f"This account can't read any of the selected streams. The last error: {refusal}"
            )
            raise FatalAPIError(message)

    def _unfinished(self) -> AbstractContextManager[object]:
        """Return a context that waits for token requests in flight."""
        if self._progress:  # the process may exit without leaving its line on the terminal
            self._progress.end()
        unfinished = ExitStack()
        for api in self.connections:
            unfinished.enter_context(api.login.requesting)
        return unfinished

    @property
    def connections(self) -> list[RunContext]:
        """The run contexts that have been created so far."""
        made = vars(self)
        return [made[name] for name in ("api", "partner_api") if name in made]

    def _connect(self, login: Login, client_id: str, *, for_partners: bool) -> RunContext:
        place = login.store.limits_place if isinstance(login, RefreshTokenAuthenticator) else None
        return RunContext(
            url=self.config["api_url"].rstrip("/"),
            login=login,
            limits=RateLimit(
                requests_per_second=self.config["requests_per_second"],
                max_requests=self.config.get("max_requests") if self.has_budget else None,
                daily_quota=self.config["daily_quota"],
                on_quota_exceeded=self.config["on_quota_exceeded"] if self.has_budget else "fail",
                counter=open_counter(self.config.get("limits_url"), place, client_id),
            ),
            user_agent=self.user_agent,
            max_parallel_requests=self._max_parallel_requests,
            before_wait=self._flush_messages,
            streams=[
                stream
                for stream in self.streams.values()
                if stream.for_partners == for_partners
                and not stream.parent_stream_type
                and (stream.selected or stream.has_selected_descendents)
            ],
        )

    @property
    def is_test(self) -> bool:
        """Whether the run only tests which streams can be read."""
        return any(stream.ABORT_AT_RECORD_COUNT for stream in self.streams.values())

    @property
    def _max_parallel_requests(self) -> int:
        """The maximum number of concurrent requests: one if only a few records are read."""
        if self.is_test or self.config.get("max_records_per_stream"):
            return 1
        return int(self.config["max_parallel_requests"])

    def _flush_messages(self) -> None:
        """Write the records that wait, before the main thread waits for anything else."""
        if threading.current_thread() is threading.main_thread():
            self.message_writer.flush()

    def _login(self) -> Login:
        if "refresh_token" not in self.config:
            return AccessTokenAuthenticator(self.config["access_token"])
        return RefreshTokenAuthenticator(
            auth_url=self.config["auth_url"],
            client_secret=self.config.get("client_secret"),
            store=self._token_store(self.config["client_id"], self.config["refresh_token"]),
            user_agent=self.user_agent,
            before_wait=self._flush_messages,
        )

    def _token_store(self, client_id: str, refresh_token: str, *, suffix: str = "") -> TokenStore:
        return open_token_store(
            self.config.get("token_store"),
            client_id,
            refresh_token,
            key=self.config.get("token_store_key"),
            suffix=suffix,
        )
