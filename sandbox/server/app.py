"""The Flask app: what happens to each request on its way to an endpoint and back."""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

import sandbox.endpoints  # noqa: F401 - declares the endpoints
from sandbox.auth.sign_in import DEVICE_PATH, SignIn
from sandbox.server import faults
from sandbox.server.admission import Admission
from sandbox.server.errors import NO_ROUTE, OAUTH, UNAUTHORIZED, ApiError, TokenError
from sandbox.server.faults import DETOUR, Fault, Faults, PlannedFault
from sandbox.server.routing import ENDPOINTS, JsonResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.auth.tokens import Tokens
    from sandbox.server.routing import Endpoint
    from sandbox.server.sandbox import Sandbox

API = "/v3"
TOKEN_PATH = "/oauth2/default/v1/token"  # noqa: S105
PARTNER_TOKEN_PATH = "/partners/oauth2/default/v1/token"  # noqa: S105
TOKEN_PATHS = (TOKEN_PATH, PARTNER_TOKEN_PATH, DEVICE_PATH)
CONTROL_PATH = "/_sandbox"
NO_CONTENT, NOT_FOUND, METHOD_NOT_ALLOWED, TOO_MANY_REQUESTS = 204, 404, 405, 429


@dataclass
class Request:
    """A request as received.

    Attributes:
        at: When it arrived, in seconds of the monotonic clock.
        method: The HTTP method.
        path: The full path: /v3/contacts, or that of the token endpoint.
        query: The query parameters.
        user_agent: The `User-Agent` header.
        authorized: Whether it has an `Authorization` header.
        client_id: The API key that it counts for; "" if the token is unknown.
        account: The `encoded_account_id` of the account that it is for, or "". A request for
            tokens that is rejected is recorded for the first account of its API key.
        status: The status of the response; 0 before it is sent, and if the connection was dropped.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    user_agent: str
    authorized: bool
    client_id: str = ""
    account: str = ""
    status: int = 0


class App:
    """The Flask app of a sandbox."""

    def __init__(self, sandbox: Sandbox, faults: Faults) -> None:
        """Register all routes."""
        self.sandbox = sandbox
        self.users = sandbox.users
        self.faults = faults
        self.admissions = {
            key.client_id: Admission(sandbox.options) for key in sandbox.users.api_keys
        }
        self.flask = flask = Flask("sandbox")
        flask.json.sort_keys = False  # type: ignore[attr-defined]
        flask.before_request(self._before_request)
        flask.after_request(self._after_request)
        flask.register_error_handler(ApiError, self._error)
        flask.register_error_handler(TokenError, self._error)
        flask.register_error_handler(HTTPException, self._http_error)
        for path in ENDPOINTS:
            flask.add_url_rule(API + path, path, self._respond, methods=["GET"])
        flask.add_url_rule(TOKEN_PATH, view_func=self._token, methods=["POST"])
        flask.add_url_rule(PARTNER_TOKEN_PATH, view_func=self._partner_token, methods=["POST"])
        flask.add_url_rule(f"{API}/swagger.yaml", view_func=self._contract)
        SignIn(flask, sandbox.options, sandbox.users)
        flask.add_url_rule(f"{CONTROL_PATH}/changes", view_func=self._change, methods=["POST"])
        flask.add_url_rule(f"{CONTROL_PATH}/faults", view_func=self._fail, methods=["POST"])
        flask.add_url_rule(f"{CONTROL_PATH}/requests", view_func=self._requests)

    # Before and after every request.

    def _before_request(self) -> Response | None:
        """Record the request, check whether it is admitted, and apply a planned fault."""
        if request.path.startswith(CONTROL_PATH):
            return None
        g.recorded = Request(
            at=time.monotonic(),
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            user_agent=request.user_agent.string,
            authorized="Authorization" in request.headers,
        )
        self.sandbox.requests.append(g.recorded)
        endpoint = ENDPOINTS.get(request.endpoint or "")
        if request.path in TOKEN_PATHS:
            self._admission(self._sign_in()).admit_token_request()
        if endpoint is not None:  # routing comes before authorization (observed)
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            user = self._authorized(endpoint, scheme, token)
            self._admission(user).admit(endpoint, user.scopes_of(token))
        g.plan = self.faults.take(request.path.removeprefix(API))
        return faults.before_request(g.plan, request, _error_factory(endpoint)) if g.plan else None

    def _sign_in(self) -> Tokens:
        """Return the user of a request for tokens."""
        if request.path == PARTNER_TOKEN_PATH:
            return self.users.partner(request.authorization)
        return self.users.requesting(request.values, request.authorization)

    def _authorized(self, endpoint: Endpoint, scheme: str, token: str) -> Tokens:
        """Return the user whose token a request has.

        Raises:
            ApiError: If there is none.
        """
        for_partners = endpoint.service.for_partners
        user = self.users.with_access_token(token, of_partner=for_partners)
        if for_partners:  # that a wrong key is 401 is an assumption
            known = request.headers.get("x-api-key", "") == self.sandbox.options.partner_api_key
            user = user if known else None
        if scheme != "Bearer" or user is None:
            raise ApiError(*UNAUTHORIZED)
        return user

    def _admission(self, user: Tokens) -> Admission:
        """Record whom the request is from, and return the limits that it has to keep."""
        g.served = next(served for served in self.sandbox.accounts if served.tokens is user)
        g.recorded.account = g.served.id
        g.recorded.client_id = g.served.client_id
        return self.admissions[g.served.client_id]

    def _after_request(self, response: Response) -> Response:
        """Apply a planned fault to the response, delay it, and record its status."""
        if "recorded" not in g:
            return response
        plan: PlannedFault | None = g.get("plan")
        if plan is not None:
            faults.after_request(plan, request, response)
        time.sleep(random.uniform(*self.sandbox.options.latency))
        response.headers["Date"] = http_date(self.sandbox.account.now())  # all have one clock
        if request.path.startswith(API + "/"):
            response.headers["x-amzn-RequestId"] = str(uuid.uuid4())  # observed
        self._add_headers(response)
        if plan is None or plan.fault is not Fault.DROPPED:
            g.recorded.status = response.status_code
        return response

    def _add_headers(self, response: Response) -> None:
        """Add the headers of some errors (observed)."""
        is_token = request.path in TOKEN_PATHS
        if response.status_code == TOO_MANY_REQUESTS and (
            is_token or self.sandbox.options.retry_after
        ):
            response.headers["Retry-After"] = "1"
        if response.status_code == UNAUTHORIZED[0] and not is_token:
            response.headers["WWW-Authenticate"] = "Bearer realm=api.cc.email"

    def _error(self, error: ApiError | TokenError) -> tuple[Response, int]:
        if isinstance(error, TokenError) and error.status == TOO_MANY_REQUESTS:
            return Response(), error.status  # an empty body (observed)
        return jsonify(error.body), error.status

    def _http_error(self, error: HTTPException) -> tuple[Response, int]:
        """Write Flask's own errors as the API does: unknown paths and methods, and crashes.

        The API has no 405 (observed).
        """
        if error.code in (NOT_FOUND, METHOD_NOT_ALLOWED) and request.path.startswith(API + "/"):
            return self._error(ApiError(*NO_ROUTE))
        kind = error.name.lower().replace(" ", "_")
        return self._error(_error_factory(None)(error.code or 500, kind, str(error.description)))

    # The routes.

    def _respond(self, **ids: str) -> Response:
        endpoint = ENDPOINTS[request.endpoint or ""]
        # A repeated parameter is a list of values, like one with commas.
        query = {name: ",".join(values) for name, values in request.args.lists() if name != DETOUR}
        account = g.served.account
        with account.lock:
            body = endpoint.respond(account, self.sandbox.options, request.path, query, ids)
            result = body if isinstance(body, JsonResponse) else JsonResponse(200, body)
            response = Response() if result.status == NO_CONTENT else jsonify(result.body)
            response.status_code = result.status
            return response

    def _contract(self) -> Response:
        """Serve the head of the contract, which needs no token (observed)."""
        version = self.sandbox.options.contract_version
        text = f'swagger: "2.0"\ninfo:\n  version: {version}\n  title: AppConnect V3\n'
        return Response(text, mimetype="application/yaml")

    def _token(self) -> Response:
        response = jsonify(self._sign_in().grant(request.values, request.authorization))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _partner_token(self) -> Response:
        return jsonify(self._sign_in().grant_partner(request.values, request.authorization))

    def _change(self) -> Response:
        number = request.args.get("account", "1")
        for served in self.sandbox.accounts:
            if str(served.number) == number:
                return jsonify(served.change())
        raise ApiError(404, "sandbox.changes", f"There is no account {number}.")

    def _fail(self) -> Response:
        try:
            self.sandbox.fail(**request.get_json())
        except (TypeError, ValueError) as error:
            raise ApiError(400, "sandbox.faults", str(error)) from error
        return jsonify({"planned": request.get_json()})

    def _requests(self) -> Response:
        return jsonify([asdict(recorded) for recorded in self.sandbox.requests])


def _error_factory(endpoint: Endpoint | None) -> Callable[[int, str, str], ApiError | TokenError]:
    """Return what builds errors in the form of the requested endpoint."""
    if endpoint is not None:
        return endpoint.service.error
    if request.path in TOKEN_PATHS:
        return lambda status, kind, text: TokenError(status, OAUTH.get(status, kind), text)
    return ApiError
