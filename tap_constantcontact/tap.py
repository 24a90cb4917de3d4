"""The tap: its settings, its streams, and the end of a run."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import click
from jsonschema import Draft202012Validator
from singer_sdk import Stream, Tap, metrics
from singer_sdk.exceptions import ConfigurationError, ConfigValidationError
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)

from tap_constantcontact.api.rate_limit import RateLimit
from tap_constantcontact.api.run_context import RunContext
from tap_constantcontact.api.shared_limits import open_counter
from tap_constantcontact.auth import (
    AccessTokenAuthenticator,
    Login,
    PartnerAuthenticator,
    RefreshTokenAuthenticator,
)
from tap_constantcontact.exceptions import JSON_ERROR, RunEnded
from tap_constantcontact.output.messages import MessageWriter
from tap_constantcontact.output.progress import Progress, Snapshot
from tap_constantcontact.output.states import StateThrottle
from tap_constantcontact.output.summary import Row, table
from tap_constantcontact.settings import validation
from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.shutdown import ShutdownHandler
from tap_constantcontact.streams import STREAMS, place_of
from tap_constantcontact.streams.custom import CustomStream

if TYPE_CHECKING:
    from types import FrameType

    from tap_constantcontact.client import ConstantContactStream

#: The schema of a stream's state; every replication key of the tap is a timestamp.
BOOKMARK: dict[str, Any] = {
    "type": "object",
    "properties": {"replication_key_value": {"pattern": "^(19|20)[0-9]{2}-", "type": "string"}},
}
_STATE = Draft202012Validator(
    {
        "type": "object",
        "properties": {"bookmarks": {"additionalProperties": BOOKMARK, "type": "object"}},
        # An empty one is the first run's; a whole STATE message is none.
        "anyOf": [{"required": ["bookmarks"]}, {"maxProperties": 0}],
    }
)
_METADATA = {"type": "object", "required": ["breadcrumb", "metadata"]}
_STREAM = {
    "type": "object",
    "properties": {
        "schema": {"type": "object", "required": ["properties"]},
        "metadata": {"type": "array", "items": _METADATA},
    },
    "required": ["tap_stream_id", "schema"],
}
_CATALOG = Draft202012Validator(
    {
        "type": "object",
        "properties": {"streams": {"type": "array", "items": _STREAM}},
        "required": ["streams"],
    }
)
NO_SETTINGS = (
    "A configuration file must hold a JSON object with settings; the README shows the least one"
)
_FOREIGN_CATALOG = (
    "The catalog is not one of this tap: it has no list of its streams; --discover writes a good "
    "one"
)


class TapConstantContact(Tap):
    """Reads everything that a Constant Contact account holds."""

    name = "tap-constantcontact"
    config_jsonschema = SETTINGS.to_dict()
    message_writer_class = MessageWriter
    # Without batches and ACTIVATE_VERSION: `ConstantContactStream` says why.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability
        for capability in Tap.capabilities
        if capability not in (PluginCapabilities.BATCH, TapCapabilities.ACTIVATE_VERSION)
    ]

    message_writer: MessageWriter

    def __init__(self, **arguments: Any) -> None:
        """Make a tap; on the command line, it is closed when the command ends.

        Args:
            arguments: as `singer_sdk.Tap` takes them.
        """
        self._started = time.monotonic()
        self._ending = ShutdownHandler(self._unfinished)
        check_files(arguments.get("state"), arguments.get("catalog"))
        super().__init__(**arguments)
        self._compare_with(self.input_catalog)
        self.states = StateThrottle(self.message_writer)
        # In place of the SDK's, of which the SDK calls nothing but `write_state`.
        self._state_writer = cast("Any", self.states)
        self._begun: list[str] = []
        self._ended: set[str] = set()
        self._progress: Progress | None = None
        if command := click.get_current_context(silent=True):
            self.follow_progress()
            command.call_on_close(self.close)
        if not self.logger.isEnabledFor(logging.DEBUG):
            # A line for each request; the table at the end has their number.
            mute = metrics.MetricExclusionFilter(metrics=[metrics.Metric.HTTP_REQUEST_COUNT])
            self.metrics_logger.addFilter(mute)

    @cached_property
    def api(self) -> RunContext:
        """What the streams share; made when the first of them needs it."""
        return self._connect(self._login(), self.config.get("client_id", ""), for_partners=False)

    @cached_property
    def partner_api(self) -> RunContext:
        """What the streams of partners share."""
        client_id = self.config["partner_client_id"]
        store = self.config.get("token_store")
        login = PartnerAuthenticator(
            auth_url=self.config["partner_auth_url"],
            client_id=client_id,
            client_secret=self.config["partner_client_secret"],
            refresh_token="",
            store_path=Path(store).expanduser().with_suffix(".partner.json") if store else None,
            user_agent=self.user_agent,
        )
        return self._connect(login, client_id, for_partners=True)

    @property
    def user_agent(self) -> str:
        """The name under which it asks for something."""
        return self.config.get("user_agent") or f"{self.name}/{self.plugin_version}"

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration files.

        Raises:
            ConfigurationError: one of them holds no settings.
        """
        try:
            return super().cb_config(ctx, param, value)
        except (TypeError, ValueError) as error:
            if isinstance(error, JSON_ERROR):
                raise
            raise ConfigurationError(NO_SETTINGS) from error

    @classmethod
    def environment(cls) -> dict[str, Any]:
        """Return the settings that the environment and `.env` hold."""
        return dict(cls._env_var_config)

    def discover_streams(self) -> list[ConstantContactStream]:
        """Return all streams; needs no login and no network."""
        return [
            stream(self, lambda: self.partner_api)
            if stream.for_partners
            else stream(self, lambda: self.api)
            for stream in STREAMS
        ] + [
            CustomStream(self, lambda: self.api, declaration)
            for declaration in self.config.get("custom_streams", ())
        ]

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their subjects: what matters most is read first.

        Overrides the SDK's order, which is that of their names.
        """
        if self._streams is None:
            loaded = super().streams.values()
            self._streams = {stream.name: stream for stream in sorted(loaded, key=place_of)}
        return self._streams

    def follow_progress(self) -> None:
        """Say how far the run is while streams are read; whoever asks for it closes the tap."""
        self._progress = Progress(self._look)

    def begin_stream(self, name: str) -> None:
        """Take note that a stream, and with it its children, is being read."""
        self._begun.append(name)
        if self._progress and not self._is_test:
            self._progress.begin()

    def end_stream(self, name: str) -> None:
        """Take note that a stream was read to its end."""
        self._ended.add(name)

    def _compare_with(self, catalog: Mapping[str, Any] | None) -> None:
        """Say what a catalog has that is not read.

        Raises:
            ConfigurationError: nothing in it is.
        """
        if catalog is None:
            return
        unknown = sorted(catalog.keys() - self.streams.keys())
        if len(unknown) == len(catalog):
            raise ConfigurationError(_FOREIGN_CATALOG)
        if unknown:
            message = (
                "The catalog has streams that the tap has not: %s. Discover again, or declare them "
                "in custom_streams"
            )
            self.logger.warning(message, ", ".join(unknown))

    def close(self) -> None:
        """End a run, however it went: write what state there is, and say what was done."""
        if self._progress:
            self._progress.end()
        if not self._apis:
            return
        with suppress(RunEnded):  # nobody reads on, or another signal: it ends anyway
            self.states.write_now(self.state)
        self._report_unknown_properties()
        if self._is_test:
            self._report_test()
        self.logger.info(self._summary())

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, fill in defaults, and resolve a relative start_date.

        Overrides the SDK's check for messages that name the setting, what was given and what is
        accepted, and never the value of a secret.
        """
        now = datetime.now(timezone.utc)
        validation.tidy(self._config)
        self.append_builtin_config(self.config_jsonschema)
        errors = list(validation.problems(self._config, self.config_jsonschema, now))
        # Also where the others do not matter: streams that are declared wrongly are none.
        if any(raise_errors or "custom_streams" in error for error in errors):
            message = "The settings are not usable"
            raise ConfigValidationError(message, errors=errors, schema=self.config_jsonschema)
        for hint in validation.unknown(self._config, self.config_jsonschema):
            self.logger.warning(hint)
        super()._validate_config(raise_errors=False)
        if not errors:
            validation.resolve(self._config, now)
        return errors

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End within a second, with the exit status of the signal (the SDK's is 0)."""
        self._ending.begin(signum, self.message_writer)

    def _unfinished(self) -> AbstractContextManager[object]:
        """Return what a process that ends must wait for: token requests under way."""
        unfinished = ExitStack()
        for api in self._apis:
            unfinished.enter_context(api.login.requesting)
        return unfinished

    @property
    def _apis(self) -> list[RunContext]:
        """The connections that were made so far."""
        made = vars(self)
        return [made[name] for name in ("api", "partner_api") if name in made]

    def _connect(self, login: Login, client_id: str, *, for_partners: bool) -> RunContext:
        streams = cast("Iterable[ConstantContactStream]", self.streams.values())
        folder = login.store.path.parent if isinstance(login, RefreshTokenAuthenticator) else None
        return RunContext(
            url=self.config["api_url"].rstrip("/"),
            login=login,
            limits=RateLimit(
                requests_per_second=self.config["requests_per_second"],
                max_requests=self.config.get("max_requests"),
                daily_quota=self.config["daily_quota"],
                on_quota_exceeded=self.config["on_quota_exceeded"],
                counter=open_counter(self.config.get("limits_url"), folder, client_id),
            ),
            user_agent=self.user_agent,
            max_parallel_requests=self._max_parallel_requests,
            streams=[
                stream
                for stream in streams
                if stream.for_partners == for_partners
                and not stream.parent_stream_type
                and (stream.selected or stream.has_selected_descendents)
            ],
        )

    @property
    def _is_test(self) -> bool:
        """Whether it is only tried which streams can be read."""
        return any(stream.ABORT_AT_RECORD_COUNT for stream in self.streams.values())

    @property
    def _max_parallel_requests(self) -> int:
        """How many requests may be on their way: one where only some records are wanted."""
        if self._is_test or self.config.get("max_records_per_stream"):
            return 1
        return int(self.config["max_parallel_requests"])

    def _login(self) -> Login:
        if "refresh_token" not in self.config:
            return AccessTokenAuthenticator(self.config["access_token"])
        store = self.config.get("token_store")
        return RefreshTokenAuthenticator(
            auth_url=self.config["auth_url"],
            client_id=self.config["client_id"],
            client_secret=self.config.get("client_secret"),
            refresh_token=self.config["refresh_token"],
            store_path=Path(store).expanduser() if store else None,
            user_agent=self.user_agent,
        )

    def _report_unknown_properties(self) -> None:
        for stream in self.streams.values():
            if names := getattr(stream, "unknown_properties", None):
                self.logger.warning(
                    "%s: properties came that no schema knows: %s. keep_unknown_fields keeps them; "
                    "please report them",
                    stream.name,
                    ", ".join(sorted(names)),
                )

    def _report_test(self) -> None:
        """Say of every stream whether this account may read it."""
        asked = set().union(*(api.responses for api in self._apis))
        for name, stream in self.streams.items():
            answer = "may be read" if name in asked else "was not asked for: it had nothing to ask"
            refused = cast("ConstantContactStream", stream).is_forbidden()
            self.logger.info("%s %s", name, "may not be read" if refused else answer)

    def _summary(self) -> str:
        return (
            f"Run ended after {time.monotonic() - self._started:.1f} s: "
            f"{sum(api.limits.requests for api in self._apis)} requests, "
            f"{sum(api.retries for api in self._apis)} retries\n{table(self._rows())}"
        )

    def _rows(self) -> Iterator[Row]:
        """Yield what was done with each stream that was to be read."""
        records = self.message_writer.records
        answers = sum((api.responses for api in self._apis), Counter[str]())
        for name, stream in self.streams.items():
            if stream.selected or records[name] or answers[name]:
                note = self._not_read(cast("ConstantContactStream", stream))
                yield Row(name, records[name], answers[name], note)

    def _not_read(self, stream: ConstantContactStream) -> str:
        """Return what of a stream was not read, and why; nothing if all was."""
        root = next(each for each in self.streams.values() if stream in _family(each))
        if stream.is_forbidden():
            return f"all: that needs {stream.permissions}"
        if not self._is_test and root.name not in self._ended:
            return "the rest" if root.name in self._begun else "all: the run ended before"
        if left_out := sum(stream.skipped_items.values()):
            return f"{left_out:,} that are gone or may not be read"
        return ""

    def _look(self) -> Snapshot:
        """Return how far the run is; is called from another thread."""
        name = self._begun[-1] if self._begun else ""
        stream = cast("ConstantContactStream | None", self.streams.get(name))
        limits = [api.limits for api in self._apis]
        return Snapshot(
            stream=name,
            records=self.message_writer.records.get(name, 0),
            responses=sum(api.responses.get(name, 0) for api in self._apis),
            pages=stream.announced_pages if stream else 0,
            requests=sum(each.requests for each in limits),
            requests_today=max((each.requests_today for each in limits), default=0),
            daily_quota=self.config["daily_quota"],
        )


def _family(root: Stream) -> tuple[Stream, ...]:
    """Return a stream and what is read with it; nothing for one that is read with another."""
    return () if root.parent_stream_type else (root, *root.descendent_streams)


def check_files(state: Any, catalog: Any) -> None:
    """Check the shape of what an earlier command of the tap has written.

    Raises:
        ConfigurationError: the state or the catalog is not one.
    """
    if isinstance(state, (dict, list)) and not _STATE.is_valid(state):
        message = (
            "The state is not one of this tap: it must be the value of a STATE message, an object "
            "with bookmarks. Give the last one that the tap wrote, or none to begin anew"
        )
        raise ConfigurationError(message)
    if isinstance(catalog, (dict, list)) and not _CATALOG.is_valid(catalog):
        raise ConfigurationError(_FOREIGN_CATALOG)
