"""The Flask app: what happens to each request on its way to an endpoint and back."""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

import sandbox.endpoints  # noqa: F401 - declares the endpoints
from sandbox.auth.sign_in import DEVICE_PATH, SignIn
from sandbox.server import faults
from sandbox.server.admission import Gate
from sandbox.server.errors import OAUTH, ApiError, TokenError
from sandbox.server.faults import DETOUR, Fault, Faults, Plan
from sandbox.server.routing import ENDPOINTS, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.auth.tokens import Tokens
    from sandbox.server.routing import Endpoint
    from sandbox.server.sandbox import Sandbox

API = "/v3"
TOKEN_PATH = "/oauth2/default/v1/token"  # noqa: S105
PARTNER_TOKEN_PATH = "/partners/oauth2/default/v1/token"  # noqa: S105
TOKEN_PATHS = (TOKEN_PATH, PARTNER_TOKEN_PATH, DEVICE_PATH)
BY_HAND = "/_sandbox"


@dataclass
class Request:
    """A request as it arrived.

    Attributes:
        at: When, in seconds of the monotonic clock.
        method: The HTTP method.
        path: The whole path: /v3/contacts, or that of the token endpoint.
        query: The query parameters.
        user_agent: The `User-Agent` header.
        authorized: Whether it brought an `Authorization` header.
        status: The status of the answer; 0 while there is none, and if the connection was dropped.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    user_agent: str
    authorized: bool
    status: int = 0


class App:
    """The Flask app of a sandbox."""

    def __init__(self, sandbox: Sandbox, tokens: Tokens, faults: Faults) -> None:
        """Route all paths."""
        self.sandbox = sandbox
        self.tokens = tokens
        self.faults = faults
        self.gate = Gate(sandbox.options, tokens)
        self.flask = flask = Flask("sandbox")
        flask.json.sort_keys = False  # type: ignore[attr-defined]
        flask.before_request(self._arrive)
        flask.after_request(self._leave)
        flask.register_error_handler(ApiError, self._refuse)
        flask.register_error_handler(TokenError, self._refuse)
        flask.register_error_handler(HTTPException, self._refuse_http)
        for path in ENDPOINTS:
            flask.add_url_rule(API + path, path, self._answer, methods=["GET"])
        flask.add_url_rule(TOKEN_PATH, view_func=self._token, methods=["POST"])
        flask.add_url_rule(PARTNER_TOKEN_PATH, view_func=self._partner_token, methods=["POST"])
        SignIn(flask, sandbox.options, tokens)
        flask.add_url_rule(f"{BY_HAND}/changes", view_func=self._change, methods=["POST"])
        flask.add_url_rule(f"{BY_HAND}/faults", view_func=self._fail, methods=["POST"])
        flask.add_url_rule(f"{BY_HAND}/requests", view_func=self._requests)

    # Around every request.

    def _arrive(self) -> Response | None:
        """Note the request, check it at the gate, and let it fail if it is to."""
        if request.path.startswith(BY_HAND):
            return None
        g.noted = Request(
            at=time.monotonic(),
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            user_agent=request.user_agent.string,
            authorized="Authorization" in request.headers,
        )
        self.sandbox.requests.append(g.noted)
        endpoint = ENDPOINTS.get(request.endpoint or "")
        if request.path in TOKEN_PATHS:
            self.gate.admit_to_tokens()
        if request.path.startswith(API + "/"):
            self.gate.admit(
                request.headers.get("Authorization", ""),
                endpoint,
                request.headers.get("x-api-key", ""),
            )
        g.plan = self.faults.take(request.path.removeprefix(API))
        return faults.before(g.plan, request, _voice(endpoint)) if g.plan else None

    def _leave(self, response: Response) -> Response:
        """Spoil the answer if it is to be, hold it back, and note its status."""
        if "noted" not in g:
            return response
        plan: Plan | None = g.get("plan")
        if plan is not None:
            faults.after(plan, request, response)
        time.sleep(random.uniform(*self.sandbox.options.latency))
        response.headers["Date"] = http_date(self.sandbox.account.now())
        if response.status_code == 429 and self.sandbox.options.retry_after:  # noqa: PLR2004
            response.headers["Retry-After"] = "1"
        if plan is None or plan.fault is not Fault.DROPPED:
            g.noted.status = response.status_code
        return response

    def _refuse(self, error: ApiError | TokenError) -> tuple[Response, int]:
        return jsonify(error.body), error.status

    def _refuse_http(self, error: HTTPException) -> tuple[Response, int]:
        """Answer what Flask itself refuses: unknown paths and methods, and what has crashed."""
        kind = error.name.lower().replace(" ", "_")
        return self._refuse(_voice(None)(error.code or 500, kind, str(error.description)))

    # The paths.

    def _answer(self, **ids: str) -> Response:
        endpoint = ENDPOINTS[request.endpoint or ""]
        # A repeated parameter is a list of values, as one with commas is.
        query = {name: ",".join(values) for name, values in request.args.lists() if name != DETOUR}
        account = self.sandbox.account
        with account.lock:
            answer = endpoint.answer(account, self.sandbox.options, request.path, query, ids)
            reply = answer if isinstance(answer, Reply) else Reply(200, answer)
            response = jsonify(reply.body)
            response.status_code = reply.status
            return response

    def _token(self) -> Response:
        response = jsonify(self.tokens.grant(request.values, request.authorization))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _partner_token(self) -> Response:
        return jsonify(self.tokens.grant_partner(request.values, request.authorization))

    def _change(self) -> Response:
        return jsonify(self.sandbox.change())

    def _fail(self) -> Response:
        try:
            self.sandbox.fail(**request.get_json())
        except (TypeError, ValueError) as error:
            raise ApiError(400, "sandbox.faults", str(error)) from error
        return jsonify({"planned": request.get_json()})

    def _requests(self) -> Response:
        return jsonify([asdict(noted) for noted in self.sandbox.requests])


def _voice(endpoint: Endpoint | None) -> Callable[[int, str, str], ApiError | TokenError]:
    """Tell how errors are written where the request leads."""
    if endpoint is not None:
        return endpoint.service.error
    if request.path in TOKEN_PATHS:
        return lambda status, kind, text: TokenError(status, OAUTH.get(status, kind), text)
    return ApiError
