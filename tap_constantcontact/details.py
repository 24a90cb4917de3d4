"""Further requests for the rows of a stream: details, and items that can be gone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_constantcontact.api.responses import body_of
from tap_constantcontact.exceptions import Forbidden, NotFound, Refused

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.client import ConstantContactStream


class DetailReader:
    """Makes single requests of a stream, and skips what is gone or forbidden."""

    def __init__(self, stream: ConstantContactStream) -> None:
        """Read the details of a stream."""
        self._stream = stream
        #: Items that were skipped, by the kind of refusal.
        self.skipped: Counter[type[Refused]] = Counter()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the body of one more response.

        Args:
            path: path below the API's address.
            params: query parameters.

        Raises:
            Refused: the API refuses; `NotFound` where there is nothing at the path.
        """
        stream = self._stream
        request = stream.build_prepared_request(
            method="GET", url=stream.url_base + path, params=params, headers=stream.http_headers
        )
        return body_of(stream.request_decorator(self._send)(request, None))

    def _send(self, request: requests.PreparedRequest, _: Context | None) -> requests.Response:
        """Send a request once; the SDK's decorator retries it as it does those for pages."""
        stream = self._stream
        response = stream.requests_session.send(
            stream.authenticator(request),
            timeout=stream.timeout,
            allow_redirects=stream.allow_redirects,
        )
        stream.validate_response(response)
        return response

    def get_or_none(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the body of one more response, or None where there is nothing at the path.

        Details of what a list names can be gone or forbidden (observed: removed campaigns and some
        activities answer 404).

        Raises:
            Forbidden: the account may not read such details at all.
        """
        try:
            return self.get(path, params)
        except (NotFound, Forbidden) as refusal:
            self.skip(refusal)
            return None

    def detail_of(self, row: Record) -> Record:
        """Return the detail of a row, which takes a request; an empty one if it is gone."""
        stream = self._stream
        if not stream.records.has_key(row):
            return {}
        return self.get_or_none(stream.detail_path.format(**row), stream.detail_params) or {}

    def with_detail(self, row: Record) -> Record:
        """Return a row with what its detail adds."""
        detail = {name: value for name, value in self.detail_of(row).items() if value is not None}
        return {**row, **detail, **{key: row.get(key) for key in self._stream.primary_keys}}

    def skip(self, refusal: Refused) -> None:
        """Skip an item that is gone, or that is forbidden though others are not.

        Raises:
            Forbidden: nothing of the kind has been readable so far.
        """
        is_forbidden = isinstance(refusal, Forbidden)
        if is_forbidden and self._stream.may_be_forbidden:
            raise refusal
        self.note_skipped(refusal, logging.WARNING if is_forbidden else logging.INFO)

    def note_skipped(self, refusal: Refused, level: int = logging.INFO) -> None:
        """Count an item that is skipped; only the first of a kind is logged.

        Args:
            refusal: why it is skipped.
            level: the level of the log.
        """
        kind = type(refusal)
        level = logging.DEBUG if self.skipped[kind] else level
        self.skipped[kind] += 1
        name, logger = self._stream.name, self._stream.logger
        logger.log(level, "%s: skipping one item: %s", name, refusal)
