"""Random choices from a seeded source."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")


def chance(rng: Random, share: float) -> bool:
    """Return True with a given probability."""
    return rng.random() < share


def between(rng: Random, start: int, end: int) -> int:
    """Return a random time, never before the start."""
    return rng.randint(start, max(start, end))


def sample(rng: Random, items: list[T], maximum: int) -> list[T]:
    """Return one or more random items, up to a maximum number."""
    return rng.sample(items, rng.randint(1, maximum))
