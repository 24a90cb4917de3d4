"""The messages that the tap has for people, found in its code.

Texts that are raised, logged or told; `…` stands for what is put into them. Parts of fewer than
two words are not messages of their own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "tap_constantcontact"

# Calls whose texts are for people; what is logged at the levels info and debug tells of no trouble.
_TELLING = {
    *("warning", "error", "critical", "log", "say_failure", "RetriableAPIError", "LoginError"),
    *("_report", "_fail", "_end", "wait_for_quota", "_expect_some_stream"),
}
# Variables that hold such a text before it is told.
_NAMES = {"message", "said", "reason", "remedy", "again", "what"}
_YIELDED_IN = {"validation.py", "custom_streams.py"}
_RETURNED_BY = {"_login_problem", "_refusal", "_sentence"}
_GAP = "…"


def messages() -> set[str]:
    """Return the constant texts of all messages."""
    found = {text for path in sorted(PACKAGE.rglob("*.py")) for text in _of_module(path)}
    return {text for text in found if len(re.findall(r"\w{2,}", text)) > 1}


@cache
def _constants() -> dict[str, str]:
    """Return the texts of the package that have names."""
    assigned = (
        (target.id, _text(node.value))
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    )
    return {name: text for name, text in assigned if text}


def _of_module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        for expression in _expressions(node, path.name):
            yield from _texts(expression)


def _expressions(node: ast.AST, file: str) -> Iterator[ast.expr]:
    """Yield what a node tells people."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield from node.exc.args[:1]
    elif isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in _TELLING:
            yield from node.args
    elif isinstance(node, ast.Assign):
        parts = (part for target in node.targets for part in ast.walk(target))
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        if names & _NAMES:
            yield node.value
    elif isinstance(node, ast.AugAssign) and getattr(node.target, "id", "") in _NAMES:
        yield node.value
    elif isinstance(node, ast.arguments):
        with_default = node.args[len(node.args) - len(node.defaults) :]
        pairs = zip(with_default, node.defaults, strict=True)
        yield from (default for argument, default in pairs if argument.arg in _NAMES)
    elif isinstance(node, ast.Yield) and file in _YIELDED_IN and node.value:
        yield node.value
    elif isinstance(node, ast.FunctionDef) and node.name in _RETURNED_BY:
        returns = (each.value for each in ast.walk(node) if isinstance(each, ast.Return))
        yield from filter(None, returns)


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression can be."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from _texts(part)
    elif isinstance(node, (ast.Constant, ast.JoinedStr, ast.Name)) and (text := _text(node)):
        yield text


def _text(node: ast.AST) -> str:
    """Return a text with gaps for what is put into it, or nothing where it is none."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or _GAP for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value)
    if isinstance(node, ast.Name):
        return _constants().get(node.id, "")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[-+.,\d]*[sdf]", _GAP, node.value)
    return ""
