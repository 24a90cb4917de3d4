"""Serve a sandbox from the command line: `python -m sandbox`."""

from __future__ import annotations

import argparse
import inspect
import json
import re
import signal
import sys
import threading
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from sandbox.server.app import CONTROL_PATH
from sandbox.server.options import Options
from sandbox.server.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.server.served_account import ServedAccount

CONTROLS = (
    f"While it runs, POST {CONTROL_PATH}/changes makes a round of changes to the account "
    "(?account=2: to the second), POST "
    f'{CONTROL_PATH}/faults with {{"path": "/contacts", "fault": "throttled", "times": 2}} makes '
    f"requests fail, and GET {CONTROL_PATH}/requests lists the requests so far."
)

# Marks the file of --config as the sandbox's own: it may be replaced.
_MARK = "sandbox-of-tap-constantcontact"


def main() -> int:
    """Serve until SIGINT or SIGTERM; first print a tap's settings, a line of JSON per account.

    With `--config`, write them to a file per account, and print how to use them.
    """
    command = parser()
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="write the settings to this file, and say how to use it; for several accounts, to "
        "FILE-1, FILE-2 and so on",
    )
    options = vars(command.parse_args())
    configs = _configs(options.pop("config"), options["accounts"])
    for config in configs:
        if not _is_own(config):
            sys.stderr.write(
                f"{config} has other settings: move it, or name another file with --config\n"
            )
            return 1
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    sandbox = Sandbox(**options)
    try:
        sandbox.start()
    except (OSError, UnicodeError) as error:  # the latter for an impossible host name
        address = f"{options['host']}:{options['port']}"
        sys.stderr.write(f"cannot listen on {address}: {_reason(error)}\n")
        return 1
    settings = [_settings(served, sandbox.options) for served in sandbox.accounts]
    for config, its_settings in zip(configs, settings, strict=False):
        _write(config, its_settings)
    if configs:
        sys.stdout.write(_how_to_use(configs, sandbox))
    else:
        sys.stdout.writelines(json.dumps(its_settings) + "\n" for its_settings in settings)
    sys.stdout.flush()
    done.wait()
    sandbox.stop()
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the command line: a flag for each of the `Options`."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        usage="%(prog)s [--help] [--OPTION [VALUE]] ...",
        description="Serve simulated accounts as the Constant Contact v3 API would.",
        epilog=CONTROLS,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    types, helps = get_type_hints(Options), _helps()
    for field in fields(Options):
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            default=field.default,
            help=helps[field.name],
            **_kind(field.name, types[field.name]),
        )
    return parser


def _settings(served: ServedAccount, options: Options) -> dict[str, Any]:
    return {**served.settings, **(served.partner_settings if options.partner_api_key else {})}


def _configs(config: Path | None, accounts: int) -> list[Path]:
    """Return the files of the accounts: config.json, or config-1.json, config-2.json and so on."""
    if config is None:
        return []
    if accounts == 1:
        return [config]
    return [config.with_stem(f"{config.stem}-{number + 1}") for number in range(accounts)]


def _is_own(config: Path) -> bool:
    """Return whether a file is missing or was written by an earlier sandbox."""
    try:
        return _MARK in json.loads(config.read_text("utf-8"))["user_agent"]
    except FileNotFoundError:
        return True
    except (KeyError, OSError, TypeError, ValueError):
        return False


def _write(config: Path, settings: dict[str, Any]) -> None:
    """Write the settings; tokens are kept near them, as they are worth nothing later."""
    tokens = config.resolve().parent / ".sandbox" / "tokens.json"
    own = {"token_store": str(tokens), "user_agent": _MARK}
    config.write_text(json.dumps({**settings, **own}, indent=2) + "\n", "utf-8")


def _how_to_use(configs: list[Path], sandbox: Sandbox) -> str:
    tap = Path(sys.executable).with_name("tap-constantcontact")
    if tap.is_relative_to(Path.cwd()):
        tap = tap.relative_to(Path.cwd())
    account, several = sandbox.account, len(configs) > 1
    what = f"{len(configs)} accounts, each" if several else "an account"
    where = f"{configs[0]} to {configs[-1].name}" if several else configs[0]
    return (
        f"Serving {what} of {len(account.contacts):,} contacts and {len(account.campaigns):,} "
        f"campaigns{',' * several} at {sandbox.settings['api_url']}.\n"
        f"{'Their' if several else 'Its'} settings are in {where}. In another terminal:\n\n"
        f"  {tap} --config {configs[0]} --select contacts,segments | head -20\n\n"
        "Ctrl-C ends it; the settings are of no use after that.\n"
    )


def _kind(name: str, type_: Any) -> dict[str, Any]:
    """Return how a flag is parsed."""
    if type_ is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(type_) is Literal:
        return {"choices": get_args(type_)}
    if name in READERS:
        metavar, reader = READERS[name]
        return {"type": reader, "metavar": metavar}
    return {"type": type_}


def _helps() -> dict[str, str]:
    """Read the help of each option from the docstring."""
    attributes = (inspect.getdoc(Options) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.replace("%", "%%").split()) for name, text in found}


def _reason(error: OSError | UnicodeError) -> str:
    """Return the reason without the address that Python appends."""
    return str(getattr(error, "strerror", None) or error).partition(" (while ")[0]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"Invalid port: {port} (must be 0 to 65535)")
    return port


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"Invalid number: {number} (must be at least 1)")
    return number


def _range(text: str) -> tuple[float, float]:
    minimum, _, maximum = text.partition("-")
    return float(minimum), float(maximum or minimum)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "accounts": ("NUMBER", _number),
    "api_keys": ("NUMBER", _number),
    "now": ("YYYY-MM-DDTHH:MM:SSZ", _moment),
    "port": ("PORT", _port),
    "scopes": ("NAME,NAME", _names),
    "privileges": ("NAME,NAME", _names),
    "latency": ("MIN-MAX", _range),
}


if __name__ == "__main__":
    sys.exit(main())
