"""Says what a run does not do that its catalog requests, or seems to request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.input_files import FOREIGN_CATALOG
from tap_constantcontact.output.projection import lacking
from tap_constantcontact.settings.choices import with_near_miss

if TYPE_CHECKING:
    from tap_constantcontact.client import ConstantContactStream

_MAX_PROPERTIES = 5  # of a stream, named in a warning


class CatalogCheck:
    """Compares a catalog with the streams of the tap, to which it has been applied."""

    def __init__(
        self, catalog: Mapping[str, Any], streams: Mapping[str, ConstantContactStream]
    ) -> None:
        """Compare a catalog.

        Args:
            catalog: The catalog, as it was given.
            streams: All streams.
        """
        self._entries = {entry["tap_stream_id"]: entry for entry in catalog["streams"]}
        self._streams = streams
        self._selected = [stream for stream in streams.values() if stream.selected]

    def require_selection(self) -> None:
        """Fail if there is nothing to read.

        Raises:
            ConfigurationError: All streams of the catalog are unknown, or none is selected.
        """
        if self._entries and not self._entries.keys() & self._streams.keys():
            message = f"{FOREIGN_CATALOG}. It has {self._unknown}"
            raise ConfigurationError(message)
        if not self._selected:
            message = (
                "The catalog selects no stream, so there is nothing to read. Check the select rules"
                " for typing errors (meltano select tap-constantcontact --list --all), or set"
                f" selected to true in the metadata with the breadcrumb []{self._hints}"
            )
            raise ConfigurationError(message)

    def warnings(self) -> Iterator[str]:
        """Yield a warning about each kind of thing that is ignored."""
        if self._unknown:
            yield (
                f"The catalog contains unknown streams: {self._unknown}. Re-run discovery, or "
                "declare them in custom_streams"
            )
        if self._misplaced:
            yield (
                f"These streams are not selected: {self._misplaced}. The catalog has selected "
                "outside the metadata, where it has no effect. Set it in the metadata with the "
                "breadcrumb []"
            )
        if lacks := self._lacks:
            yield (
                f"The catalog lacks properties that the tap has: {lacks}. They are not written. To "
                "get them, refresh the catalog (meltano run --refresh-catalog, or --discover)"
            )
        if keys := self._requested_in_vain("primary_key"):
            yield (
                f"The catalog has another primary key for some streams: {keys}. It is ignored. To "
                "change the key of a table, use __key_properties__ in stream_maps"
            )
        if keys := self._requested_in_vain("replication_key"):
            yield (
                f"The catalog has a replication key that some streams don't have: {keys}. It is "
                "ignored: a stream is read by its own, or in full if it has none"
            )
        if methods := self._requested_in_vain("replication_method"):
            yield (
                f"The catalog has a replication method that some streams don't have: {methods}. It "
                "is ignored (must be FULL_TABLE, or INCREMENTAL for a stream with a replication "
                "key)"
            )

    @property
    def _unknown(self) -> str:
        """The unknown streams, with near misses."""
        names = sorted(self._entries.keys() - self._streams.keys())
        return ", ".join(with_near_miss(name, self._streams) for name in names)

    @property
    def _misplaced(self) -> str:
        """The streams that are only selected where it was done before there was metadata."""
        return ", ".join(
            name
            for name, stream in self._streams.items()
            if (entry := self._entries.get(name))
            and not stream.selected
            and (entry.get("selected") is True or entry["schema"].get("selected") is True)
        )

    @property
    def _hints(self) -> str:
        """What the catalog may mean instead of selecting nothing."""
        hints = ""
        if self._misplaced:
            hints += f". It has selected elsewhere, where it has no effect: {self._misplaced}"
        if self._unknown:
            hints += f". It has unknown streams: {self._unknown}"
        return hints

    @property
    def _lacks(self) -> str:
        """The selected streams whose schema in the catalog lacks properties, with their names."""
        found = []
        for stream in self._selected:
            if stream.name not in self._entries:
                continue  # --select names it
            keys = (*stream.primary_keys, stream.replication_key)
            schema = self._entries[stream.name]["schema"]
            names = sorted(name for name in lacking(stream.schema, schema) if name not in keys)
            if more := len(names) - _MAX_PROPERTIES:
                names[_MAX_PROPERTIES:] = [f"{more} more"] if more > 0 else []
            if names:
                found.append(f"{stream.name} ({', '.join(names)})")
        return ", ".join(found)

    def _requested_in_vain(self, what: str) -> str:
        """Return what the catalog requests in vain, each with the streams that don't have it."""
        streams = defaultdict(list)
        for stream in self._selected:
            streams[getattr(stream.ignored, what)].append(stream.name)
        streams.pop("", None)
        return "; ".join(f"{each} ({', '.join(names)})" for each, names in streams.items())
