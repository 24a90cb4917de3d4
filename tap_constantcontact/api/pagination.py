"""Pagination: following the links to the next page."""

from __future__ import annotations

from typing import Any
from urllib.parse import ParseResult, urlencode, urljoin, urlsplit

from requests import Response
from singer_sdk.exceptions import FatalAPIError
from singer_sdk.pagination import BaseHATEOASPaginator
from typing_extensions import override

from tap_constantcontact.api.responses import part_of, request_line


class NextLinkPaginator(BaseHATEOASPaginator):
    """Follows the link to the next page as it is: it has the filters of the first page."""

    def __init__(self, api_url: str) -> None:
        """Follow links to one host.

        Args:
            api_url: Base URL of the API; no token is sent to any other host.
        """
        super().__init__()
        self._origin = _origin(api_url)
        self._followed: set[str] = set()

    @override
    def get_next_url(self, response: Response) -> str | None:
        """Return the URL of the next page, or None on the last page.

        Raises:
            FatalAPIError: The link leads to another host.
        """
        link = _next_link(response)
        if link is None:
            return None
        try:
            url = urljoin(response.url, link)
        except ValueError:
            url = ""
        if _origin(url) != self._origin:
            message = (
                f"{request_line(response)}: the link to the next page leads to another host. It "
                "was not followed, and no token was sent there. Check the setting api_url; if it "
                "is right, report this"
            )
            raise FatalAPIError(message)
        return url

    @override
    def get_next(self, response: Response) -> ParseResult | None:
        """Return the parsed URL of the next page, or None on the last page.

        Raises:
            FatalAPIError: A page links to one that was already read.
        """
        url = super().get_next(response)
        if url is not None:
            if url.geturl() in self._followed:
                message = (
                    f"{request_line(response)}: the links to the next page form a loop. Run the "
                    "tap again; if this happens again, report it"
                )
                raise FatalAPIError(message)
            self._followed.add(url.geturl())
        return url

    @override
    def continue_if_empty(self, response: Response) -> bool:
        """Treat a page without records like any other: only a missing link ends the pagination.

        Filters can leave a page empty.
        """
        return True


def _next_link(response: Response) -> str | None:
    """Return the link to the next page, in any of the API's forms.

    On the last page, `_links.next.href` is missing, null or in an empty `_links` (observed). The
    contract has `_links.next.next.href` for tags, and `next_cursor` with the query parameter `next`
    for events. Assumes: event_links_are_either.
    """
    link = _property(part_of(response, "_links"), "next")
    href = _property(link, "href") or _property(_property(link, "next"), "href")
    cursor = part_of(response, "next_cursor")
    if href or not cursor:
        return str(href) if href else None
    return urlsplit(response.url)._replace(query=urlencode({"next": cursor})).geturl()


def _property(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return the scheme, host and port of a URL; the port defaults to that of the scheme."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port
