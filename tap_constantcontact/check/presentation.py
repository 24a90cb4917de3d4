"""What the check prints for people, and what it writes for an issue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tap_constantcontact.api.assumptions import ASSUMPTIONS, CONTRACT
from tap_constantcontact.check.costs import RECENT_DAYS, Cost, Size
from tap_constantcontact.check.outcome import Fact, Outcome, Shape, Verdict
from tap_constantcontact.check.probes import Finding

_HOURS = 24


def estimate_lines(size: Size, cost: Cost, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the size of an account, and what a sync of it costs.

    Args:
        size: The size of the account.
        cost: What the selected streams cost.
        settings: The settings of the tap.
    """
    about = " (partly estimated)" if size.is_estimated else ""
    parts = {
        "contacts": f"{size.contacts:,} contacts",
        "campaigns": f"{size.campaigns:,} campaigns, {size.sent:,} of them sent",
        "events": f"{size.events:,} events",
    }
    known = ", ".join(parts[name] for name in size.known)
    yield f"Size           {known or 'not known: no stream that has one can be read'}{about}"
    yield f"First sync     {_requests(cost.first, settings)}"
    yield f"Idle run       {_requests(cost.idle, settings)}"
    if cost.changed:
        sent = f"{size.recent:,} campaign{'' if size.recent == 1 else 's'}"
        why = f"opens and clicks of {sent} sent within {RECENT_DAYS} days"
        yield f"Typical run    {_requests(cost.typical, settings)}; {why}"
    for label, requests, setting in (
        ("Contact sweep", cost.sweep, "contacts_sweep_days"),
        ("Event sweep", cost.event_sweep, "events_sweep_days"),
    ):
        yield f"{label:14} {_requests(requests, settings)}; {setting} is {settings[setting]}"
    daily = cost.per_day(_HOURS, settings)
    share = 100 * daily / settings["daily_quota"]
    yield f"Hourly runs    {daily:,} requests a day, {share:.0f}% of the quota"
    yield f"API key        {_capacity(cost, settings)}"


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a table of what was found, by verdict."""
    width = max(len(finding.name) for finding in findings)
    for verdict in Verdict:
        some = [finding for finding in findings if finding.outcome.verdict is verdict]
        if some:
            yield f"\n{verdict.value.capitalize()}: {len(some)}"
        for name, outcome in some:
            yield f"  {name:{width}}  {_evidence(outcome)}".rstrip()
            if verdict is Verdict.CONTRADICTED:
                known = ASSUMPTIONS[name]
                yield f"  {'':{width}}  {known.effect.value}: {known.if_wrong}"


def version_line(published: str) -> str:
    """Return how the published contract compares with the tap's.

    Args:
        published: The version that the API publishes, or "".
    """
    if not published:
        return f"Contract       {CONTRACT}; the API publishes none"
    note = "the same as the tap's" if published == CONTRACT else f"the tap goes by {CONTRACT}"
    return f"Contract       {published}, {note}"


def report_of(
    findings: Iterable[Finding],
    *,
    version: str,
    published: str,
    requests: int,
    size: Size | None,
    cost: Cost | None,
) -> str:
    """Return the report as JSON. It has names of assumptions, counts and shapes only.

    Args:
        findings: What was found.
        version: The version of the tap.
        published: The version of the published contract, or "".
        requests: The number of requests.
        size: The size of the account, if it was measured.
        cost: What the selected streams cost, if it was estimated.
    """
    content = {
        "tap_version": version,
        "contract": CONTRACT,
        "published_contract": published,
        "requests": requests,
        "size": asdict(size) if size else None,
        "cost": cost._asdict() if cost else None,
        "assumptions": [
            {
                "name": name,
                "mark": ASSUMPTIONS[name].mark.value,
                "verdict": outcome.verdict.value,
                "evidence": {key: _plain(fact) for key, fact in outcome.facts.items()},
                "reason": outcome.reason,
            }
            for name, outcome in findings
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def _evidence(outcome: Outcome) -> str:
    facts = [f"{name.replace('_', ' ')}: {_text(fact)}" for name, fact in outcome.facts.items()]
    return "; ".join([*([outcome.reason] if outcome.reason else []), *facts])


def _text(fact: Fact) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return fact.value if isinstance(fact, Shape) else f"{fact:,}"


def _plain(fact: Fact) -> int | bool | str:
    return fact.value if isinstance(fact, Shape) else fact


def _capacity(cost: Cost, settings: Mapping[str, Any]) -> str:
    """Return how many accounts with these costs an API key has requests for."""
    hourly, six_hourly, daily = (
        settings["daily_quota"] // max(1, cost.per_day(runs, settings)) for runs in (_HOURS, 4, 1)
    )
    if not daily:
        return "not enough for this account daily; sync it less often, or select fewer streams"
    return (
        f"enough to sync {hourly:,} such account{'' if hourly == 1 else 's'} hourly, "
        f"{six_hourly:,} every 6 hours, or {daily:,} daily"
    )


def _requests(requests: int, settings: Mapping[str, Any]) -> str:
    counted = f"{requests:,} request{'' if requests == 1 else 's'}"
    days = -(-requests // settings["daily_quota"])
    if days > 1:
        return f"{counted}, which is the quota of {days} days"
    return f"{counted}, {_duration(requests / settings['requests_per_second'])}"


def _duration(seconds: float) -> str:
    for size, unit in ((3600, "hours"), (60, "minutes"), (1, "seconds")):
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit}"
    return "a second or two"
