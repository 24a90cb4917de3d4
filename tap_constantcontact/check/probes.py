"""The probes: one for each assumption that reading an account can show something about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_constantcontact.api.assumptions import ASSUMPTIONS
from tap_constantcontact.check.account_reader import AccountReader, BudgetSpent
from tap_constantcontact.check.outcome import Outcome, not_observable
from tap_constantcontact.exceptions import LoginError, Refused

Probe = Callable[[AccountReader], Outcome]

#: What no reading shows, and why.
UNREADABLE = {
    "counters_show_new_rows": "it takes two checks, with new rows in between",
    "sms_counts_settle": "it takes two checks, 90 days apart",
    "keys_with_a_secret_may_use_pkce": "it takes a sign-in",
    "used_refresh_tokens_are_void": "trying it would end the sign-in",
    "void_tokens_are_status_400": "trying it would end the sign-in",
}
_PROBES: dict[str, Probe] = {}


class Finding(NamedTuple):
    """An assumption, and what the account shows of it.

    Attributes:
        name: The name of the assumption.
        outcome: What was found.
    """

    name: str
    outcome: Outcome


def probe(name: str) -> Callable[[Probe], Probe]:
    """Declare the probe of an assumption.

    Args:
        name: The name of the assumption.
    """

    def declare(function: Probe) -> Probe:
        _PROBES[name] = function
        return function

    return declare


def findings(account: AccountReader) -> Iterator[Finding]:
    """Yield what the account shows of each assumption."""
    for name in ASSUMPTIONS:
        yield Finding(name, _outcome(name, account))


def probed() -> set[str]:
    """Return the names of the assumptions that have a probe."""
    return {*_PROBES}


def _outcome(name: str, account: AccountReader) -> Outcome:
    if name in UNREADABLE:
        return not_observable(UNREADABLE[name])
    try:
        return _PROBES[name](account)
    except BudgetSpent:
        spent = "daily quota" if account.quota_status else "request budget of the check"
        reason = f"the {spent} is exhausted"
    except LoginError:
        reason = "no token was issued"
    except Refused as refusal:
        return not_observable("the API rejected the request", status=refusal.status)
    except RetriableAPIError:
        reason = "the API failed"
    # An account can hold what the docs don't show; the other probes go on.
    except (AttributeError, LookupError, TypeError, ValueError, FatalAPIError):
        reason = "a response has an unexpected form"
    return not_observable(reason)


def spread(rows: list[Any], count: int) -> list[Any]:
    """Return some rows, evenly spread."""
    return rows[:: max(1, -(-len(rows) // count))]
