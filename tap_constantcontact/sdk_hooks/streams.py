"""The private hooks of streams, and public ones that all streams implement in the same way."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import datetime, timezone
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import ParseResult

import backoff
from singer_sdk import RESTStream
from singer_sdk.exceptions import ConfigurationError, MappingError
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import CustomStreamMap, StreamMap
from singer_sdk.singerlib import Catalog, RecordMessage
from typing_extensions import override

from tap_constantcontact.api.run_context import TIMEOUT_SECONDS, RunContext
from tap_constantcontact.catalog_entries import Ignored, OwnKeys
from tap_constantcontact.output.conversion import Converter
from tap_constantcontact.output.projection import fitting, projection, without_null_objects
from tap_constantcontact.records import RecordBuilder

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.api.session import PrefetchingSession
    from tap_constantcontact.auth import Login
    from tap_constantcontact.tap import TapConstantContact

_MAX_BACKOFF_SECONDS = 60


class StreamHooks(RESTStream[ParseResult]):
    """The hooks of a stream that its endpoint does not decide.

    Attributes:
        manages_state: Whether the stream advances its bookmark itself, instead of the SDK.
        tap: The tap that the stream belongs to.
        ignored: What the catalog requests, and the stream doesn't have.
    """

    manages_state: ClassVar[bool] = False
    tap: TapConstantContact
    ignored = Ignored()

    allow_redirects = False
    payload_as_json = False
    timeout = TIMEOUT_SECONDS
    # After each record. The tap's state writer throttles them.
    STATE_MSG_FREQUENCY = 1
    # `post_process` converts values, including free-form objects, which the SDK can't.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    # Private hooks.

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Yield the messages of a record, with what their SCHEMA messages declare.

        The SDK walks through every property of every record to remove what metadata deselects,
        which takes as long as converting them. It keeps what the catalog's schema lacks, and it
        writes null objects that were to be flattened. A fix of both would replace this.
        """
        if self._project:
            record = self._project(record)
        for stream_map, fit in self._outputs:
            mapped = stream_map.transform(record)
            if mapped is not None:
                now = datetime.now(timezone.utc)
                mapped = fit(mapped) if fit else mapped
                yield RecordMessage(stream_map.stream_alias, mapped, time_extracted=now)

    @cached_property
    def _project(self) -> Converter | None:
        """Returns the selected part of a record. None if all of it is selected."""
        return projection(self.schema, self.written_schema, self.records.note_invalid)

    @cached_property
    def _outputs(self) -> list[tuple[StreamMap, Converter | None]]:
        """The stream's maps, each with a function that removes what flattening would leave."""
        return [
            (each, (fitting if each.flattening_enabled else without_null_objects)(schema))
            for each in self.stream_maps
            if (schema := each.transformed_schema)
        ]

    @cached_property
    def written_schema(self) -> dict[str, Any]:
        """The schema of the SCHEMA message, before stream maps: what the catalog selects.

        A stream that is read only for its children has all properties.
        """
        if not self.selected:
            return self.effective_schema
        return get_selected_schema(self.name, self.effective_schema, self.mask)

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, None]:
        """Read and write the records, then flush the writer, even after an error.

        A public hook around the SDK's loop over the records of a stream would replace this.
        """
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        finally:
            self.tap.message_writer.flush()

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Advance the bookmark to a record.

        The SDK logs a warning for each record without a time. A public hook for streams that manage
        their own state would replace this.
        """
        if self.manages_state:
            return
        if not self.replication_key or latest_record[self.replication_key] is not None:
            super()._increment_stream_state(latest_record, context=context)

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End a stream. A public hook for the end of a stream would replace this."""
        super().finalize_state_progress_markers(state)
        self.end()

    def end(self) -> None:
        """Called when the stream has been read and its bookmark is final."""

    # Public hooks that are the same for every stream.

    @cached_property
    @override
    def stream_maps(self) -> list[StreamMap]:
        """The stream's maps, made when they are first needed: rules hold for what is selected.

        The SDK makes those of all streams, and fails if a rule needs what is not selected.

        Raises:
            ConfigurationError: A rule can't be applied.
        """
        mapper = self.tap.mapper
        try:
            mapper.register_raw_stream_schema(self.name, self.written_schema, self.primary_keys)
        except (MappingError, ValueError) as error:
            message = f"Can't apply stream_maps or flattening to {self.name}: {error}"
            raise ConfigurationError(message) from error
        for each in mapper.stream_maps[self.name]:
            if isinstance(each, CustomStreamMap):
                each._eval = partial(_evaluate, each._eval, self.name)  # type: ignore[method-assign] # noqa: SLF001
        return mapper.stream_maps[self.name]

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Apply a catalog, except to keys: those are the stream's own."""
        own = OwnKeys(tuple(self.primary_keys), self.replication_key)
        entry = catalog.get_stream(self.name)
        if entry:
            own.add_to(entry, self.schema)
        super().apply_catalog(catalog)
        self.primary_keys, self.replication_key = own.primary, own.replication
        if entry:
            self.forced_replication_method = own.forced_method(entry)
            self.ignored = own.ignored(entry)

    @property
    @abstractmethod
    def records(self) -> RecordBuilder:
        """Builds records from rows."""

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message of the SDK.

        For every exception that leaves a stream, the SDK logs an unhandled error: also for the end
        that `--test` brings about, and before each message for people.
        """
        super().log(message, *args, level=level if level < logging.ERROR else logging.DEBUG)

    @override
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        """Return the bookmark: a relative start_date, which moves with the clock, must not win."""
        return value

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """Return none: states written early would claim rows of unfinished batches."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never: the target would delete the rows of a stream that is skipped or ends early."""
        return False

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        """Return the contexts of child streams. Don't copy the record if there are none."""
        return super().generate_child_contexts(record, context) if self.child_streams else ()

    @property
    @abstractmethod
    def api(self) -> RunContext:
        """The run context that all streams share."""

    @property
    @override
    def url_base(self) -> str:
        """The base URL of the API."""
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
        """The User-Agent header of all requests."""
        return self.api.user_agent

    @override
    def backoff_wait_generator(self) -> Any:
        """Return the seconds between attempts: 1, 2, 4, … plus jitter."""
        return backoff.expo(max_value=_MAX_BACKOFF_SECONDS)

    @override
    def backoff_max_tries(self) -> int:
        """Return the maximum number of attempts."""
        return self.api.max_attempts

    @override
    def backoff_handler(self, details: Any) -> None:
        """Count a retry, which the SDK has logged, and flush records before the wait."""
        self.api.retries += 1
        self.tap.message_writer.flush()


def _evaluate(evaluate: Callable[..., Any], stream: str, expr: str, **arguments: Any) -> Any:
    """Return the value of an expression of a stream map.

    The SDK's errors do not say which expression of which stream has failed, and may show values. A
    public hook around the evaluation would replace this.

    Raises:
        ConfigurationError: It can't be evaluated for a record.
    """
    try:
        return evaluate(expr, **arguments)
    except Exception as error:
        cause = error.__cause__ or error
        unknown = getattr(cause, "name", None) if isinstance(error, MappingError) else None
        reason = f"there is no {unknown}" if unknown else type(cause).__name__
        message = (
            f"stream_maps for {stream}: can't evaluate {expr!r} ({reason}). It can use the "
            "selected top-level properties, and must allow for null: … if first_name else None"
        )
        raise ConfigurationError(message) from error
