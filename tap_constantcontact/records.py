"""Builds the records of a stream from rows of the API."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tap_constantcontact.output.conversion import converter
from tap_constantcontact.output.projection import nulls_of

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record


class RecordBuilder:
    """Converts the rows of a stream to the types of its schema, and reports what does not fit."""

    def __init__(
        self,
        name: str,
        schema: dict[str, Any],
        primary_keys: Sequence[str],
        logger: logging.Logger | logging.LoggerAdapter[Any],
        *,
        keeps_unknown: bool,
    ) -> None:
        """Build records of a stream.

        Args:
            name: Name of the stream.
            schema: Its schema.
            primary_keys: The columns of a row's key.
            logger: Where reports go, each once and without values.
            keeps_unknown: Whether records have the column `_extra`, as the catalog says.
        """
        #: Number of records built.
        self.built = 0
        #: Columns with a value that all records share.
        self.added: Mapping[str, Any] = {}
        #: Number of rows that were skipped because they lack their key.
        self.keyless = 0
        #: Properties that the schema does not declare.
        self.unknown_properties: set[str] = set()
        self._name, self._logger = name, logger
        self._primary_keys = primary_keys
        self._keeps_unknown = keeps_unknown
        self._extra: dict[str, list[Any]] = {}
        self._reported: set[str] = set()
        self._convert = converter(schema, self.note_invalid, self._note_unknown)
        self._nulls = nulls_of(schema)

    def build(self, row: Record) -> Record | None:
        """Return the record of a row, or None if the row lacks its key.

        The row is converted in place. The record has every column, null where the API says nothing,
        so that stream maps can rely on it and targets set a column back to null.
        """
        row.pop("_links", None)
        self._extra = {}
        record: Record = {**self._nulls, **self._convert(row)}
        if self._keeps_unknown:
            record["_extra"] = self._extra or None
        if None in map(record.get, self._primary_keys):  # as `has_key`, without a call
            self.keyless += 1
            keys = ", ".join(self._primary_keys)
            self.report(f"skipped a record with no {keys}; please report this")
            return None
        if self.added:
            record.update(self.added)
        self.built += 1
        return record

    def has_key(self, row: Record) -> bool:
        """Return whether a row has a value in each column of its key."""
        return None not in map(row.get, self._primary_keys)

    def report(self, message: str) -> None:
        """Log a warning about records, each message once. It must not contain a value."""
        if message not in self._reported:
            self._reported.add(message)
            self._logger.warning("%s: %s", self._name, message)

    def note_invalid(self, path: str, _: Any) -> None:
        """Report a value that does not fit its type."""
        self.report(f"{path}: unexpected type replaced by null; please report this")

    def _note_unknown(self, path: str, value: Any) -> None:
        self.unknown_properties.add(path)
        self._extra.setdefault(path, []).append(value)


def limited(
    records: Iterable[Record],
    limit: int,
    built: Callable[[], int],
    state: dict[str, Any],
) -> Iterator[Record]:
    """Yield the first rows of a stream, then restore its state.

    The state must not claim rows that were not read. That of a parent is restored too, because
    its children may have been cut off.

    Args:
        records: The rows of a stream.
        limit: The maximum number of records to build.
        built: Returns the number of records built so far.
        state: The state of the stream.
    """
    before = deepcopy(state)
    try:
        for record in records:
            if built() >= limit:
                break
            yield record
    finally:
        state.clear()
        state.update(before)
