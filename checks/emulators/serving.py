"""How a module of this folder talks to the check that has started it: a line of JSON each way."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

# What libraries print is no answer.
_answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def serve(started: Any, answer: Callable[..., Any]) -> None:
    """Answer questions until there are no more.

    Args:
        started: What the check has to know, such as a port.
        answer: Takes a question as keyword arguments; its result is written as JSON, and what JSON
            does not know as text.
    """
    _write(answer=started)
    for question in sys.stdin:
        _write(**_answered(answer, json.loads(question)))


def _answered(answer: Callable[..., Any], question: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": answer(**question)}
    except Exception as error:  # noqa: BLE001 - whatever the emulator raises
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


def _write(**message: Any) -> None:
    _answers.write(json.dumps(message, default=str) + "\n")
    _answers.flush()
