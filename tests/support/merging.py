"""States as an orchestrator keeps them."""

from __future__ import annotations

import json
from typing import Any

State = dict[str, Any]


def merged(*states: State) -> State:
    """Return states merged property by property, as Meltano does: the last one wins."""
    result: State = {}
    for state in states:
        _merge(json.loads(json.dumps(state)), result)
    return result


def _merge(source: State, target: State) -> None:
    for key, value in source.items():
        if isinstance(value, dict):
            _merge(value, target.setdefault(key, {}))
        else:
            target[key] = value
