"""Draws from a source of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")


def chance(rng: Random, share: float) -> bool:
    """Say yes to a share of all questions."""
    return rng.random() < share


def between(rng: Random, start: int, end: int) -> int:
    """Draw a moment; never one before the start."""
    return rng.randint(start, max(start, end))


def some(rng: Random, things: list[T], most: int) -> list[T]:
    """Draw one or a few of some things."""
    return rng.sample(things, rng.randint(1, most))
