"""Failures on demand: what goes wrong, where, and how many times."""

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
"""A query parameter that the sandbox adds to a link, so that it differs, and does not look at."""


class Fault(str, Enum):
    """What can go wrong."""

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
class Plan:
    """A fault that is to happen.

    Attributes:
        path: Where: a path below /v3, or that of the token endpoint; `*` stands for anything.
        fault: What.
        times: How often, from then on.
        skip: How many requests go well before.
        seconds: How long a DELAY takes.
        message: What a BAD_REQUEST says.
    """

    path: str
    fault: Fault
    times: int = 1
    skip: int = 0
    seconds: float = 1.0
    message: str = "include does not have a valid value"


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        """Plan nothing."""
        self._lock = threading.Lock()
        self._plans: list[Plan] = []

    def add(self, plan: Plan) -> None:
        """Plan a fault, after those that were planned before it."""
        with self._lock:
            self._plans.append(plan)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._plans.clear()

    def take(self, path: str) -> Plan | None:
        """Take the fault that is to happen to a request now, if one is."""
        with self._lock:
            for plan in self._plans:
                if plan.times and fnmatchcase(path, plan.path):
                    if not plan.skip:
                        plan.times -= 1
                        return plan
                    plan.skip -= 1
        return None


# --- faults that happen instead of an answer: nothing is read and no token is spent

ERRORS: dict[Fault, Error] = {
    Fault.THROTTLED: THROTTLED,
    Fault.QUOTA_EXCEEDED: QUOTA_EXCEEDED,
    Fault.UNAUTHORIZED: UNAUTHORIZED,
    Fault.FORBIDDEN: (403, "forbidden", "A scope or privilege is missing."),
    Fault.NOT_FOUND: (404, "not_found", "It was not found."),
    Fault.SERVER_ERROR: (500, "internal", "Internal error."),
}
# The gateway answers in HTML (documented).
PLACARDS: dict[Fault, tuple[int, str]] = {
    Fault.UNAVAILABLE: (503, "503 Service Temporarily Unavailable"),
    Fault.GATEWAY_TIMEOUT: (504, "504 Gateway Time-out"),
    Fault.NOT_JSON: (200, "Down for maintenance"),
}
HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def before(
    plan: Plan, request: Request, voice: Callable[[int, str, str], Exception]
) -> Response | None:
    """Let a fault happen before a request is handled.

    Args:
        plan: The fault.
        request: The request.
        voice: Makes an error of what was asked for, from status, kind and message.

    Returns:
        What is answered instead, or None if the request is to be handled.

    Raises:
        Exception: The error that is answered instead.
    """
    if plan.fault is Fault.DROPPED:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=500)  # nobody will see it
    if plan.fault is Fault.BAD_REQUEST:
        raise voice(400, "validation.error", plan.message)
    if plan.fault in ERRORS:
        raise voice(*ERRORS[plan.fault])
    if plan.fault in PLACARDS:
        status, title = PLACARDS[plan.fault]
        return Response(HTML.format(title), status, mimetype="text/html")
    return None


# --- faults that happen to an answer: it was made, and a token may be spent


def after(plan: Plan, request: Request, response: Response) -> None:
    """Let a fault happen to the answer of a request; those of pages only if it is one."""
    if plan.fault in AFTER:
        AFTER[plan.fault](plan, response)
    if plan.fault in PAGES and response.status_code == 200:  # noqa: PLR2004
        body = response.get_json()
        if isinstance(body, dict):
            response.set_data(json.dumps(PAGES[plan.fault](request, body)))


def _delay(plan: Plan, response: Response) -> None:  # noqa: ARG001
    time.sleep(plan.seconds)


def _cut(plan: Plan, response: Response) -> None:
    length = response.headers["Content-Length"]
    _cut_json(plan, response)
    response.headers["Content-Length"] = length
    response.headers["Connection"] = "close"


def _cut_json(plan: Plan, response: Response) -> None:  # noqa: ARG001
    whole = response.get_data()
    response.set_data(whole[: len(whole) // 2])


def _empty_page(request: Request, body: Body) -> Body:
    """Send no records, and a link to the very page that was asked for."""
    emptied = {key: [] if isinstance(value, list) else value for key, value in body.items()}
    asked = [pair for pair in request.args.items(multi=True) if pair[0] != DETOUR]
    detour = request.args.get(DETOUR, "") + "1"
    return _linked(emptied, f"{request.path}?{urlencode([*asked, (DETOUR, detour)])}")


def _foreign_next(request: Request, body: Body) -> Body:
    """Lead to another host: this one by another name, so that it sees who follows."""
    _, _, port = request.host.partition(":")
    return _linked(body, f"http://localhost:{port}/elsewhere")


def _absolute_next(request: Request, body: Body) -> Body:
    """Write the link as a whole URL. No answer like this was seen, but it would be legal."""
    href = ((body.get("_links") or {}).get("next") or {}).get("href")
    return _linked(body, request.host_url.rstrip("/") + href) if href else body


def _loop(request: Request, body: Body) -> Body:
    """Lead from the page to itself."""
    return _linked(body, request.full_path.rstrip("?"))


def _linked(body: Body, href: str) -> Body:
    return {**body, "_links": {"next": {"href": href}}}


AFTER: dict[Fault, Callable[[Plan, Response], None]] = {
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
