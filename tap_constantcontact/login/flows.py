"""The ways to sign in: through the browser, by an address that is pasted, with a code for devices.

Each returns the tokens that the application is given. oauthlib makes the requests and reads the
answers; what it does not know of is the network.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

import requests
from oauthlib.common import generate_token
from oauthlib.oauth2 import (
    AccessDeniedError,
    DeviceClient,
    OAuth2Error,
    WebApplicationClient,
)
from singer_sdk.exceptions import RetriableAPIError

from tap_constantcontact.api.errors import error_key, vendor_message
from tap_constantcontact.api.responses import body_of
from tap_constantcontact.auth import InvalidGrant, Tokens, tokens_of
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.login.application import Application
from tap_constantcontact.redaction import in_one_line

# oauthlib takes http nowhere, not even for this machine, where the answer has to come to. The
# settings are checked instead: they take http for this machine only.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

_VERIFIER_CHARACTERS = 96
# What a server means that does not say (RFC 8628, 3.2 and 3.5).
_POLL_SECONDS = 5.0
_SLOWER_SECONDS = 5.0
_DEVICE_SECONDS = 600.0

_REFUSED = "Access was not given. Sign in again, and allow what the page asks for"


def sign_in_by_code(
    application: Application,
    scopes: Collection[str],
    redirect_uri: str,
    ask: Callable[[str, str], str],
) -> Tokens:
    """Return the tokens for a code that the browser brings: authorization code with PKCE.

    Args:
        application: what is signed in to.
        scopes: what it asks for.
        redirect_uri: where the browser goes with the answer; the application has to know it.
        ask: has a person open an address; returns the whole address of the answer. Is given the
            state of the sign-in too.

    Raises:
        LoginError: access was not given; the message says why.
    """
    client = WebApplicationClient(application.client_id)
    verifier = client.create_code_verifier(_VERIFIER_CHARACTERS)
    state = generate_token()
    url = client.prepare_request_uri(
        application.authorize_url,
        redirect_uri=redirect_uri,
        scope=" ".join(sorted(scopes)),
        state=state,
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
    )
    answer = ask(url, state)
    try:
        code = client.parse_request_uri_response(answer, state)["code"]
    except AccessDeniedError as error:
        raise LoginError(f"{_REFUSED} ({_said(error)})") from error
    except OAuth2Error as error:
        raise LoginError(f"Constant Contact gives no access: {_said(error)}") from error
    form = client.prepare_request_body(
        code=code, redirect_uri=redirect_uri, code_verifier=verifier, include_client_id=False
    )
    try:
        return _tokens(application.post(application.token_url, dict(parse_qsl(form))))
    except RetriableAPIError as error:
        raise LoginError(f"{error}. No token came of it. Sign in again") from error
    except requests.RequestException as error:
        message = f"No answer came to the code ({type(error).__name__}). Sign in again"
        raise LoginError(message) from error


def sign_in_by_device(
    application: Application,
    scopes: Collection[str],
    show: Callable[[str, str, str], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tokens:
    """Return the tokens for a code that a person enters on any machine with a browser.

    That this flow gives a refresh token is disputed (the vendor's support says so).

    Args:
        application: what is signed in to; it has to be one with the device flow.
        scopes: what it asks for.
        show: is given the address to open, the code to enter there, and an address with the code
            in it, which may be empty.
        sleep: waits a number of seconds.
        clock: seconds that only go forward.

    Raises:
        LoginError: access was not given; the message says why.
    """
    device = _device_of(application, scopes)
    show(
        device["verification_uri"],
        device["user_code"],
        device.get("verification_uri_complete") or "",
    )
    client = DeviceClient(application.client_id)
    form = client.prepare_request_body(device_code=device["device_code"], include_client_id=False)
    grant = dict(parse_qsl(form))
    wait = _seconds(device.get("interval"), _POLL_SECONDS)
    ends = clock() + _seconds(device.get("expires_in"), _DEVICE_SECONDS)
    with_secret = False  # the flow does without (documented)
    while clock() < ends:
        sleep(wait)
        try:
            response = application.post(application.token_url, grant, with_secret=with_secret)
            key = error_key(response)
            if key == "invalid_client" and application.client_secret and not with_secret:
                with_secret = True  # in case that it does not
            elif key == "slow_down":
                wait += _SLOWER_SECONDS
            elif key != "authorization_pending":
                return _tokens(response)
        except (RetriableAPIError, requests.RequestException):
            wait += _SLOWER_SECONDS
    raise LoginError("Nobody has entered the code in time. Try it again")


def _device_of(application: Application, scopes: Collection[str]) -> dict[str, Any]:
    """Return the codes for a device.

    Raises:
        LoginError: there are none for this application.
    """
    client = DeviceClient(application.client_id)
    url = client.prepare_request_uri(application.device_url, scope=" ".join(sorted(scopes)))
    form = dict(parse_qsl(url.partition("?")[2]))
    form.pop("client_id", None)
    response = application.post(application.device_url, form, with_secret=False)
    if error_key(response) == "invalid_client" and application.client_secret:
        response = application.post(application.device_url, form)
    if response.status_code != requests.codes.ok:
        message = (
            f"There is no code for this device ({response.status_code} {vendor_message(response)})"
            ". Check the client ID, and that the application has the device flow in the portal"
        )
        raise LoginError(message)
    body = body_of(response)
    if not {"device_code", "user_code", "verification_uri"} <= body.keys():
        raise LoginError("The answer holds no code for this device; check the setting auth_url")
    return dict(body)


def _tokens(response: requests.Response) -> Tokens:
    """Return the tokens of an answer, with a refresh token.

    Raises:
        LoginError: there are none.
        RetriableAPIError: another try may help.
    """
    if error_key(response) == "access_denied":
        raise LoginError(f"{_REFUSED} ({vendor_message(response)})")
    if error_key(response) == "expired_token":
        raise LoginError("Nobody has entered the code in time. Try it again")
    try:
        tokens = tokens_of(response, None)
    except InvalidGrant as error:
        message = (
            f"Constant Contact refused the code ({error}). It is good once, for five minutes, and "
            "for the redirect URI that it was asked with. Sign in again"
        )
        raise LoginError(message) from error
    if not tokens["refresh_token"]:
        message = (
            "Constant Contact gave no refresh token. Check that the application may have the scope "
            "offline_access; not every flow gives one: try it without --device"
        )
        raise LoginError(message)
    return tokens


def _said(error: OAuth2Error) -> str:
    return in_one_line(": ".join(filter(None, (error.error, error.description))))


def _seconds(value: Any, otherwise: float) -> float:
    """Return a number of seconds, which may come as digits in a text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return otherwise
