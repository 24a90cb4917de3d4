"""The arguments of `tap-constantcontact-login`."""

from __future__ import annotations

import argparse
import threading
from typing import Any

from tap_constantcontact.tap import TapConstantContact

_REDIRECT_URI = "http://localhost:8888"
_TIMEOUT_SECONDS = 300.0  # a code is valid for so long (observed)

_HELP = """
The refresh token is printed to stdout, as lines for .env; everything else goes to stderr. The
settings are those of the tap: from --config, or from the environment and .env
(TAP_CONSTANTCONTACT_CLIENT_ID, …). The application's secret is taken from there or prompted for,
never from the command line; PKCE applications have none. It is printed only with --with-secret, and
so are a token store's password and key. The redirect URI must be registered for the application in
the developer portal.

Exit status: 0 success, 1 failure, 2 invalid command line, 75 quota exhausted.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="tap-constantcontact-login",
        description="Sign in to Constant Contact once, and get the refresh token for the tap.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"%(prog)s {TapConstantContact.plugin_version}"
    parser.add_argument("--version", action="version", version=version)
    _add_modes(parser)
    _add_application(parser)
    add_tap(parser)
    parser.add_argument(
        "--token-store",
        metavar="PLACE",
        help="file that keeps the tokens, or URL of a Redis server",
    )
    _add_browser(parser)
    return parser


def seconds(text: str) -> float:
    """Return a timeout given on the command line.

    Raises:
        ValueError: It is not a possible number of seconds.
    """
    timeout = float(text)
    if not 0 <= timeout <= threading.TIMEOUT_MAX:
        raise ValueError(text)
    return timeout


def _add_modes(parser: argparse.ArgumentParser) -> None:
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument(
        "--device", action="store_true", help="sign in on another machine by entering a code"
    )
    modes.add_argument(
        "--paste",
        action="store_true",
        help="sign in with any browser, then paste the address that it ends at",
    )
    modes.add_argument(
        "--status",
        action="store_true",
        help="show the account, the token's scopes and expiry, and which streams can be read",
    )


def _add_application(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--client-id", metavar="KEY", help="API key of the application")
    parser.add_argument(
        "--no-secret",
        action="store_true",
        help="don't prompt for a secret, because it is a PKCE application",
    )
    parser.add_argument(
        "--with-secret",
        action="store_true",
        help="print secrets with the other lines for .env",
    )
    parser.add_argument(
        "--scopes",
        metavar="NAMES",
        help="scopes to request instead of those that the selected streams require; "
        "offline_access is always included",
    )


def add_tap(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which tap it is about: its settings and its streams."""
    parser.add_argument(
        "--catalog",
        metavar="FILE",
        help="catalog that selects streams; default: the tap's default streams",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        action="append",
        default=[],
        help="settings of the tap, or ENV for the environment; can be repeated",
    )


def settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the options name, as given; those of the environment by default."""
    files = tuple(arguments.config) or ("ENV",)
    given = TapConstantContact.cb_config(None, None, files)  # type: ignore[arg-type]
    environment = TapConstantContact.environment() if given.parse_env else {}
    return {**given.config, **environment}


def _add_browser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--redirect-uri",
        metavar="URI",
        default=_REDIRECT_URI,
        help="where the browser is redirected to (%(default)s); must be registered for the "
        "application",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="show the address without opening a browser"
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=_TIMEOUT_SECONDS,
        help="how long to wait for the browser (%(default).0f)",
    )
