"""Parts of a state: values that mean something only together.

Orchestrators merge the states of interrupted runs and of full refreshes into earlier ones, property
by property, and keep properties that the newer state lacks (Meltano does). A position in one log
would end up beside another log. So such values are an object in a list of one: a merge takes a list
as it is. What a part says is true on its own, and stays true beside any other part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def part_of(state: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a part of a state, or an empty object if the state lacks it."""
    parts: list[dict[str, Any]] = state.get(name) or [{}]
    return parts[-1]  # a merge may append lists; each element is a whole part


def own_part(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a part of a state to be changed; the state gets it if it lacks it."""
    parts: list[dict[str, Any]] = state.setdefault(name, [{}])
    return parts[-1]
