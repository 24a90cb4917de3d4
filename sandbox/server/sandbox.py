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
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

import sandbox.endpoints  # noqa: F401 - declares the endpoints
from sandbox.auth.sign_in import DEVICE_PATH, SignIn
from sandbox.auth.tokens import Tokens
from sandbox.generate import changes
from sandbox.generate.account import generate
from sandbox.server import faults
from sandbox.server.admission import Gate
from sandbox.server.errors import OAUTH, ApiError, TokenError
from sandbox.server.expected import Rows, expected
from sandbox.server.faults import DETOUR, Fault, Faults, Plan
from sandbox.server.options import Options
from sandbox.server.routing import ENDPOINTS, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType

    from typing_extensions import Self

    from sandbox.server.routing import Endpoint

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
        self._server: Server | None = None

    def start(self) -> Self:
        """Listen, and serve from a thread.

        Raises:
            OSError: If the port is taken.
        """
        with socket.create_server((self.options.host, self.options.port)) as listener:
            self._server = server = Server(
                self.options.host,
                listener.getsockname()[1],
                self._app.flask,
                Handler,
                fd=listener.fileno(),
            )
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening, and hang up on who is still there."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
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
        if self._server is None:
            message = "the sandbox is not started"
            raise RuntimeError(message)
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
    def partner_settings(self) -> dict[str, str]:
        """The settings of a tap that is to read the clients of a partner."""
        client_id, client_secret = self._tokens.partner
        return {
            "partner_api_key": self.options.partner_api_key,
            "partner_client_id": client_id,
            "partner_client_secret": client_secret,
            "partner_auth_url": self.url + PARTNER_TOKEN_PATH,
        }

    @property
    def settings_of_all(self) -> dict[str, Any]:
        """The settings of a tap that is to read rows of every stream."""
        account = self.account
        return {
            **self.settings,
            **self.partner_settings,
            "landing_page_activity_ids": list(account.landing_pages),
            "v2_contact_ids": [str(id_) for id_ in account.v2_contact_ids],
            "v2_list_ids": [str(id_) for id_ in account.v2_list_ids],
            "v2_email_campaign_ids": [str(id_) for id_ in account.v2_campaign_ids],
            "report_start": "-1825d",
        }

    @property
    def refresh_token(self) -> str:
        """The refresh token that is good now."""
        return self._tokens.refresh_token

    def replace_refresh_token(self) -> str:
        """Replace the refresh token, as if another process had used it, and tell the new one."""
        return self._tokens.replace_refresh_token()

    def expire_codes(self) -> None:
        """Let the codes of all sign-ins under way end."""
        self._tokens.expire_codes()

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

    def expected(self, streams: Collection[str] | None = None) -> dict[str, Rows]:
        """Collect all rows that a complete sync must deliver now, by stream and key.

        Args:
            streams: Only these; None = all, which may take a while for a large account.
        """
        options = self.options
        return expected(self.account, options.privileges, streams, stats_lag=options.stats_lag)


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


class Server(ThreadedWSGIServer):
    """Knows its connections, which it has to close when it stops: their clients keep them open."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Begin with no connection."""
        self._connections: set[Any] = set()
        super().__init__(*args, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle the requests of a new connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all connections; their threads close them."""
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


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


def _voice(endpoint: Endpoint | None) -> Callable[[int, str, str], ApiError | TokenError]:
    """Tell how errors are written where the request leads."""
    if endpoint is not None:
        return endpoint.service.error
    if request.path in TOKEN_PATHS:
        return lambda status, kind, text: TokenError(status, OAUTH.get(status, kind), text)
    return ApiError


def _clock(options: Options) -> Any:
    """Make the account's clock: it starts at `now` and runs on, ahead by the skew."""
    ahead = options.now.timestamp() - time.time() if options.now else 0.0
    return lambda: int(time.time() + ahead + options.clock_skew)
