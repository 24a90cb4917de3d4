"""Predicts the requests of a stream so that they can be prefetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from singer_sdk.streams.rest import PageContext

from tap_constantcontact.api.page_links import LinkedPages
from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import count_of, rows_of

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.client import ConstantContactStream


class RequestPredictor:
    """Predicts requests of a stream exactly as the SDK will prepare them."""

    def __init__(self, stream: ConstantContactStream) -> None:
        """Predict the requests of a stream."""
        self._stream = stream
        self._linked_pages = LinkedPages(self._next_url, self._prepared)

    def pages(self, context: Context | None, *, all_pages: bool = True) -> PredictedRequest:
        """Predict the first page of a context. Further pages follow from their links.

        Args:
            context: Fills the placeholders of the path; its `params` are sent.
            all_pages: Whether the following pages will be requested too.
        """
        first = PageContext(stream_context=context, next_page_token=None)
        request = self._stream.get_http_request(page=first)
        prepared = self._prepared(request.url, request.encode_params())
        return (
            PredictedRequest(prepared, self.following) if all_pages else PredictedRequest(prepared)
        )

    def path(self, path: str, params: Mapping[str, Any] | None = None) -> PredictedRequest:
        """Predict a request that `DetailReader.get` makes."""
        return PredictedRequest(self._prepared(self._stream.url_base + path, params))

    def detail(self, row: Record) -> PredictedRequest:
        """Predict the request for the detail of a row."""
        return self.path(self._stream.detail_path.format(**row), self._stream.detail_params)

    def details(self, page: requests.Response) -> Iterator[PredictedRequest]:
        """Predict the requests for the details of a page's rows."""
        return map(self.detail, filter(self._stream.records.has_key, self.rows_of(page)))

    def following(self, page: requests.Response) -> Iterator[PredictedRequest]:
        """Predict the requests that follow a page: the next pages, and details of its rows."""
        url = self._next_url(page)
        if url and (pages := self.pages_after(page)):
            yield from self._linked_pages.after_first(url, pages)
        elif url:
            yield PredictedRequest(self._prepared(url), self.following)
        if self._stream.detail_path:
            yield from self._stream.predict_details(page, is_last=url is None)

    def rows_of(self, page: requests.Response) -> Iterator[Record]:
        """Return the rows of a page as the API returned them."""
        return rows_of(page, self._stream.records_key)

    def pages_after(self, page: requests.Response) -> int:
        """Return how many pages follow the first one of a list; 0 if it doesn't say."""
        if "include_count" not in self._stream.params:
            return 0
        rows = count_of(page, f"{self._stream.records_key}_count")
        return max(0, ceil(rows / int(self._stream.params["limit"])) - 1)

    def _next_url(self, page: requests.Response) -> str | None:
        return self._stream.get_new_paginator().get_next_url(page)

    def _prepared(
        self, url: str, params: str | Mapping[str, Any] | None = None
    ) -> requests.PreparedRequest:
        return self._stream.build_prepared_request(
            method="GET", url=url, params=params, headers=self._stream.http_headers
        )
