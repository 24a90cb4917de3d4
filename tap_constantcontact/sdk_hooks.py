"""How streams and the tap answer the SDK: every private hook that is overridden, and why.

A hook is private if its name says so or if the SDK's docstring calls it internal. When one of them
changes its name or its signature in a new version of the SDK, `tests/test_sdk_hooks.py` fails and
names it. What would replace a hook stands beside it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import ParseResult

import backoff
from singer_sdk import RESTStream, Tap
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from tap_constantcontact.api.run_context import TIMEOUT_SECONDS, RunContext

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.api.session import PrefetchingSession
    from tap_constantcontact.auth import Login
    from tap_constantcontact.tap import TapConstantContact

_MAX_BACKOFF_SECONDS = 60


class StreamHooks(RESTStream[ParseResult]):
    """The private hooks of a stream.

    Attributes:
        manages_state: whether the stream moves its bookmark itself, instead of the SDK.
        tap: the tap that the stream belongs to.
    """

    manages_state: ClassVar[bool] = False
    tap: TapConstantContact

    allow_redirects = False
    payload_as_json = False
    timeout = TIMEOUT_SECONDS
    # After each record; the tap's state writer sees to it that it is not too often.
    STATE_MSG_FREQUENCY = 1
    # `post_process` does it, for free objects too, which the SDK's does not take.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    # Private hooks.

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Yield the messages of a record.

        Where all properties are selected nothing has to be removed. The SDK's walk through every
        property of every record, which costs as much as converting them, is skipped. A shortcut in
        the SDK for streams that are selected as a whole would replace this.
        """
        if not self._is_whole:
            yield from super()._generate_record_messages(record)
            return
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                now = datetime.now(timezone.utc)
                yield RecordMessage(stream_map.stream_alias, mapped, time_extracted=now)

    @cached_property
    def _is_whole(self) -> bool:
        """Whether all properties are selected."""
        return all(self.mask.values())

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, None]:
        """Read and write the records; however that ends, none is left waiting in the writer.

        The SDK has no public hook around the loop over the records of a stream.
        """
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        finally:
            self.tap.message_writer.flush()

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Move the bookmark to a record.

        The SDK warns of each record without a time, and it has no public hook for streams that
        know better how far they are.
        """
        if self.manages_state:
            return
        if not self.replication_key or latest_record[self.replication_key] is not None:
            super()._increment_stream_state(latest_record, context=context)

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End a stream. The SDK calls this last, and has no public hook for the end of a stream."""
        super().finalize_state_progress_markers(state)
        self.end()

    def end(self) -> None:
        """Called when the stream has been read and its bookmark is final."""

    # Public hooks that every stream answers in the same way.

    @override
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        """Return the bookmark: a start_date that moves with the clock must not overtake it."""
        return value

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """Return none: states that are written early would claim rows of unfinished batches."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never: a stream that is skipped or ends early would lose its rows in the target."""
        return False

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        """Return the contexts of child streams, without a copy of the record if there are none."""
        return super().generate_child_contexts(record, context) if self.child_streams else ()

    @property
    def api(self) -> RunContext:
        """What all streams of the run share."""
        raise NotImplementedError

    @property
    @override
    def url_base(self) -> str:
        """The API's address."""
        return self.api.url

    @property
    @override
    def authenticator(self) -> Login:
        """The login that all streams share."""
        return self.api.login

    @property
    @override
    def requests_session(self) -> PrefetchingSession:
        """The session that all streams share."""
        return self.api.session

    @property
    @override
    def user_agent(self) -> str:
        """Name of the tap for the API's logs."""
        return self.api.user_agent

    @override
    def backoff_wait_generator(self) -> Any:
        """Return the seconds between attempts: 1, 2, 4, … and some jitter."""
        return backoff.expo(max_value=_MAX_BACKOFF_SECONDS)

    @override
    def backoff_max_tries(self) -> int:
        """Return the maximum number of attempts."""
        return self.api.max_attempts

    @override
    def backoff_handler(self, details: Any) -> None:
        """Count a retry, which the SDK has logged, and let no record wait for it."""
        self.api.retries += 1
        self.tap.message_writer.flush()


class TapHooks(Tap):
    """The private hooks of the tap."""

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, then let the SDK fill in defaults.

        The SDK's messages would print the values of secrets. Its constructor checks the settings
        itself, and there is no public way to check them in another way.
        """
        self.append_builtin_config(self.config_jsonschema)
        errors = self.check_settings(self._config, raise_errors=raise_errors)
        super()._validate_config(raise_errors=False)
        if not errors:
            self.resolve_settings(self._config)
        return errors

    def check_settings(self, config: dict[str, Any], *, raise_errors: bool) -> list[str]:
        """Return what is wrong with the settings.

        Args:
            config: the settings, which may be tidied.
            raise_errors: whether to raise instead.
        """
        raise NotImplementedError

    def resolve_settings(self, config: dict[str, Any]) -> None:
        """Bring good settings into the form that the tap works with."""
        raise NotImplementedError

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End with the exit status of the signal.

        The SDK ends with status 0, and as late as the line that is being written.
        """
        self.shut_down(signum)

    def shut_down(self, signum: int) -> None:
        """End the run because of a signal."""
        raise NotImplementedError

    @classmethod
    def environment(cls) -> dict[str, Any]:
        """Return the settings of the environment and of `.env`, as `--config=ENV` reads them.

        The SDK reads them only into its own command line.
        """
        return dict(cls._env_var_config)

    def reset_progress_markers(self) -> None:
        """Forget what earlier runs noted of streams that they did not finish.

        The SDK does so in `sync_all`, which front doors with a loop of their own do not call.
        """
        self._reset_state_progress_markers()
