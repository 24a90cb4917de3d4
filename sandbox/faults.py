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
from urllib.parse import parse_qsl, urlencode

from flask import Request, Response

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

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"

# Shapes as documented: bare objects for 401 and 429, arrays otherwise, HTML from the gateway.
INSTEAD: dict[Fault, tuple[int, Any]] = {
    Fault.THROTTLED: (429, {"error_key": "throttled", "error_message": "Too Many Requests"}),
    Fault.QUOTA_EXCEEDED: (
        429,
        {"error_key": "quota_exceeded", "error_message": "Limit Exceeded"},
    ),
    Fault.UNAUTHORIZED: (401, {"error_key": "unauthorized", "error_message": "Unauthorized"}),
    Fault.FORBIDDEN: (
        403,
        [{"error_key": "forbidden", "error_message": "Missing scope or privilege."}],
    ),
    Fault.NOT_FOUND: (404, [{"error_key": "not_found", "error_message": "It was not found."}]),
    Fault.SERVER_ERROR: (500, [{"error_key": "internal", "error_message": "Internal error."}]),
    Fault.UNAVAILABLE: (503, HTML.format("503 Service Temporarily Unavailable")),
    Fault.GATEWAY_TIMEOUT: (504, HTML.format("504 Gateway Time-out")),
    Fault.NOT_JSON: (200, HTML.format("Down for maintenance")),
}


def before(plan: Plan, request: Request) -> Response | None:
    """Let a fault happen before a request is handled.

    Returns:
        What is answered instead, or None if the request is to be handled.
    """
    if plan.fault is Fault.DROPPED:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=500)  # nobody will see it
    if plan.fault is Fault.BAD_REQUEST:
        key = "contacts.api.validation.error"
        return _response(400, [{"error_key": key, "error_message": plan.message}])
    if plan.fault in INSTEAD:
        return _response(*INSTEAD[plan.fault])
    return None


def _response(status: int, body: Any) -> Response:
    if isinstance(body, str):
        return Response(body, status, mimetype="text/html")
    return Response(json.dumps(body), status, mimetype="application/json")


# --- faults that happen to an answer: it was made, and a token may be spent


def after(plan: Plan, request: Request, response: Response) -> None:
    """Let a fault happen to the answer of a request."""
    if plan.fault in AFTER:
        AFTER[plan.fault](plan, request, response)


def _delay(plan: Plan, request: Request, response: Response) -> None:  # noqa: ARG001
    time.sleep(plan.seconds)


def _cut(plan: Plan, request: Request, response: Response) -> None:  # noqa: ARG001
    whole = response.get_data()
    response.set_data(whole[: len(whole) // 2])
    response.headers["Content-Length"] = str(len(whole))
    response.headers["Connection"] = "close"


def _cut_json(plan: Plan, request: Request, response: Response) -> None:  # noqa: ARG001
    whole = response.get_data()
    response.set_data(whole[: len(whole) // 2])


def _empty_page(plan: Plan, request: Request, response: Response) -> None:  # noqa: ARG001
    """Send no records, and a link to the very page that was asked for."""
    body = response.get_json()
    emptied = {key: [] if isinstance(value, list) else value for key, value in body.items()}
    query = dict(parse_qsl(request.query_string.decode()))
    query[DETOUR] = str(int(query.get(DETOUR, 0)) + 1)
    _link(response, emptied, f"{request.path}?{urlencode(query)}")


def _foreign_next(plan: Plan, request: Request, response: Response) -> None:  # noqa: ARG001
    """Lead to another host: this one by another name, so that it sees who follows."""
    _, _, port = request.host.partition(":")
    _link(response, response.get_json(), f"http://localhost:{port}/elsewhere")


def _absolute_next(plan: Plan, request: Request, response: Response) -> None:  # noqa: ARG001
    """Write the link as a whole URL. No answer like this was seen, but it would be legal."""
    body = response.get_json()
    href = ((body.get("_links") or {}).get("next") or {}).get("href")
    if href:
        _link(response, body, request.host_url.rstrip("/") + href)


def _loop(plan: Plan, request: Request, response: Response) -> None:  # noqa: ARG001
    """Lead from the page to itself."""
    _link(response, response.get_json(), request.full_path.rstrip("?"))


def _link(response: Response, body: dict[str, Any], href: str) -> None:
    response.set_data(json.dumps({**body, "_links": {"next": {"href": href}}}))


AFTER: dict[Fault, Callable[[Plan, Request, Response], None]] = {
    Fault.DELAY: _delay,
    Fault.CUT: _cut,
    Fault.CUT_JSON: _cut_json,
    Fault.EMPTY_PAGE: _empty_page,
    Fault.FOREIGN_NEXT: _foreign_next,
    Fault.ABSOLUTE_NEXT: _absolute_next,
    Fault.LOOP: _loop,
}
