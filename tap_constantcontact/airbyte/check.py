"""What an account is allowed to read, found out by one request per combination of permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from tap_constantcontact.exceptions import Forbidden, Refused
from tap_constantcontact.streams.account import Account
from tap_constantcontact.streams.campaign_stats import CounterStream
from tap_constantcontact.streams.xrefs import Xrefs

if TYPE_CHECKING:
    from tap_constantcontact.airbyte.source import Source
    from tap_constantcontact.client import ConstantContactStream

# One retry after a second, so that a check stays quick.
_MAX_ATTEMPTS = 2


def check(source: Source) -> str:
    """Request a record for each combination of permissions.

    Args:
        source: The source; its settings are valid.

    Returns:
        Which streams can't be read and what they require; empty if all can be read.

    Raises:
        LoginError: The sign-in doesn't allow the setting add_account_id.
        Forbidden: None of the streams that are selected by default can be read.
    """
    if source.config["add_account_id"]:
        source.stream(Account).account_id()
    streams = list(cast("Iterable[ConstantContactStream]", source.streams.values()))
    probes = _probes(streams)
    source.api.max_attempts = _MAX_ATTEMPTS
    errors = {required: error for required, stream in probes.items() if (error := _probe(stream))}
    defaults = {stream.permissions for stream in streams if stream.selected_by_default}
    if defaults & probes.keys() <= errors.keys():
        raise next(iter(errors.values()))
    unreadable = "; ".join(
        f"{', '.join(names)} can't be read: requires {required}"
        for required in errors
        if (names := [stream.name for stream in streams if stream.permissions == required])
    )
    remedy = "Sign in with these permissions, or remove the streams from the connection"
    return f"{unreadable}. {remedy}" if unreadable else ""


def _probes(streams: Iterable[ConstantContactStream]) -> dict[str, ConstantContactStream]:
    """Return a stream for each combination of permissions that one request can test.

    Streams that require an ID first, such as a report on a contact, are not among them.
    """
    probes: dict[str, ConstantContactStream] = {}
    for stream in streams:
        requires_id = "{" in stream.path or isinstance(stream, (CounterStream, Xrefs))
        lacks_key = stream.for_partners and "partner_api_key" not in stream.config
        if not requires_id and not lacks_key:
            probes.setdefault(stream.permissions, stream)
    return probes


def _probe(stream: ConstantContactStream) -> Forbidden | None:
    """Request the first record of a stream, and return the error if a permission is missing."""
    params = stream.get_url_params(None, None)
    if "limit" in params:
        params["limit"] = 1
    try:
        stream.details.get(stream.path, params)
    except Forbidden as error:
        return error
    except Refused as error:
        stream.logger.warning("%s can't be read: %s", stream.name, error)
    return None
