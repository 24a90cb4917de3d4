"""The house rules on sizes, on depth and on circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import tap_constantcontact
from tap_constantcontact.streams import STREAMS
from tap_constantcontact.streams.custom import CustomStream

PACKAGE = Path(tap_constantcontact.__file__).parent
NAME = "tap_constantcontact"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)

MAX_LINES = 400
MAX_LINES_OF_CLIENT = 300
MAX_METHODS = 25
MAX_FUNCTION_LINES = 70
MAX_CLASSES_UP_TO_THE_SDK = 5

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(PACKAGE)): _lines(path) for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}
    assert lengths["client.py"] <= MAX_LINES_OF_CLIENT


def test_classes_have_few_methods() -> None:
    too_many = {
        node.name: methods
        for node in _nodes()
        if isinstance(node, ast.ClassDef)
        and (methods := sum(isinstance(item, Function) for item in node.body)) > MAX_METHODS
    }
    assert too_many == {}


def test_functions_are_short() -> None:
    too_long = {
        node.name: lines
        for node in _nodes()
        if isinstance(node, Function)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert too_long == {}


def test_streams_are_few_classes_away_from_the_sdk() -> None:
    streams: list[type] = [*STREAMS, CustomStream]
    depths = {
        cls.__name__: [base.__name__ for base in cls.__mro__ if base.__module__.startswith(NAME)]
        for cls in streams
    }
    deep = {name: bases for name, bases in depths.items() if len(bases) > MAX_CLASSES_UP_TO_THE_SDK}
    assert deep == {}


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    imports = {module: set(_imports(path)) for module, path in _modules().items()}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from None


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def _nodes() -> Iterator[ast.AST]:
    for path in FILES:
        yield from ast.walk(ast.parse(path.read_text("utf-8")))


def _modules() -> dict[str, Path]:
    modules = {}
    for path in FILES:
        parts = [NAME, *path.relative_to(PACKAGE).with_suffix("").parts]
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules of the package that a module imports when it runs."""
    modules = _modules()
    for node in _statements(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that only a type checker looks at."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _statements(node)
