"""The command `tap-constantcontact-login`, or `python -m tap_constantcontact.login`."""

from __future__ import annotations

import sys

if __name__ == "__main__":  # before the imports that take long
    from tap_constantcontact import entry_points

    entry_points.login()
    sys.exit()

import argparse
import getpass
import signal
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import EXIT_FAILED, SIGNAL_STATUS
from tap_constantcontact.input_files import read_catalog
from tap_constantcontact.login.application import Application
from tap_constantcontact.login.browser import open_in_browser
from tap_constantcontact.login.callback import CallbackServer, is_sign_in_response
from tap_constantcontact.login.command_line import parser, settings_of
from tap_constantcontact.login.scopes import (
    OFFLINE_ACCESS,
    account_streams,
    required_scopes,
    selected_streams,
)
from tap_constantcontact.login.token_info import fetch_token_info, report
from tap_constantcontact.output.stdout import flushed_stdout
from tap_constantcontact.settings import validation
from tap_constantcontact.settings.redis_urls import is_redis, without_credentials
from tap_constantcontact.streams.account import Account
from tap_constantcontact.tap import TapConstantContact
from tap_constantcontact.token_store import open_token_store
from tap_constantcontact.token_store.base import Tokens, TokenStore

_MAX_PASTES = 3
_PREFIX = "TAP_CONSTANTCONTACT_"
_TOKENS = {"refresh_token", "access_token"}
_PRINTED = ("client_id", "client_secret", "refresh_token", "token_store", "token_store_key")
_NOT_SIGNED_IN = "none yet"


def main() -> None:
    """Sign in, or show the status of a sign-in."""
    try:
        with flushed_stdout():
            arguments = parser().parse_args()
            (_show_status if arguments.status else _sign_in)(arguments)
    except KeyboardInterrupt:
        sys.exit(SIGNAL_STATUS + signal.SIGINT)
    except Exception as error:  # noqa: BLE001 - every failure ends with a message for people
        _print(error_message(error))
        sys.exit(EXIT_FAILED)


def _sign_in(arguments: argparse.Namespace) -> None:
    """Get a refresh token, store it, and check that it works."""
    try:
        from tap_constantcontact.login import flows  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        message = "Signing in requires the login extra: pip install 'tap-constantcontact[login]'"
        raise ConfigurationError(message) from error
    config = _settings(arguments)
    prompted = "client_secret" not in config
    if prompted:
        config["client_secret"] = _prompt_for_secret(arguments)
    tap = _tap({**config, "refresh_token": _NOT_SIGNED_IN}, arguments.catalog)
    scopes = _scopes(arguments, tap)
    application = Application(
        client_id=tap.config["client_id"],
        client_secret=tap.config.get("client_secret"),
        token_url=tap.config["auth_url"],
        user_agent=tap.user_agent,
    )
    if "token_store" in tap.config:
        _check_writable(_open_store(tap.config, _NOT_SIGNED_IN))
    _print(f"Requesting the scopes {' '.join(sorted(scopes))}.")
    with _signed_in(arguments, application, scopes) as tokens:
        try:
            store = _store(tap.config, tokens)
        finally:  # if one of the two fails, the other one has the tokens
            _show_settings(tap.config, tokens, with_secret=arguments.with_secret)
    _print(f"Tokens stored in {store}.")
    _verify({**tap.config, "refresh_token": tokens["refresh_token"]}, arguments, scopes)
    hidden = [] if arguments.with_secret else _secrets(tap.config)
    if not prompted and "client_secret" in hidden:
        hidden.remove("client_secret")  # it is in the settings already
    if hidden:
        lines = "\n".join(f"{_PREFIX}{name.upper()}=…" for name in hidden)
        _print(
            "The lines above lack secrets, and runs fail without them. Add to .env yourself:\n"
            f"{lines}\n(--with-secret would have printed them with the others.)"
        )


def _show_status(arguments: argparse.Namespace) -> None:
    """Print what the token in the settings is allowed to do."""
    tap = _tap(_settings(arguments))
    for line in report(tap, fetch_token_info(tap, with_privileges=True)):
        print(line)  # noqa: T201 - the output of the command


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings as given, with those of the command line.

    Raises:
        ConfigurationError: The client ID is missing.
    """
    config = settings_of(arguments)
    for name in ("client_id", "token_store"):
        config[name] = getattr(arguments, name) or config.get(name)
    validation.tidy(config)
    if arguments.status and config.get("client_id") and not config.keys() & _TOKENS:
        message = (
            "Missing refresh_token: the sign-in printed it. Add it to the settings, which are read "
            "from --config, or from the environment and .env"
        )
        raise ConfigurationError(message)
    if not config.get("client_id") and not arguments.status:
        message = (
            "Missing client ID: pass --client-id, the API key of your application in the "
            "developer portal"
        )
        raise ConfigurationError(message)
    return config


def _prompt_for_secret(arguments: argparse.Namespace) -> str | None:
    """Prompt for the application's secret without echo; None if there is none."""
    if arguments.no_secret or not (sys.stdin and sys.stdin.isatty()):
        return None
    prompt = "Application secret (press Enter for a PKCE application, which has none): "
    return getpass.getpass(prompt, stream=sys.stderr) or None


def _scopes(arguments: argparse.Namespace, tap: TapConstantContact) -> frozenset[str]:
    """Return the scopes to request.

    Raises:
        ConfigurationError: A scope is unknown, or no stream is selected.
    """
    selected = selected_streams(tap)
    if arguments.scopes is None:
        if not selected:
            message = "The catalog selects no stream of the account. Select one, or pass --scopes"
            raise ConfigurationError(message)
        if tap.config["add_account_id"]:
            selected.append(tap.stream(Account))
        return required_scopes(selected) | {OFFLINE_ACCESS}
    scopes = frozenset(arguments.scopes.replace(",", " ").split()) | {OFFLINE_ACCESS}
    known = required_scopes(account_streams(tap)) | {OFFLINE_ACCESS}
    if unknown := sorted(scopes - known):
        message = f"Invalid --scopes: {unknown[0]!r} (must be among {', '.join(sorted(known))})"
        raise ConfigurationError(message)
    return scopes


@contextmanager
def _signed_in(
    arguments: argparse.Namespace, application: Application, scopes: Collection[str]
) -> Iterator[Tokens]:
    """Sign in and yield the tokens; the browser of this machine shows what becomes of them.

    Raises:
        LoginError: There are no tokens.
    """
    from tap_constantcontact.login import flows  # noqa: PLC0415 - an extra

    if arguments.device:
        yield flows.sign_in_with_device_code(application, scopes, _show_code)
        return
    sign_in = flows.BrowserSignIn(application, scopes, arguments.redirect_uri)
    if arguments.paste:
        yield sign_in.tokens(_paste(sign_in.url, sign_in.state), _say_retrying)
        return
    with CallbackServer(arguments.redirect_uri, sign_in.state) as server:
        _print(f"Open this page, sign in and allow access:\n\n  {sign_in.url}\n")
        if arguments.no_browser or not open_in_browser(sign_in.url):
            _print("Use a browser on this machine; on another machine, use --paste.")
        _print(f"Waiting for the browser at {arguments.redirect_uri} …")
        yield sign_in.tokens(server.wait(arguments.timeout), _say_retrying)


def _say_retrying(problem: str) -> None:
    _print(f"{problem}. Trying again …")


def _paste(url: str, state: str) -> str:
    """Return the URL that a browser on any machine was redirected to.

    Raises:
        ConfigurationError: No such URL was pasted.
    """
    _print(
        f"Open this page in any browser, sign in and allow access:\n\n  {url}\n\n"
        "The browser then goes to an address that it may not be able to open; that's fine.\n"
        "Copy the whole address from the address bar and paste it here."
    )
    for _ in range(_MAX_PASTES):
        _print("Address: ", end="")
        line = sys.stdin.readline() if sys.stdin else ""
        query = line.strip().partition("?")[2].partition("#")[0]
        if is_sign_in_response(query, state):
            return line.strip()
        if not line:
            break
        _print("That address isn't from this sign-in: it must contain code=… and state=….")
    raise ConfigurationError("No address was pasted. Try again")


def _show_code(url: str, code: str, complete_url: str) -> None:
    """Show the code for a device, to be entered on any machine."""
    _print(
        f"On any machine with a browser, open\n\n  {url}\n\n"
        f"sign in, and enter the code\n\n  {code}\n"
    )
    if complete_url:
        _print(f"This address includes the code: {complete_url}\n")
    _print("Waiting for the code …")


def _show_settings(config: Mapping[str, Any], tokens: Tokens, *, with_secret: bool) -> None:
    """Print the lines for .env; secrets that the person knows only on request."""
    _print("Add these lines to .env, which Meltano and --config ENV read:\n")
    hidden = [] if with_secret else _secrets(config)
    settings = {**config, "refresh_token": tokens["refresh_token"]}
    for name in _PRINTED:
        if settings.get(name) and name not in hidden:
            print(f"{_PREFIX}{name.upper()}={settings[name]}")  # noqa: T201 - the output of the command
    sys.stdout.flush()
    _print("")


def _secrets(config: Mapping[str, Any]) -> list[str]:
    """Return the names of settings that are secrets, without the refresh token.

    The URL of a token store is one if it has credentials or options, such as a password.
    """
    store = config.get("token_store", "")
    is_secret = is_redis(store) and store != without_credentials(store)
    names = ("client_secret", *(["token_store"] if is_secret else []), "token_store_key")
    return [name for name in names if config.get(name)]


def _store(config: Mapping[str, Any], tokens: Tokens) -> TokenStore:
    """Store tokens where the tap looks for them, and return the store.

    Raises:
        LoginError: They can't be stored.
    """
    store = _open_store(config, tokens["refresh_token"])
    with store.locked():
        store.write({**tokens, "has_secret": bool(config.get("client_secret"))})
    return store


def _open_store(config: Mapping[str, Any], refresh_token: str) -> TokenStore:
    return open_token_store(
        config.get("token_store"),
        config["client_id"],
        refresh_token,
        key=config.get("token_store_key"),
    )


def _check_writable(store: TokenStore) -> None:
    """Check the token store before anybody signs in.

    Raises:
        LoginError: It can't be written.
    """
    with store.locked():
        store.check_writable()


def _verify(config: dict[str, Any], arguments: argparse.Namespace, scopes: Collection[str]) -> None:
    """Request the account as the tap would, and print what can't be read."""
    tap = _tap(config, arguments.catalog)
    token = fetch_token_info(tap, with_privileges=False)
    for stream in selected_streams(tap):
        if permission := token.granted.missing_for(stream):
            _print(f"{stream.name} can't be read: requires {permission}.")
    granted = token.granted.scopes
    if granted is not None and (missing := sorted(set(scopes) - granted)):
        _print(f"Constant Contact didn't grant {', '.join(missing)}.")
    nameless = "token accepted (account name not shown: requires the scope account_read)"
    _print(f"Signed in: {token.account or nameless}")


def _tap(config: dict[str, Any], catalog: str | None = None) -> TapConstantContact:
    """Return a tap that neither waits for the quota to reset nor has a budget of its own."""
    tap = TapConstantContact(config=config, catalog=read_catalog(catalog) if catalog else None)
    tap.has_budget = False
    return tap


def _print(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)  # noqa: T201 - stdout is for .env
