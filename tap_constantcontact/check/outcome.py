"""What a probe found out about an assumption, in counts and shapes only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Verdict(str, Enum):
    """What an account shows of an assumption."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOT_OBSERVABLE = "not observable"


class Shape(str, Enum):
    """What a value looks like, in place of the value."""

    PAGE_NUMBER = "number of a page"
    POSITION = "position in the list"
    OFFSET = "offset"
    KEYSET = "keyset"
    OPAQUE = "opaque"
    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"
    UPDATED_FIRST = "last updated first"
    UNSORTED = "another order"


#: A count, a yes or no, or a shape: nothing that an account holds.
Fact = int | bool | Shape


@dataclass(frozen=True)
class Outcome:
    """The result of a probe.

    Attributes:
        verdict: What the account shows.
        facts: The evidence. By its types, it can't hold a value of the account.
        reason: Why nothing could be observed: words of the code, never of the account.
    """

    verdict: Verdict
    facts: Mapping[str, Fact] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse evidence of any other type.

        Raises:
            TypeError: A fact is neither a count nor a yes or no nor a shape.
        """
        for name, fact in self.facts.items():
            if not isinstance(fact, (int, Shape)):
                raise TypeError(name)


def confirmed(**facts: Fact) -> Outcome:
    """Return that an assumption holds."""
    return Outcome(Verdict.CONFIRMED, facts)


def contradicted(**facts: Fact) -> Outcome:
    """Return that an assumption does not hold."""
    return Outcome(Verdict.CONTRADICTED, facts)


def not_observable(reason: str, **facts: Fact) -> Outcome:
    """Return that this account can't show it."""
    return Outcome(Verdict.NOT_OBSERVABLE, facts, reason)


def decided(holds: bool, **facts: Fact) -> Outcome:  # noqa: FBT001 - reads as a sentence
    """Return whether an assumption holds."""
    return confirmed(**facts) if holds else contradicted(**facts)
