"""Links to the pages of a list, predicted from the link to the second page.

A cursor of contacts is the query of the first page in Base64, with the number of the page:
`next=2`. So the links to all pages follow from the first one, and the pages can be requested at the
same time. Nothing but time depends on it: such a page is used only if the API's own link turns out
to be the very same. Assumes: contact_pages_are_numbered.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count, islice, pairwise
from urllib.parse import quote, unquote, urlsplit

from requests import PreparedRequest, Response

from tap_constantcontact.api.prefetch import PredictedRequest

_PAGE = re.compile(r"(?:^|(?<=&))next=(\d+)(?=&|$)")
# Before a predicted link has turned out right: the API's own link, and one that is predicted.
_UNPROVEN = 2


def later_links(link: str) -> Iterator[str]:
    """Yield the links to the pages after the next one; none if its cursor holds no page number.

    Args:
        link: The link to the second page.
    """
    parts = urlsplit(link)
    name, _, cursor = parts.query.partition("=")
    try:
        query = b64decode(unquote(cursor), validate=True).decode()
    except ValueError:
        return
    if page := _PAGE.search(query):
        safe = "" if "%3D" in cursor else "="
        for number in count(int(page[1]), 1):
            later = f"{query[: page.start(1)]}{number}{query[page.end(1) :]}"
            encoded = quote(b64encode(later.encode()).decode(), safe=safe)
            if number > int(page[1]):
                yield parts._replace(query=f"{name}={encoded}").geturl()
            elif encoded != cursor:  # it is written in another way
                return


class LinkedPages:
    """Predicts the pages of a stream's lists, until a predicted link turns out wrong."""

    def __init__(
        self,
        next_url: Callable[[Response], str | None],
        prepared: Callable[[str], PreparedRequest],
    ) -> None:
        """Predict nothing yet.

        Args:
            next_url: Returns the URL of the next page, or None on the last one.
            prepared: Returns the request for a URL.
        """
        self._next_url = next_url
        self._prepared = prepared
        self._are_right: bool | None = None

    def after_first(self, url: str, pages: int) -> Iterator[PredictedRequest]:
        """Predict the pages after the first one of a list.

        Args:
            url: The URL of the second page.
            pages: How many pages follow the first one.
        """
        later = later_links(url) if self._are_right is not False else ()
        links = [url, *islice(later, pages - 1)]
        return self._requests(deque(links), dict(pairwise(links)), _UNPROVEN)

    def _requests(
        self, links: deque[str], following: Mapping[str, str], unproven: int = 0
    ) -> Iterator[PredictedRequest]:
        """Yield the requests for links, while they are right.

        Args:
            links: The links that were not requested yet.
            following: The predicted link on the page of each link.
            unproven: How many to request before a predicted link has turned out right.
        """
        while links and (self._are_right or unproven > 0):
            unproven -= 1
            link = links.popleft()
            then = partial(self._compare, links, following, following.get(link))
            yield PredictedRequest(self._prepared(link), then)

    def _compare(
        self, links: deque[str], following: Mapping[str, str], predicted: str | None, page: Response
    ) -> Iterator[PredictedRequest]:
        """Compare a predicted link with that of the page, and yield what follows from it."""
        url = self._next_url(page)
        if predicted:
            self._are_right = url == predicted and self._are_right is not False
        if predicted and self._are_right:
            yield from self._requests(links, following)
        else:
            links.clear()
            yield from self._requests(deque([url] if url else ()), {}, unproven=1)
