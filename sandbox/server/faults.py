"""Faults on demand: which one, where, and how many times."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlencode

from flask import Request, Response

from sandbox.server.errors import QUOTA_EXCEEDED, THROTTLED, UNAUTHORIZED

Body = dict[str, Any]
Error = tuple[int, str, str]

DETOUR = "_detour"
"""A query parameter that the sandbox adds to a link to make it differ, and ignores."""


class Fault(str, Enum):
    """The kinds of faults."""

    THROTTLED = "throttled"
    QUOTA_EXCEEDED = "quota_exceeded"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    NOT_JSON = "not_json"
    DROPPED = "dropped"
    CUT = "cut"
    CUT_JSON = "cut_json"
    EMPTY_PAGE = "empty_page"
    FOREIGN_NEXT = "foreign_next"
    ABSOLUTE_NEXT = "absolute_next"
    LOOP = "loop"
    DELAY = "delay"


@dataclass
class PlannedFault:
    """A fault and the requests that it applies to.

    Attributes:
        path: A path below /v3, or that of the token endpoint; `*` matches anything.
        fault: The kind of fault.
        times: How many requests fail.
        skip: How many requests succeed first.
        seconds: The duration of a DELAY.
        message: The message of a BAD_REQUEST.
    """

    path: str
    fault: Fault
    times: int = 1
    skip: int = 0
    seconds: float = 1.0
    message: str = "include does not have a valid value"


class Faults:
    """The planned faults that have not happened yet."""

    def __init__(self) -> None:
        """Start without faults."""
        self._lock = threading.Lock()
        self._plans: list[PlannedFault] = []

    def add(self, plan: PlannedFault) -> None:
        """Plan a fault, after those planned earlier."""
        with self._lock:
            self._plans.append(plan)

    def clear(self) -> None:
        """Forget all planned faults."""
        with self._lock:
            self._plans.clear()

    def take(self, path: str) -> PlannedFault | None:
        """Return the fault that applies to a request, if there is one, and count it."""
        with self._lock:
            for plan in self._plans:
                if plan.times and fnmatchcase(path, plan.path):
                    if not plan.skip:
                        plan.times -= 1
                        return plan
                    plan.skip -= 1
        return None


# --- faults that replace the response: the request is not handled and no token is used

ERRORS: dict[Fault, Error] = {
    Fault.THROTTLED: THROTTLED,
    Fault.QUOTA_EXCEEDED: QUOTA_EXCEEDED,
    Fault.UNAUTHORIZED: UNAUTHORIZED,
    Fault.FORBIDDEN: (403, "forbidden", "A scope or privilege is missing."),
    Fault.NOT_FOUND: (404, "not_found", "It was not found."),
    Fault.SERVER_ERROR: (500, "internal", "Internal error."),
}
# The gateway answers in HTML (documented).
HTML_ERRORS: dict[Fault, tuple[int, str]] = {
    Fault.UNAVAILABLE: (503, "503 Service Temporarily Unavailable"),
    Fault.GATEWAY_TIMEOUT: (504, "504 Gateway Time-out"),
    Fault.NOT_JSON: (200, "Down for maintenance"),
}
HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def before_request(
    plan: PlannedFault, request: Request, make_error: Callable[[int, str, str], Exception]
) -> Response | None:
    """Apply a fault before a request is handled.

    Args:
        plan: The fault.
        request: The request.
        make_error: Builds an error of the requested endpoint, from status, kind and message.

    Returns:
        The response to send instead, or None to handle the request.

    Raises:
        Exception: The error to send instead.
    """
    if plan.fault is Fault.DROPPED:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=500)  # which nobody receives
    if plan.fault is Fault.BAD_REQUEST:
        raise make_error(400, "validation.error", plan.message)
    if plan.fault in ERRORS:
        raise make_error(*ERRORS[plan.fault])
    if plan.fault in HTML_ERRORS:
        status, title = HTML_ERRORS[plan.fault]
        return Response(HTML.format(title), status, mimetype="text/html")
    return None


# --- faults that change a response: the request was handled, and a token may be used


def after_request(plan: PlannedFault, request: Request, response: Response) -> None:
    """Apply a fault to a response; those of pages only to a page."""
    if plan.fault in AFTER:
        AFTER[plan.fault](plan, response)
    if plan.fault in PAGES and response.status_code == 200:  # noqa: PLR2004
        body = response.get_json()
        if isinstance(body, dict):
            response.set_data(json.dumps(PAGES[plan.fault](request, body)))


def _delay(plan: PlannedFault, response: Response) -> None:  # noqa: ARG001
    time.sleep(plan.seconds)


def _cut(plan: PlannedFault, response: Response) -> None:
    length = response.headers["Content-Length"]
    _cut_json(plan, response)
    response.headers["Content-Length"] = length
    response.headers["Connection"] = "close"


def _cut_json(plan: PlannedFault, response: Response) -> None:  # noqa: ARG001
    whole = response.get_data()
    response.set_data(whole[: len(whole) // 2])


def _empty_page(request: Request, body: Body) -> Body:
    """Send no records, and a link to the requested page itself."""
    emptied = {key: [] if isinstance(value, list) else value for key, value in body.items()}
    parameters = [pair for pair in request.args.items(multi=True) if pair[0] != DETOUR]
    detour = request.args.get(DETOUR, "") + "1"
    return _linked(emptied, f"{request.path}?{urlencode([*parameters, (DETOUR, detour)])}")


def _foreign_next(request: Request, body: Body) -> Body:
    """Link to another host: this one by another name, so that it sees who follows the link."""
    _, _, port = request.host.partition(":")
    return _linked(body, f"http://localhost:{port}/elsewhere")


def _absolute_next(request: Request, body: Body) -> Body:
    """Write the link as an absolute URL. This was never observed, but would be legal."""
    href = ((body.get("_links") or {}).get("next") or {}).get("href")
    return _linked(body, request.host_url.rstrip("/") + href) if href else body


def _loop(request: Request, body: Body) -> Body:
    """Link from the page to itself."""
    return _linked(body, request.full_path.rstrip("?"))


def _linked(body: Body, href: str) -> Body:
    return {**body, "_links": {"next": {"href": href}}}


AFTER: dict[Fault, Callable[[PlannedFault, Response], None]] = {
    Fault.DELAY: _delay,
    Fault.CUT: _cut,
    Fault.CUT_JSON: _cut_json,
}
PAGES: dict[Fault, Callable[[Request, Body], Body]] = {
    Fault.EMPTY_PAGE: _empty_page,
    Fault.FOREIGN_NEXT: _foreign_next,
    Fault.ABSOLUTE_NEXT: _absolute_next,
    Fault.LOOP: _loop,
}
