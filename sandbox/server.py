"""The sandbox: the account served over HTTP, with everything that stands before it."""

from __future__ import annotations

import io
import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

import sandbox.endpoints  # noqa: F401 - declares the endpoints
from sandbox import changes, faults
from sandbox.api import ENDPOINTS
from sandbox.errors import ApiError, TokenError
from sandbox.expected import Rows, expected
from sandbox.faults import DETOUR, Fault, Faults, Plan
from sandbox.gate import Gate
from sandbox.generate import generate
from sandbox.options import Options
from sandbox.tokens import Tokens

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

API = "/v3"
TOKEN_PATH = "/oauth2/default/v1/token"  # noqa: S105
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


class Sandbox:
    """A local stand-in of the Constant Contact v3 API.

    Use it in a `with` statement, or `start` and `stop` it.

    Attributes:
        options: What it was told to be like.
        account: The account that it serves; it may be changed in place.
        requests: The requests to the API and the token endpoint, in order of arrival.
    """

    def __init__(self, **options: Any) -> None:
        """Make an account up, without serving it yet.

        Args:
            **options: Those of `Options`.
        """
        self.options = Options(**options)
        self.account = generate(
            contacts=self.options.contacts,
            campaigns=self.options.campaigns,
            seed=self.options.seed,
            now=_clock(self.options),
            deleting_moves_updated_at=self.options.deleting_moves_updated_at,
        )
        self.requests: list[Request] = []
        self._tokens = Tokens(self.options)
        self._faults = Faults()
        self._app = App(self, self._tokens, self._faults)
        self._server: Any = None

    def start(self) -> Self:
        """Listen, and serve from a thread.

        Raises:
            OSError: If the port is taken.
        """
        with socket.create_server((self.options.host, self.options.port)) as listener:
            self._server = make_server(
                self.options.host,
                listener.getsockname()[1],
                self._app.flask,
                threaded=True,
                request_handler=Handler,
                fd=listener.fileno(),
            )
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{self.options.host}:{self._server.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a tap that is to read this account."""
        settings = {"client_id": self._tokens.client_id}
        if self._tokens.client_secret is not None:
            settings["client_secret"] = self._tokens.client_secret
        return {
            **settings,
            "refresh_token": self._tokens.refresh_token,
            "api_url": self.url + API,
            "auth_url": self.url + TOKEN_PATH,
        }

    @property
    def refresh_token(self) -> str:
        """The refresh token that is good now."""
        return self._tokens.refresh_token

    def replace_refresh_token(self) -> str:
        """Replace the refresh token, as if another process had used it, and tell the new one."""
        return self._tokens.replace_refresh_token()

    def revoke_access_tokens(self) -> None:
        """Answer 401 to all access tokens that were issued so far."""
        self._tokens.revoke_access_tokens()

    def fail(self, path: str, fault: Fault, **details: Any) -> None:
        """Let requests fail.

        Args:
            path: A path below /v3, or `TOKEN_PATH`; `*` stands for anything.
            fault: What goes wrong.
            **details: `times`, `skip`, `seconds` and `message`, see `Plan`.
        """
        self._faults.add(Plan(path, Fault(fault), **details))

    def heal(self) -> None:
        """Let nothing fail any more."""
        self._faults.clear()

    def change(self) -> dict[str, list[Any]]:
        """Let a round of changes happen to the account.

        Returns:
            The ids of what was changed, by what was done to it.
        """
        return changes.change(self.account)

    def expected(self) -> dict[str, Rows]:
        """Collect all rows that a complete sync must deliver now, by stream and key."""
        return expected(self.account, self.options.privileges)


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
        if request.path.startswith(API + "/"):
            authorization = request.headers.get("Authorization", "")
            self.gate.admit(authorization, ENDPOINTS.get(request.endpoint or ""))
        g.plan = self.faults.take(request.path.removeprefix(API))
        return faults.before(g.plan, request) if g.plan else None

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
        """Answer what Flask itself refuses: unknown paths and methods."""
        body = [{"error_key": "not_found", "error_message": str(error.description)}]
        return jsonify(body), error.code or 500

    # The paths.

    def _answer(self, **ids: str) -> Response:
        endpoint = ENDPOINTS[request.endpoint or ""]
        query = {name: value for name, value in request.args.items() if name != DETOUR}
        account = self.sandbox.account
        with account.lock:
            body = endpoint.answer(account, self.sandbox.options, request.path, query, ids)
            return jsonify(body)

    def _token(self) -> Response:
        response = jsonify(self.tokens.grant(request.values, request.authorization))
        response.headers["Cache-Control"] = "no-store"
        return response

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


class Handler(WSGIRequestHandler):
    """Speaks HTTP/1.1 and keeps connections open, which werkzeug's own handler does not."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.make_environ()
        # Read the body whole: what is left of it would be taken for the next request.
        length = int(self.headers.get("Content-Length") or 0)
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(length))
        chunks, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        self.send_response_only(int(status.split()[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.writelines(chunks)

    def finish(self) -> None:
        """Close the connection, which the client or a fault may have closed before."""
        with suppress(ConnectionError):
            super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the sandbox keeps its requests in a list."""


def _clock(options: Options) -> Any:
    """Make the account's clock: it starts at `now` and runs on."""
    ahead = options.now.timestamp() - time.time() if options.now else 0.0
    return lambda: int(time.time() + ahead)
