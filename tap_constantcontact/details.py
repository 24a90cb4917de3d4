"""Single requests of a stream: the details of its rows, and items that may be gone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_constantcontact.api.responses import body_of
from tap_constantcontact.exceptions import Forbidden, NotFound, Refused
from tap_constantcontact.output.log_filters import SKIPPED_ITEM

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.client import ConstantContactStream


class DetailReader:
    """Makes single requests of a stream, and skips what is gone or forbidden."""

    def __init__(self, stream: ConstantContactStream) -> None:
        """Read the details of a stream."""
        self._stream = stream
        #: Number of skipped items, by the class of the error.
        self.skipped: Counter[type[Refused]] = Counter()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Make a request and return the body of the response.

        Args:
            path: Path below the base URL of the API.
            params: Query parameters.

        Raises:
            Refused: The API rejects the request; `NotFound` if nothing exists at the path.
        """
        stream = self._stream
        request = stream.build_prepared_request(
            method="GET", url=stream.url_base + path, params=params, headers=stream.http_headers
        )
        return body_of(stream.request_decorator(self._send)(request, None))

    def _send(self, request: requests.PreparedRequest, _: Context | None) -> requests.Response:
        """Send a request once. The SDK's decorator retries it like a request for a page."""
        stream = self._stream
        response = stream.requests_session.send(
            stream.authenticator(request),
            timeout=stream.timeout,
            allow_redirects=stream.allow_redirects,
        )
        stream.validate_response(response)
        return response

    def get_or_none(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Make a request and return the body of the response, or None if the item is skipped.

        The detail of a listed item can be gone or forbidden (observed: 404 for removed campaigns
        and some activities).

        Raises:
            Forbidden: The account has no permission to read any such detail.
        """
        try:
            return self.get(path, params)
        except (NotFound, Forbidden) as refusal:
            self.skip(refusal)
            return None

    def detail_of(self, row: Record) -> Record:
        """Request the detail of a row. Return an empty one if it is gone."""
        stream = self._stream
        if not stream.records.has_key(row):
            return {}
        return self.get_or_none(stream.detail_path.format(**row), stream.detail_params) or {}

    def with_detail(self, row: Record) -> Record:
        """Return a row with the values that its detail adds."""
        detail = {name: value for name, value in self.detail_of(row).items() if value is not None}
        return {**row, **detail, **{key: row.get(key) for key in self._stream.row_key}}

    def skip(self, refusal: Refused) -> None:
        """Skip an item that is gone, or that is forbidden although others are readable.

        Raises:
            Forbidden: No such item has been readable so far.
        """
        is_forbidden = isinstance(refusal, Forbidden)
        if is_forbidden and self._stream.may_be_forbidden:
            raise refusal
        self.note_skipped(refusal, logging.WARNING if is_forbidden else logging.INFO)

    def note_skipped(self, refusal: Refused, level: int = logging.INFO) -> None:
        """Count a skipped item, and log the first of each kind.

        Args:
            refusal: The error for which it is skipped.
            level: The log level.
        """
        kind = type(refusal)
        level = logging.DEBUG if self.skipped[kind] else level
        self.skipped[kind] += 1
        name, logger = self._stream.name, self._stream.logger
        logger.log(level, SKIPPED_ITEM, name, refusal)
