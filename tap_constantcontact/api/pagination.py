"""Pages: following the links to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import ParseResult, urlencode, urljoin, urlsplit

from singer_sdk.exceptions import FatalAPIError
from singer_sdk.pagination import BaseHATEOASPaginator

from tap_constantcontact.api.responses import part_of, request_line

if TYPE_CHECKING:
    import requests


class NextLinkPaginator(BaseHATEOASPaginator):
    """Follows the link to the next page as it is: it carries the filters of the first page."""

    def __init__(self, api_url: str) -> None:
        """Follow links of one host.

        Args:
            api_url: address of the API; a token is sent to no other host.
        """
        super().__init__()
        self._origin = _origin(api_url)
        self._followed: set[str] = set()

    def get_next_url(self, response: requests.Response) -> str | None:
        """Return the address of the next page, if there is one.

        Raises:
            FatalAPIError: the link leads to another host.
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
                f"{request_line(response)}: the next page is said to be on another host than the "
                "API's; it is not followed and no token is sent there. Check the setting api_url; "
                "if it is right, report this"
            )
            raise FatalAPIError(message)
        return url

    def get_next(self, response: requests.Response) -> ParseResult | None:
        """Return the address of the next page for the request to come.

        Raises:
            FatalAPIError: the pages go round in a circle.
        """
        url = super().get_next(response)
        if url is not None:
            if url.geturl() in self._followed:
                message = (
                    f"{request_line(response)}: the links to the next page go in a circle. Run "
                    "again; if it says so again, report this"
                )
                raise FatalAPIError(message)
            self._followed.add(url.geturl())
        return url

    def continue_if_empty(self, response: requests.Response) -> bool:
        """Go on after a page without records where it names a next one: filters can empty it."""
        return self.get_next_url(response) is not None


def _next_link(response: requests.Response) -> str | None:
    """Return the link to the next page, in any of the API's forms.

    `_links.next.href` is missing, null or in an empty `_links` on the last page (seen); the
    contract has `_links.next.next.href` for tags, and `next_cursor` with the query parameter
    `next` for events.
    """
    link = _part(part_of(response, "_links"), "next")
    href = _part(link, "href") or _part(_part(link, "next"), "href")
    cursor = part_of(response, "next_cursor")
    if href or not cursor:
        return str(href) if href else None
    return urlsplit(response.url)._replace(query=urlencode({"next": cursor})).geturl()


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address, the port of the scheme where it names none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port
