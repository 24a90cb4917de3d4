"""What an account may read, found out by a request for each scope and privilege."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from tap_constantcontact.exceptions import Forbidden, Refused
from tap_constantcontact.streams.campaign_stats import CounterStream
from tap_constantcontact.streams.xrefs import Xrefs

if TYPE_CHECKING:
    from tap_constantcontact.airbyte.source import Source
    from tap_constantcontact.client import ConstantContactStream

# Once more after a second: a check is to be quick.
_TRIES = 2


def check(source: Source) -> str:
    """Ask the API what may be read.

    Args:
        source: the source, whose settings are good.

    Returns:
        Which streams cannot be read, and what for; nothing, if all can.

    Raises:
        Forbidden: no stream can be read that is selected by default.
    """
    streams = list(cast("Iterable[ConstantContactStream]", source.streams.values()))
    probes = _probes(streams)
    source.api.max_attempts = _TRIES
    refusals = {needs: refusal for needs, stream in probes.items() if (refusal := _ask(stream))}
    usual = {stream.permissions for stream in streams if stream.selected_by_default} & probes.keys()
    if usual <= refusals.keys():
        raise next(iter(refusals.values()))
    refused = "; ".join(
        f"{', '.join(names)} cannot be read: that needs {needs}"
        for needs in refusals
        if (names := [stream.name for stream in streams if stream.permissions == needs])
    )
    remedy = "Sign in with what they need, or leave these streams out of the connection"
    return f"{refused}. {remedy}" if refused else ""


def _probes(streams: Iterable[ConstantContactStream]) -> dict[str, ConstantContactStream]:
    """Return a stream for each need, that can be asked for by one request.

    What needs an id first, such as a report on a contact, is not asked for.
    """
    probes: dict[str, ConstantContactStream] = {}
    for stream in streams:
        needs_id = "{" in stream.path or isinstance(stream, (CounterStream, Xrefs))
        without_key = stream.for_partners and "partner_api_key" not in stream.config
        if not needs_id and not without_key:
            probes.setdefault(stream.permissions, stream)
    return probes


def _ask(stream: ConstantContactStream) -> Forbidden | None:
    """Ask for the first record of a stream, and return a refusal for lack of a right."""
    params = stream.get_url_params(None, None)
    if "limit" in params:
        params["limit"] = 1
    try:
        stream.details.get(stream.path, params)
    except Forbidden as refusal:
        return refusal
    except Refused as refusal:
        stream.logger.warning("%s may not be read: %s", stream.name, refusal)
    return None
