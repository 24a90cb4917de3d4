"""The command `tap-constantcontact-check`, or `python -m tap_constantcontact.check`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from singer_sdk.exceptions import RetriableAPIError

from tap_constantcontact.api.assumptions import ASSUMPTIONS
from tap_constantcontact.check import (  # noqa: F401 - they declare the probes
    campaign_probes,
    contact_probes,
    other_probes,
    report_probes,
)
from tap_constantcontact.check.account_reader import AccountReader, BudgetSpent
from tap_constantcontact.check.command_line import parser
from tap_constantcontact.check.costs import Cost, Size, needed_streams, total_cost
from tap_constantcontact.check.estimate import measure
from tap_constantcontact.check.outcome import Verdict
from tap_constantcontact.check.presentation import (
    estimate_lines,
    finding_lines,
    report_of,
    version_line,
)
from tap_constantcontact.check.probes import Finding, findings
from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import EXIT_FAILED, SIGNAL_STATUS, Refused
from tap_constantcontact.input_files import parse_json
from tap_constantcontact.login.command_line import settings_of
from tap_constantcontact.login.scopes import selected_streams
from tap_constantcontact.login.token_info import fetch_token_info, report
from tap_constantcontact.output.stdout import flushed_stdout
from tap_constantcontact.settings.texts import convert_texts
from tap_constantcontact.tap import TapConstantContact

# One request at a time, so that none is sent ahead.
_SETTINGS = {"on_quota_exceeded": "fail", "max_parallel_requests": 1}


def main() -> None:
    """Check an account, and exit with a status."""
    try:
        with flushed_stdout():
            arguments = parser().parse_args()
            status = _check(arguments)
    except KeyboardInterrupt:
        sys.exit(SIGNAL_STATUS + signal.SIGINT)
    except Exception as error:  # noqa: BLE001 - every failure ends with a message for people
        print(error_message(error), file=sys.stderr)  # noqa: T201 - stdout is for the result
        sys.exit(EXIT_FAILED)
    sys.exit(status)


def _check(arguments: argparse.Namespace) -> int:
    """Print the account, the estimate and the findings; return the exit status."""
    config = _settings(arguments)
    catalog = None
    if path := arguments.catalog:
        catalog = parse_json(Path(path).read_bytes(), path)
    tap = TapConstantContact(config=config, catalog=catalog)
    if arguments.report:
        _check_writable(Path(arguments.report))
    token = fetch_token_info(tap, with_privileges=True)
    for line in report(tap, token):
        _print(line)
    account = AccountReader(tap, tap.config["max_requests"])
    readable = [each for each in selected_streams(tap) if not token.granted.missing_for(each)]
    size, cost = _estimate(account, [stream.name for stream in readable])
    found: list[Finding] = []
    published = ""
    if not arguments.estimate:
        published = _published_version(account)
        _print(version_line(published))
        found = list(findings(account))
        for line in finding_lines(found):
            _print(line)
    _print(f"\n{account.requests_made} requests were made.")
    if arguments.report:
        text = report_of(
            found,
            version=tap.plugin_version,
            published=published,
            requests=account.requests_made,
            size=size,
            cost=cost,
        )
        Path(arguments.report).write_text(text, encoding="utf-8")
        _print(
            f"Report written to {arguments.report}: names of assumptions, counts and shapes only."
        )
    return account.quota_status or (EXIT_FAILED if any(map(_is_harmful, found)) else 0)


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the tap, with the budget of the check."""
    config = settings_of(arguments)
    convert_texts(config, TapConstantContact.config_jsonschema)
    own = config.get("max_requests", arguments.max_requests)
    budget = min(own, arguments.max_requests) if isinstance(own, int) else own
    return {**config, **_SETTINGS, "max_requests": budget}


def _estimate(account: AccountReader, streams: list[str]) -> tuple[Size | None, Cost | None]:
    """Print and return the size of the account, and what the streams cost.

    Args:
        account: The account.
        streams: The selected streams that the token allows.
    """
    try:
        size = measure(account, streams)
    except BudgetSpent:
        spent = account.quota_status
        why = "the daily quota is exhausted" if spent else "--max-requests is too small"
    except Refused as refusal:
        why = f"the API rejected a request ({refusal.status})"
    except RetriableAPIError:
        why = "the API failed"
    else:
        cost = total_cost(needed_streams(streams), size)
        for line in estimate_lines(size, cost, account.tap.config):
            _print(line)
        return size, cost
    _print(f"Size           not known: {why}")
    return None, None


def _published_version(account: AccountReader) -> str:
    try:
        return account.contract_version()
    except BudgetSpent:
        return ""


def _check_writable(path: Path) -> None:
    """Check that a report can be written, before any request is made.

    Raises:
        OSError: It can't.
    """
    is_new = not path.exists()
    path.open("a", encoding="utf-8").close()
    if is_new:
        path.unlink()


def _is_harmful(finding: Finding) -> bool:
    contradicted = finding.outcome.verdict is Verdict.CONTRADICTED
    return contradicted and ASSUMPTIONS[finding.name].is_harmful


def _print(text: str) -> None:
    print(text)  # noqa: T201 - the output of the command


if __name__ == "__main__":
    main()
