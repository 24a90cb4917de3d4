"""Serve a sandbox by hand: `python -m sandbox`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from sandbox.options import Options
from sandbox.server import Sandbox


def main() -> int:
    """Serve until SIGINT or SIGTERM; print the settings of a tap first, as one line of JSON."""
    options = vars(parser().parse_args())
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    sandbox = Sandbox(**options)
    try:
        sandbox.start()
    except OSError as error:
        address = f"{options['host']}:{options['port']}"
        sys.stderr.write(f"cannot listen on {address}: {os.strerror(error.errno or 0)}\n")
        return 1
    sys.stdout.write(json.dumps(sandbox.settings) + "\n")
    sys.stdout.flush()
    done.wait()
    sandbox.stop()
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    defaults = Options()
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Serve a made-up account as the Constant Contact v3 API would.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default=defaults.host, help="address to listen on")
    add("--port", type=int, default=defaults.port, help="port to listen on; 0 = any free one")
    add("--contacts", type=int, default=defaults.contacts, help="contacts in the account")
    add("--campaigns", type=int, default=defaults.campaigns, help="email campaigns in the account")
    add("--seed", type=int, default=defaults.seed, help="equal seeds make equal accounts")
    add(
        "--requests-per-second",
        type=int,
        default=defaults.requests_per_second,
        help="requests that any one second may hold; 0 = no limit",
    )
    add(
        "--daily-quota",
        type=int,
        default=defaults.daily_quota,
        help="requests that a UTC day may hold; 0 = no limit",
    )
    add(
        "--token-lifetime",
        type=float,
        default=defaults.token_lifetime,
        help="seconds until an access token expires",
    )
    add(
        "--latency",
        type=_range,
        default="0-0",
        metavar="MIN-MAX",
        help="seconds to hold each answer back",
    )
    add(
        "--long-lived-tokens",
        action="store_true",
        help="repeat the same refresh token instead of rotating it",
    )
    add("--public-client", action="store_true", help="a PKCE key, without a secret")
    return parser


def _range(text: str) -> tuple[float, float]:
    least, _, most = text.partition("-")
    return float(least), float(most or least)


if __name__ == "__main__":
    sys.exit(main())
