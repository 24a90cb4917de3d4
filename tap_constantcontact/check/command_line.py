"""The arguments of `tap-constantcontact-check`."""

from __future__ import annotations

import argparse

from tap_constantcontact.login.command_line import add_tap
from tap_constantcontact.tap import TapConstantContact

MAX_REQUESTS = 60
_MIN_REQUESTS = 3

_HELP = """
Makes read requests only. The settings are those of the tap: from --config, or from the environment
and .env (TAP_CONSTANTCONTACT_CLIENT_ID, …).

Exit status: 0 success, even if something is contradicted that the tap copes with; 1 failure, or
something is contradicted that you have to do something about; 2 invalid command line; 75 quota
exhausted.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="tap-constantcontact-check",
        description=(
            "Compare what the tap assumes about the API with an account, and estimate what a sync "
            "costs."
        ),
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"%(prog)s {TapConstantContact.plugin_version}"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="only show the account, what the token allows, and what a sync costs",
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        help="write the result as JSON that names nothing of the account, for an issue",
    )
    parser.add_argument(
        "--max-requests",
        metavar="NUMBER",
        type=budget,
        default=MAX_REQUESTS,
        help="maximum number of requests (%(default)s, which is also the largest)",
    )
    add_tap(parser)
    return parser


def budget(text: str) -> int:
    """Return a number of requests given on the command line.

    Raises:
        ArgumentTypeError: It is no number, or out of range.
    """
    if not text.isdecimal() or not _MIN_REQUESTS <= int(text) <= MAX_REQUESTS:
        message = f"{text!r} (must be an integer from {_MIN_REQUESTS} to {MAX_REQUESTS})"
        raise argparse.ArgumentTypeError(message)
    return int(text)
