"""The command line: `tap-constantcontact-login`, or `python -m tap_constantcontact.login`."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.__main__ import forget_empty_variables
from tap_constantcontact.auth import Tokens, TokenStore, default_token_store, fingerprint
from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import EXIT_FAILED, SIGNAL_STATUS
from tap_constantcontact.login.account import report, signed_in
from tap_constantcontact.login.application import Application
from tap_constantcontact.login.callback import Callback, is_answer
from tap_constantcontact.login.scopes import (
    OFFLINE_ACCESS,
    scopes_of,
    selected_streams,
    streams_of_account,
)
from tap_constantcontact.output.stdout import flushed_stdout
from tap_constantcontact.settings import validation
from tap_constantcontact.tap import TapConstantContact

REDIRECT_URI = "http://localhost:8888"
_PATIENCE_SECONDS = 300.0  # so long a code is good (seen)
_PASTES = 3
_STDOUT, _STDERR = 1, 2
_NOT_YET = "none yet"
# A sign-in neither waits for a day to end nor has a part in the budget of a run.
_NO_BUDGET = {"on_quota_exceeded": "fail", "max_requests": None}

_HELP = """
The refresh token goes to stdout, as lines for .env; everything else to stderr. Settings are those
of the tap: from --config, else from the environment and .env (TAP_CONSTANTCONTACT_CLIENT_ID, …).
The secret of an application is taken from there or asked for, and never from the command line; one
of the PKCE kind has none. The application has to know the redirect URI: add it in the developer
portal.

Exit statuses: 0 done, 1 failed, 2 wrong use of the command line, 75 the quota is used up.
"""


def main() -> None:
    """Sign in, or say what a sign-in is good for."""
    forget_empty_variables()
    try:
        with flushed_stdout():
            arguments = _parser().parse_args()
            (_status if arguments.status else _sign_in)(arguments)
    except KeyboardInterrupt:
        sys.exit(SIGNAL_STATUS + signal.SIGINT)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in words for people
        _say(error_message(error))
        sys.exit(EXIT_FAILED)


def _sign_in(arguments: argparse.Namespace) -> None:
    """Get a refresh token, store it, and prove that it works."""
    try:
        from tap_constantcontact.login import flows  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = "To sign in needs a package more: install tap-constantcontact[login]"
        raise ConfigurationError(message) from error
    config = _settings(arguments)
    if "client_secret" not in config:
        config["client_secret"] = _secret(arguments)
    tap = TapConstantContact(
        config={**config, "refresh_token": _NOT_YET}, catalog=_path(arguments.catalog)
    )
    scopes = _scopes(arguments, tap)
    application = Application(
        client_id=tap.config["client_id"],
        client_secret=tap.config.get("client_secret"),
        token_url=tap.config["auth_url"],
        user_agent=tap.user_agent,
    )
    if "token_store" in tap.config:
        _prove_writable(Path(tap.config["token_store"]).expanduser())
    _say(f"Asks for the scopes {' '.join(sorted(scopes))}.")
    if arguments.device:
        tokens = flows.sign_in_by_device(application, scopes, _show_code)
    else:
        ask = _paste if arguments.paste else _browse(arguments)
        tokens = flows.sign_in_by_code(application, scopes, arguments.redirect_uri, ask)
    try:
        path = _keep(tap.config, tokens)
    finally:  # where one of the two fails, the other one has the tokens
        _show_settings(tap.config, tokens)
    _say(f"The tokens are kept in {path}.")
    _prove({**tap.config, "refresh_token": tokens["refresh_token"]}, arguments, scopes)


def _status(arguments: argparse.Namespace) -> None:
    """Say what the sign-in of the settings is good for."""
    tap = TapConstantContact(config=_settings(arguments))
    for line in report(tap, signed_in(tap, with_privileges=True)):
        print(line)  # noqa: T201 - what was asked for


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings as given, with those of the command line.

    Raises:
        ConfigurationError: there is no client ID.
    """
    files = tuple(arguments.config) or ("ENV",)
    given = TapConstantContact.cb_config(None, None, files)  # type: ignore[arg-type]
    config: dict[str, Any] = dict(given.config)
    if given.parse_env:
        config.update(TapConstantContact.environment())
    for name in ("client_id", "token_store"):
        config[name] = getattr(arguments, name) or config.get(name)
    config.update(_NO_BUDGET)
    validation.tidy(config)
    if not config.get("client_id") and not arguments.status:
        message = (
            "A client ID is needed: give --client-id, the API key of your application in the "
            "developer portal"
        )
        raise ConfigurationError(message)
    return config


def _secret(arguments: argparse.Namespace) -> str | None:
    """Return the secret of the application, as somebody types it, unseen; or none."""
    if arguments.no_secret or not (sys.stdin and sys.stdin.isatty()):
        return None
    prompt = "Secret of the application (just Enter for one of the PKCE kind, which has none): "
    return getpass.getpass(prompt, stream=sys.stderr) or None


def _scopes(arguments: argparse.Namespace, tap: TapConstantContact) -> frozenset[str]:
    """Return the scopes to ask for, and say which streams those given are too few for.

    Raises:
        ConfigurationError: there is no such scope, or no stream to read.
    """
    selected = selected_streams(tap)
    if arguments.scopes is None:
        if not selected:
            raise ConfigurationError("The catalog selects no stream of an account")
        return scopes_of(selected) | {OFFLINE_ACCESS}
    scopes = frozenset(arguments.scopes.replace(",", " ").split()) | {OFFLINE_ACCESS}
    known = scopes_of(streams_of_account(tap)) | {OFFLINE_ACCESS}
    if unknown := sorted(scopes - known):
        message = f"No stream needs the scope {unknown[0]}; there are {', '.join(sorted(known))}"
        raise ConfigurationError(message)
    return scopes


def _browse(arguments: argparse.Namespace) -> Callable[[str, str], str]:
    """Return what has a person sign in with the browser of this machine."""

    def ask(url: str, state: str) -> str:
        with Callback(arguments.redirect_uri, state) as callback:
            _say(f"Sign in on this page, and allow the access:\n\n  {url}\n")
            if arguments.no_browser or not _opened(url):
                _say("Open it in a browser of this machine; on another one, use --paste.")
            _say(f"Waits for the answer at {arguments.redirect_uri} …")
            return callback.wait(arguments.timeout)

    return ask


def _opened(url: str) -> bool:
    """Open an address in a browser, and return whether there is one.

    What a browser prints goes to stderr: lines for .env alone go to stdout.
    """
    ours = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    try:
        return webbrowser.open(url)
    finally:
        os.dup2(ours, _STDOUT)
        os.close(ours)


def _paste(url: str, state: str) -> str:
    """Return the address that somebody has come to in a browser anywhere.

    Raises:
        ConfigurationError: what was pasted is not the answer.
    """
    _say(
        f"Sign in on this page, in any browser, and allow the access:\n\n  {url}\n\n"
        "The browser then goes to an address that it may not be able to show: that is all right.\n"
        "Copy the whole address out of its address bar, and paste it here."
    )
    for _ in range(_PASTES):
        _say("Address: ", end="")
        line = sys.stdin.readline() if sys.stdin else ""
        if is_answer(line.strip().partition("?")[2].partition("#")[0], state):
            return line.strip()
        if not line:
            break
        _say("That is not the answer to this sign-in: it has a code and a state in it.")
    raise ConfigurationError("No answer was pasted. Try it again")


def _show_code(address: str, code: str, complete: str) -> None:
    """Show a code for a device, which is to be entered anywhere."""
    _say(
        f"On any machine with a browser, open\n\n  {address}\n\n"
        f"sign in, and enter the code\n\n  {code}\n"
    )
    if complete:
        _say(f"The code is in this address already: {complete}\n")
    _say("Waits for that …")


def _show_settings(config: Mapping[str, Any], tokens: Tokens) -> None:
    """Print what belongs into .env; a secret that the person knows is not repeated."""
    _say("This belongs into .env, from where Meltano and --config ENV take it:\n")
    _put("CLIENT_ID", config["client_id"])
    if config.get("client_secret"):
        _say("# and TAP_CONSTANTCONTACT_CLIENT_SECRET, which is not shown here")
    _put("REFRESH_TOKEN", tokens["refresh_token"])
    if "token_store" in config:
        _put("TOKEN_STORE", config["token_store"])
    sys.stdout.flush()
    _say("")


def _put(name: str, value: str) -> None:
    print(f"TAP_CONSTANTCONTACT_{name}={value}")  # noqa: T201 - what was asked for


def _keep(config: Mapping[str, Any], tokens: Tokens) -> Path:
    """Store tokens where the tap looks for them, and return the file.

    Raises:
        LoginError: they cannot be stored.
    """
    client_id, refresh_token = config["client_id"], tokens["refresh_token"]
    given = config.get("token_store")
    path = Path(given).expanduser() if given else default_token_store(client_id, refresh_token)
    store = TokenStore(path, seed=fingerprint(client_id, refresh_token))
    with store.locked():
        store.write(tokens)
    return path


def _prove_writable(path: Path) -> None:
    """Notice a store that cannot be written to before anybody signs in.

    Raises:
        LoginError: it cannot.
    """
    store = TokenStore(path, seed="")
    with store.locked():
        store.prove_writable()


def _prove(config: dict[str, Any], arguments: argparse.Namespace, scopes: Collection[str]) -> None:
    """Ask the API for the account, as the tap would, and say what cannot be read."""
    tap = TapConstantContact(config=config, catalog=_path(arguments.catalog))
    sign_in = signed_in(tap, with_privileges=False)
    for stream in selected_streams(tap):
        if what := sign_in.rights.lacking(stream):
            _say(f"{stream.name} cannot be read: that needs {what}.")
    granted = sign_in.rights.scopes
    if granted is not None and (missing := sorted(set(scopes) - granted)):
        _say(f"Constant Contact has not granted {', '.join(missing)}.")
    unnamed = "the API takes the token (the account's name takes the scope account_read)"
    _say(f"Signed in: {sign_in.account or unnamed}")


def seconds(text: str) -> float:
    """Return how long to wait, as the command line says it.

    Raises:
        ValueError: nobody can wait so long.
    """
    wait = float(text)
    if not 0 <= wait <= threading.TIMEOUT_MAX:
        raise ValueError(text)
    return wait


def _path(catalog: str | None) -> Path | None:
    return Path(catalog) if catalog else None


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)  # noqa: T201 - to people


def _parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="tap-constantcontact-login",
        description="Sign in to Constant Contact once, and get the refresh token for the tap.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"%(prog)s {TapConstantContact.plugin_version}"
    parser.add_argument("--version", action="version", version=version)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--device", action="store_true", help="sign in on another machine, with a code"
    )
    ways.add_argument(
        "--paste",
        action="store_true",
        help="sign in in any browser, and paste the address that it goes to",
    )
    ways.add_argument(
        "--status",
        action="store_true",
        help="say whose account it is, which scopes the token has, until when, and which streams "
        "that allows",
    )
    parser.add_argument("--client-id", metavar="KEY", help="API key of the application")
    parser.add_argument(
        "--no-secret", action="store_true", help="do not ask for a secret: it is of the PKCE kind"
    )
    parser.add_argument(
        "--scopes",
        metavar="NAMES",
        help="ask for these only, and for offline_access; default: what the selected streams need",
    )
    parser.add_argument(
        "--catalog", metavar="FILE", help="the catalog that selects streams; default: the tap's"
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        action="append",
        default=[],
        help="settings of the tap, or ENV for those of the environment; several are merged",
    )
    parser.add_argument("--token-store", metavar="FILE", help="where tokens are kept")
    parser.add_argument(
        "--redirect-uri",
        metavar="URI",
        default=REDIRECT_URI,
        help="where the browser goes with the answer (%(default)s); the application has to know it",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="open no browser, show the address only"
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=_PATIENCE_SECONDS,
        help="how long to wait for the browser (%(default).0f)",
    )
    return parser


if __name__ == "__main__":
    main()
