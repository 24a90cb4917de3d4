"""docs/assumptions.md: what the tap assumes about the API, from the registry."""

from __future__ import annotations

from tap_constantcontact.api.assumptions import ASSUMPTIONS, Assumption, Mark

_HEAD = """\
# Assumptions about the API

What the tap relies on and the contract alone doesn't settle: from where each fact is known, what
relies on it, and what happens if it is wrong. Each has a switch in the sandbox that makes it false,
and a test that no row is lost then, or that the run says so.

Nobody who wrote the tap has seen the API from inside an account. If you have one,
[`tap-constantcontact-check`](check.md) compares most of this with it.

`make docs` generates this page from `tap_constantcontact/api/assumptions.py`.
"""
_MEANINGS = {
    Mark.ASSUMED: "Nothing published says so.",
    Mark.INFERRED: "It follows from something that was published.",
    Mark.OBSERVED: "It was seen in published responses or code, or the vendor's support said so.",
    Mark.DOCUMENTED: "The vendor says so, but not everywhere, or not for every case.",
}


def markdown() -> str:
    """Return the content of docs/assumptions.md."""
    lines = [_HEAD]
    for mark, meaning in _MEANINGS.items():
        lines += [f"## {mark.value.capitalize()}", "", meaning, ""]
        for each in ASSUMPTIONS.values():
            if each.mark is mark:
                lines += _section(each)
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(each: Assumption) -> list[str]:
    return [
        f"### `{each.name}`",
        "",
        each.claim,
        "",
        f"- Source: {each.source}.",
        f"- Used: {each.used_by}.",
        f"- If it is wrong ({each.effect.value}): {each.if_wrong}",
        "",
    ]
