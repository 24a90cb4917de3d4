"""Checks whether the state and the catalog that a run is given are files of this tap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from singer_sdk import Stream
from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.incremental.change_log_codec import check_version
from tap_constantcontact.settings.custom_streams import ACCOUNT_ID
from tap_constantcontact.streams.campaign_stats import EmailCampaignStats

#: The schema of a stream's state; every replication key of the tap is a timestamp.
BOOKMARK: dict[str, Any] = {
    "type": "object",
    "properties": {"replication_key_value": {"pattern": "^(19|20)[0-9]{2}-", "type": "string"}},
}
_STATE = Draft202012Validator(
    {
        "type": "object",
        "properties": {"bookmarks": {"additionalProperties": BOOKMARK, "type": "object"}},
        # The first run may get an empty state. A whole STATE message is not a state.
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
FOREIGN_CATALOG = (
    "Invalid catalog: not one of this tap (must be an object with a list of its streams). Write a "
    "new one with --discover"
)


def check_files(state: Any, catalog: Any) -> None:
    """Check the shape of files that an earlier command of the tap has written.

    Raises:
        ConfigurationError: The state or the catalog is invalid, or the state is too new.
    """
    if isinstance(state, (dict, list)) and not _STATE.is_valid(state):
        message = (
            "Invalid state: not one of this tap (must be the value of a STATE message, an object "
            "with bookmarks). Pass the last state that the tap wrote, or omit it to start over"
        )
        raise ConfigurationError(message)
    if isinstance(state, dict):
        check_version(state.get("bookmarks", {}).get(EmailCampaignStats.name, {}))
    if isinstance(catalog, (dict, list)) and not _CATALOG.is_valid(catalog):
        raise ConfigurationError(FOREIGN_CATALOG)


def check_account_column(catalog: Mapping[str, Any], streams: Iterable[Stream]) -> None:
    """Check that a catalog was made with the same setting add_account_id.

    Args:
        catalog: The entries of the catalog, by the names of their streams.
        streams: The streams of the tap.

    Raises:
        ConfigurationError: It wasn't, so that its keys are not those of the records.
    """
    for stream in streams:
        if stream.selected and stream.name in catalog:
            columns = catalog[stream.name].schema.properties or ()
            if (ACCOUNT_ID in columns) != (ACCOUNT_ID in stream.schema["properties"]):
                message = (
                    f"The catalog was made with another add_account_id: {stream.name} has other "
                    "columns. Re-run discovery"
                )
                raise ConfigurationError(message)
