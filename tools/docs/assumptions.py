"""docs/concepts/assumptions.md: what the tap assumes about the API, from the registry."""

from __future__ import annotations

from tap_constantcontact.api.assumptions import ASSUMPTIONS, Assumption, Mark

_HEAD = """\
# Assumptions about the API

The tap relies on some facts that the contract alone doesn't settle. This page lists how each is
known, what relies on it, and what happens if it is wrong. For each, the sandbox has a switch that
makes it false, and a test shows that no row is lost then, or that the run says so.

The authors of the tap had no account to test the API with. If you have one,
[`tap-constantcontact-check`](../guides/check.md) compares most of these assumptions with it.

`make docs` generates this page from `tap_constantcontact/api/assumptions.py`.
"""
_TAIL = """\
## Also not documented

Nothing depends on these:

- an account without SMS may reject the list of SMS lists: they are then skipped with a warning;
- campaigns in status Error, and some that are missing from the summaries, may have counters
  ([doubtful ones](campaigns-and-reports.md#which-campaigns-have-counters));
- the list of automations comes in one response, with the unusual status 209: the contract declares
  no next page, and a link to one would be followed;
- the page size of registrations and links is not documented: links to next pages are followed.
"""
_MEANINGS = {
    Mark.ASSUMED: "Nothing published says so.",
    Mark.INFERRED: "It follows from something that was published.",
    Mark.OBSERVED: "It was seen in published responses or code, or the vendor's support said so.",
    Mark.DOCUMENTED: "The vendor says so, but not everywhere, or not for every case.",
}


def markdown() -> str:
    """Return the content of docs/concepts/assumptions.md."""
    lines = [_HEAD]
    for mark, meaning in _MEANINGS.items():
        lines += [f"## {mark.value.capitalize()}", "", meaning, ""]
        for each in ASSUMPTIONS.values():
            if each.mark is mark:
                lines += _section(each)
    return "\n".join([*lines, _TAIL])


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
