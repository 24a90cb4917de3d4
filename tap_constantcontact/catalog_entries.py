"""What a catalog decides about a stream, and what remains the stream's own.

A catalog decides what is selected, and whether a stream is read in full. Keys, and the replication
key by which the tap can read incrementally, are those of the endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from singer_sdk.singerlib import CatalogEntry, Metadata, Schema
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from tap_constantcontact.settings.custom_streams import ACCOUNT_ID

_METHOD, _FORCED_METHOD = "replication-method", "forced-replication-method"


@dataclass(frozen=True)
class Ignored:
    """What a catalog requests, and the stream doesn't have. Empty if nothing.

    Attributes:
        primary_key: Another primary key.
        replication_key: Another replication key.
        replication_method: Another replication method.
    """

    primary_key: str = ""
    replication_key: str = ""
    replication_method: str = ""


@dataclass(frozen=True)
class OwnKeys:
    """The keys of a stream, which no catalog can change.

    Attributes:
        primary: The columns of the primary key.
        replication: The replication key, if the stream can be read incrementally.
    """

    primary: tuple[str, ...]
    replication: str | None

    def add_to(self, entry: CatalogEntry, schema: Mapping[str, Any]) -> None:
        """Put the columns of the keys into an entry, where it lacks or deselects them.

        Args:
            entry: The entry, which is changed.
            schema: The schema of the stream.
        """
        columns = entry.schema.properties
        for name in filter(None, (*self.primary, self.replication)):
            if columns is not None and name not in columns:
                columns[name] = Schema.from_dict(schema["properties"][name])
            if entry.metadata:  # otherwise everything is selected
                entry.metadata["properties", name].inclusion = Metadata.InclusionType.AUTOMATIC

    def forced_method(self, entry: CatalogEntry) -> str | None:
        """Return the method if an entry requests another than the stream's default, else None."""
        return REPLICATION_FULL_TABLE if _method_of(entry) == REPLICATION_FULL_TABLE else None

    def ignored(self, entry: CatalogEntry) -> Ignored:
        """Return what an entry requests in vain."""
        root = entry.metadata.get(())
        keys = (entry.key_properties, getattr(root, "table_key_properties", None))
        own = [{*self.primary}, {*self.primary} - {ACCOUNT_ID}]  # from before add_account_id
        replication_keys = (entry.replication_key, getattr(root, "replication_key", None))
        methods = {REPLICATION_FULL_TABLE} | (
            {REPLICATION_INCREMENTAL} if self.replication else set()
        )
        method = _method_of(entry)
        return Ignored(
            next((", ".join(key) for key in keys if key and {*key} not in own), ""),
            next((key for key in replication_keys if key and key != self.replication), ""),
            method if method and method not in methods else "",
        )


def prepared(catalog: Any) -> Any:
    """Return a catalog of valid shape in the form that the SDK understands.

    Meltano's docs call the method `replication-method`, which the SDK does not read. Metadata of
    some properties only would make it select the stream, but none of its properties.

    Args:
        catalog: What a catalog file contains; anything else is returned as it is.
    """
    if not isinstance(catalog, dict):
        return catalog
    return {**catalog, "streams": [_prepared(entry) for entry in catalog["streams"]]}


def _prepared(entry: dict[str, Any]) -> dict[str, Any]:
    metadata = [
        {**each, "metadata": dict(each["metadata"])} for each in entry.get("metadata") or ()
    ]
    roots = [each["metadata"] for each in metadata if not each["breadcrumb"]]
    if metadata and not roots:
        metadata.append({"breadcrumb": [], "metadata": {"selected": True}})
    for root in roots:
        if _METHOD in root:
            root[_FORCED_METHOD] = root[_METHOD]
    return {**entry, "metadata": metadata}


def _method_of(entry: CatalogEntry) -> str | None:
    """Return the method that an entry requests.

    Discovery writes the default into the entry. What people add is in the metadata, or changes it.
    """
    return getattr(entry.metadata.get(()), "forced_replication_method", None) or (
        entry.replication_method
    )
