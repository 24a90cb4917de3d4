"""A person who signs in on the sandbox's pages, without a browser: forms are filled in by HTTP."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from sandbox.auth.sign_in import PASSWORD, USER


def answer(url: str, *, allow: bool = True, user: str = USER, password: str = PASSWORD) -> str:
    """Submit the page at an address, and return the address that the browser is redirected to."""
    assert 'name="password"' in requests.get(url, timeout=10).text
    form = {"user": user, "password": password, "answer": "yes" if allow else "no"}
    sent = requests.post(url, data=form, timeout=10, allow_redirects=False)
    return sent.headers.get("Location", "")


def sign_in(url: str, *, allow: bool = True) -> requests.Response:
    """Submit the page at an address, and follow the redirect."""
    return requests.get(answer(url, allow=allow), timeout=10)


def changed(url: str, **values: str) -> str:
    """Return an address with other values in its query; an empty one takes it out."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **values}
    kept = {name: value for name, value in query.items() if value}
    return parts._replace(query=urlencode(kept)).geturl()


def address_in(text: str) -> str:
    """Return the address that stands alone in a line."""
    found = re.search(r"^  (http\S+)$", text, re.MULTILINE)
    assert found, text
    return found[1]
