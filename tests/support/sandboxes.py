"""Sandboxes for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import Sandbox

#: Starts a sandbox with options of `Sandbox`; it ends with the test.
MakeSandbox = Callable[..., Sandbox]


def small_sandbox(**options: Any) -> Sandbox:
    """Return a sandbox: by default a small one that does not limit requests per second."""
    small: dict[str, Any] = {"contacts": 60, "campaigns": 6, "requests_per_second": 0}
    return Sandbox(**{**small, **options})
