"""The pages on which a person signs in, and the codes that they issue.

Documented: addresses, parameters and responses. Assumed: what the pages look like, the texts of
errors, and that any address on this machine is a registered redirect URI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from flask import Response, jsonify, redirect, render_template_string, request

from sandbox.auth.api_keys import DEVICE_SECONDS
from sandbox.server.errors import TokenError
from sandbox.server.options import SCOPES

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as AnyResponse

    from sandbox.auth.api_keys import ApiKey, Code
    from sandbox.auth.users import Users
    from sandbox.server.options import Options

AUTHORIZE_PATH = "/oauth2/default/v1/authorize"
DEVICE_PATH = "/oauth2/default/v1/device/authorize"
ACTIVATE_PATH = "/activate"

USER, PASSWORD = "owner@example.com", "sandbox"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MEANINGS = {
    "account_read": "Read account data",
    "contact_data": "Read or modify contact data",
    "campaign_data": "Read or modify email campaign data",
    "offline_access": "Keep access while you are away",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: #eef2f6; color: #1c2733; }
  main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: .5rem;
         box-shadow: 0 1px 4px #0003; }
  h1 { font-size: 1.375rem; margin: 0 0 .5rem; }
  label { display: block; margin-top: 1rem; }
  input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; }
  ul { padding-left: 1.25rem; }
  button { font: inherit; margin: 1.5rem .5rem 0 0; padding: .5rem 1.25rem; border: 1px solid;
           border-radius: .25rem; background: #fff; color: #1856a8; cursor: pointer; }
  button[value=yes] { background: #1856a8; color: #fff; }
  .wrong { color: #b3261e; }
  small { display: block; margin-top: 1.5rem; color: #5b6875; }
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{% if wrong %}<p class="wrong">{{ wrong }}</p>{% endif %}
{% if text %}<p>{{ text }}</p>{% endif %}
{% if form %}
<form method="post">
  {% if user_code is not none %}
  <label>Code of the device <input name="user_code" value="{{ user_code }}"></label>
  {% endif %}
  {% if scopes %}
  <p>An application asks to:</p>
  <ul>{% for scope in scopes %}<li>{{ meanings[scope] }}</li>{% endfor %}</ul>
  {% endif %}
  <label>User name <input name="user" autocomplete="off"></label>
  <label>Password <input name="password" type="password" autocomplete="off"></label>
  <button name="answer" value="yes">Allow</button>
  <button name="answer" value="no">Deny</button>
</form>
{% endif %}
<small>A sandbox, not Constant Contact: sign in as {{ users }} with the password {{ password }}.
</small>
</main>
</body>
</html>
"""


class SignIn:
    """The pages of an authorization server."""

    def __init__(self, flask: Flask, options: Options, users: Users) -> None:
        """Register its routes."""
        self._options = options
        self._users = users
        both = ["GET", "POST"]
        flask.add_url_rule(AUTHORIZE_PATH, view_func=self._authorize, methods=both)
        flask.add_url_rule(DEVICE_PATH, view_func=self._issue_device_code, methods=["POST"])
        flask.add_url_rule(ACTIVATE_PATH, view_func=self._activate, methods=both)

    def _authorize(self) -> AnyResponse:
        """Ask a person for access, and send the browser back with a code."""
        query = request.args
        redirect_uri = query.get("redirect_uri", "")
        api_key = self._users.api_key(query.get("client_id", ""))
        if api_key is None:
            return _page("Sign-in is not possible", wrong="The client is unknown.", status=400)
        if urlsplit(redirect_uri).hostname not in _LOOPBACK:
            wrong = "The application does not know this redirect URI."
            return _page("Sign-in is not possible", wrong=wrong, status=400)
        if problem := self._problem(query):
            return _redirect(redirect_uri, query, problem)
        return self._ask(query, redirect_uri, api_key)

    def _ask(self, query: Any, redirect_uri: str, api_key: ApiKey) -> AnyResponse:
        """Show the page, and handle its form."""
        scopes = tuple(query.get("scope", "").split())
        users = self._users.names(api_key)
        if request.method == "GET":
            return _page("Sign in and allow access", scopes=scopes, users=users)
        if request.form.get("answer") != "yes":
            refused = _error("access_denied", "The resource owner denied the request.")
            return _redirect(redirect_uri, query, refused)
        user = self._user(api_key)
        if user is None:
            wrong = "User name or password is wrong."
            return _page("Sign in and allow access", scopes=scopes, users=users, wrong=wrong)
        challenge = query.get("code_challenge", "")
        code = api_key.issue_code(user, scopes, redirect_uri, challenge)
        return _redirect(redirect_uri, query, {"code": code})

    def _problem(self, query: Any) -> dict[str, str]:
        """Return the error of an invalid request for a code, for the application."""
        if query.get("response_type") != "code":
            return _error("unsupported_response_type", "Supported response type: code.")
        if not query.get("state"):
            return _error("invalid_request", "The state is missing.")  # as Okta requires
        has_pkce = query.get("code_challenge_method") == "S256" and query.get("code_challenge")
        if self._options.public_client and not has_pkce:
            return _error("invalid_request", "PKCE code challenge is required.")
        if set(query.get("scope", "").split()) - {*SCOPES}:
            return _error("invalid_scope", "One or more scopes are not configured.")
        return {}

    def _issue_device_code(self) -> Response:
        """Issue codes to a device."""
        api_key = self._users.requesting(request.values, request.authorization).api_key
        api_key.identify_device(request.values, request.authorization)
        scopes = tuple(request.values.get("scope", "").split())
        if set(scopes) - {*SCOPES}:
            raise TokenError(400, "invalid_scope", "One or more scopes are not configured.")
        device_code, user_code = api_key.issue_device_code(scopes)
        address = request.host_url.rstrip("/") + ACTIVATE_PATH
        return jsonify(
            {
                "device_code": device_code,
                "user_code": user_code,
                "verification_uri": address,
                "verification_uri_complete": f"{address}?{urlencode({'user_code': user_code})}",
                "expires_in": DEVICE_SECONDS,
                "interval": self._options.device_interval,
            }
        )

    def _activate(self) -> AnyResponse:
        """Ask a person for the code of a device, and for access."""
        user_code = request.values.get("user_code", "")
        api_key, code = self._device(user_code)
        scopes = code.scopes if code else ()
        title = "Connect a device"
        users = self._users.names(api_key) if api_key else USER
        if request.method == "GET":
            return _page(title, user_code=user_code, scopes=scopes, users=users)
        if api_key is None or code is None:
            return _page(title, user_code="", wrong="This code is unknown or has expired.")
        if request.form.get("answer") != "yes":
            code.allowed = False
            return _page("Access was denied", text="You can close this window.", form=False)
        user = self._user(api_key)
        if user is None:
            wrong = "User name or password is wrong."
            return _page(title, user_code=user_code, scopes=scopes, users=users, wrong=wrong)
        code.user, code.allowed = user, True
        return _page("The device is connected", text="You can close this window.", form=False)

    def _device(self, user_code: str) -> tuple[ApiKey | None, Code | None]:
        """Return the code of a waiting device, and the API key that it is for."""
        for api_key in self._users.api_keys:
            if code := api_key.device_of(user_code):
                return api_key, code
        return None, None

    def _user(self, api_key: ApiKey) -> str | None:
        """Return the name of the user who fills in the form, if name and password are correct."""
        name = request.form.get("user", "")
        is_known = self._users.named(name, api_key) and request.form.get("password") == PASSWORD
        return name if is_known else None


def _error(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description}


def _page(
    title: str,
    *,
    text: str = "",
    wrong: str = "",
    scopes: tuple[str, ...] = (),
    user_code: str | None = None,
    users: str = USER,
    form: bool = True,
    status: int = 200,
) -> Response:
    html = render_template_string(
        _PAGE,
        title=title,
        text=text,
        wrong=wrong,
        scopes=scopes,
        meanings=_MEANINGS,
        user_code=user_code,
        form=form and status == 200,  # noqa: PLR2004
        users=users,
        password=PASSWORD,
    )
    return Response(html, status)


def _redirect(redirect_uri: str, query: Any, result: dict[str, str]) -> AnyResponse:
    """Redirect the browser to the application with a result."""
    state = {"state": query["state"]} if "state" in query else {}
    parts = urlsplit(redirect_uri)
    return redirect(parts._replace(query=urlencode({**result, **state})).geturl())
