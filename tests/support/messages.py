"""The messages that the tap has for people, found in its code by the flow of texts.

A text is a message if it reaches a `raise`, a line of the log of level warning or higher, the
`message` of a message of the Airbyte protocol, or `sys.exit`. It is followed back from there:
through variables of the function, parameters and the calls that give them, and functions of the
package that return or yield it. Names of variables do not matter.

In a message, `…` stands for what is put into it. Texts that are put into others by way of variables
are messages of their own, unless they have fewer than two words.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "tap_constantcontact"

_LOGGED = {"warning", "error", "exception", "critical", "log"}  # methods of `logging.Logger`
_SUBSTITUTION = "sub"  # of a pattern: what is put in is no sentence
_OF_STRINGS = {"join", "format", "removesuffix", "strip", _SUBSTITUTION}
_OF_ITERABLES = {"list", "tuple", "sorted", "filter", "map", "iter", "next"}
_MESSAGE_OF_PROTOCOL = "message"
_GAP = "…"

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def messages() -> set[str]:
    """Return the texts of all messages of the package."""
    return messages_in(sources())


def sources() -> list[str]:
    """Return the code of the package's modules."""
    return [path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))]


def messages_in(codes: Iterable[str]) -> set[str]:
    """Return the texts of all messages of some modules.

    Args:
        codes: the code of the modules.
    """
    flow = _Flow([_Module(ast.parse(source)) for source in codes])
    return {text for text in flow.texts() if re.search(r"\w{2,}.*\s.*\w{2,}", text)}


class _Module:
    """A module, with the functions and calls in it by their names."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.functions: defaultdict[str, list[_Scope]] = defaultdict(list)
        self.calls: defaultdict[str, list[_Call]] = defaultdict(list)
        self.scopes = [_Scope(self, tree)]
        self._walk(tree, self.scopes[0])

    def _walk(self, node: ast.AST, scope: _Scope) -> None:
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, Function):
                is_method = isinstance(node, ast.ClassDef) and not _is_static(child)
                inner = _Scope(self, child, scope, is_method=is_method)
                self.scopes.append(inner)
                if not isinstance(child, ast.Lambda):
                    self.functions[child.name].append(inner)
            elif isinstance(child, ast.Call):
                self.calls[_name(child.func)].append(_Call(child, scope))
            inner.nodes.append(child)
            self._walk(child, inner)


@dataclass(eq=False)
class _Scope:
    """A function or a module, with its own nodes."""

    module: _Module
    node: ast.Module | Function
    outer: _Scope | None = None
    is_method: bool = False
    nodes: list[ast.AST] = field(default_factory=list)

    @cached_property
    def parameters(self) -> list[str]:
        if isinstance(self.node, ast.Module):
            return []
        arguments = self.node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        return [argument.arg for argument in every]

    @cached_property
    def defaults(self) -> dict[str, ast.expr]:
        if isinstance(self.node, ast.Module):
            return {}
        arguments = self.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        given = positional[len(positional) - len(arguments.defaults) :]
        pairs = [*zip(given, arguments.defaults, strict=True)]
        keyword = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        pairs += [(argument, default) for argument, default in keyword if default]
        return {argument.arg: default for argument, default in pairs}

    @cached_property
    def assigned(self) -> dict[str, list[ast.expr]]:
        """What each variable is set to, or is an element of."""
        found = defaultdict(list)
        for node in self.nodes:
            for target, value in _assignments(node):
                for part in ast.walk(target):
                    if isinstance(part, ast.Name):
                        found[part.id].append(value)
        return found

    @cached_property
    def results(self) -> list[ast.expr]:
        """What a function returns or yields."""
        if isinstance(self.node, ast.Lambda):
            return [self.node.body]
        told = (ast.Return, ast.Yield, ast.YieldFrom)
        values = (node.value for node in self.nodes if isinstance(node, told))
        return [value for value in values if value]


@dataclass(frozen=True)
class _Call:
    node: ast.Call
    scope: _Scope

    def argument(self, function: _Scope, name: str) -> ast.expr | None:
        """Return what the call gives for a parameter of a function."""
        for keyword in self.node.keywords:
            if keyword.arg == name:
                return keyword.value
        place = function.parameters.index(name) - function.is_method
        return self.node.args[place] if 0 <= place < len(self.node.args) else None


class _Flow:
    """Follows texts through modules."""

    def __init__(self, modules: list[_Module]) -> None:
        self._modules = modules
        self._seen: set[tuple[int, bool]] = set()
        self._constants = {
            target.id: value
            for module in modules
            for node in module.tree.body
            for target, value in _assignments(node)
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant | ast.JoinedStr)
        }

    def texts(self) -> Iterator[str]:
        for module in self._modules:
            for scope in module.scopes:
                for node in scope.nodes:
                    for expression in _told(node):
                        yield from self._texts(expression, scope)

    def _texts(self, node: ast.expr, scope: _Scope, *, is_part: bool = False) -> Iterator[str]:
        """Yield the texts that an expression can be.

        Args:
            node: the expression.
            scope: where it stands.
            is_part: whether it is put into a text: then results of functions do not count, as they
                are values and no sentences.
        """
        if (id(node), is_part) in self._seen:
            return
        self._seen.add((id(node), is_part))
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            if text := self._text(node):
                yield text
            for part in node.values if isinstance(node, ast.JoinedStr) else ():
                if isinstance(part, ast.FormattedValue):
                    yield from self._texts(part.value, scope, is_part=True)
        elif isinstance(node, ast.Name):
            yield from self._of_variable(node.id, scope, is_part=is_part)
        elif isinstance(node, ast.Call):
            yield from self._of_call(node, scope, is_part=is_part)
        else:
            for inner in _alternatives(node):
                yield from self._texts(inner, scope, is_part=is_part)

    def _of_variable(self, name: str, scope: _Scope | None, *, is_part: bool) -> Iterator[str]:
        """Yield the texts of a variable of a function, of its parameter, or of a module."""
        while scope and scope.outer:
            if name in scope.parameters:
                yield from self._of_parameter(name, scope, is_part=is_part)
            if name in scope.assigned or name in scope.parameters:
                for value in scope.assigned.get(name, ()):
                    yield from self._texts(value, scope, is_part=is_part)
                return
            scope = scope.outer
        if scope and name in self._constants and not is_part:
            yield from self._texts(self._constants[name], scope)

    def _of_parameter(self, name: str, scope: _Scope, *, is_part: bool) -> Iterator[str]:
        if name in scope.defaults:
            yield from self._texts(scope.defaults[name], scope, is_part=is_part)
        called = scope.node.name if isinstance(scope.node, ast.FunctionDef) else ""
        for module in self._modules:
            if module is not scope.module and called in module.functions:
                continue  # it means its own
            for call in module.calls.get(called, ()):
                if given := call.argument(scope, name):
                    yield from self._texts(given, call.scope, is_part=is_part)

    def _of_call(self, node: ast.Call, scope: _Scope, *, is_part: bool) -> Iterator[str]:
        called = _name(node.func)
        if called in _OF_STRINGS or called in _OF_ITERABLES or called[:1].isupper():
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            for argument in given[1:] if called == _SUBSTITUTION else given:
                yield from self._texts(argument, scope, is_part=is_part)
            if isinstance(node.func, ast.Attribute) and called != "join":
                yield from self._texts(node.func.value, scope, is_part=is_part)
        elif not is_part:
            for function in self._functions(called, scope):
                for result in function.results:
                    yield from self._texts(result, function)

    def _functions(self, name: str, scope: _Scope) -> list[_Scope]:
        """Return the functions that a name can mean: those of the module, or of all others."""
        own = scope.module.functions.get(name)
        return own or [
            function for module in self._modules for function in module.functions.get(name, ())
        ]

    def _text(self, node: ast.expr) -> str:
        """Return a text with gaps for what is put into it."""
        if isinstance(node, ast.JoinedStr):
            return "".join(self._text(part) or _GAP for part in node.values)
        if isinstance(node, ast.FormattedValue):
            return self._text(node.value)
        if isinstance(node, ast.Name):
            constant = self._constants.get(node.id)
            return self._text(constant) if constant else ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return re.sub(r"%[-+.,\d]*[sdf]", _GAP, node.value)
        return ""


def _told(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a node tells people."""
    if isinstance(node, ast.Raise) and node.exc:
        yield node.exc
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        is_exit = ast.unparse(node.func) == "sys.exit"
        if node.func.attr in _LOGGED or is_exit:
            yield from node.args
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == _MESSAGE_OF_PROTOCOL:
                yield value


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """Return the expressions of which one is the value, or an element or a part of it."""
    found: list[ast.expr] = []
    if isinstance(node, ast.IfExp):
        found = [node.body, node.orelse]
    elif isinstance(node, ast.BoolOp):
        found = node.values
    elif isinstance(node, ast.BinOp):
        found = [node.left, node.right]
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        found = node.elts
    elif isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
        found = [node.elt]
    elif isinstance(node, (ast.NamedExpr, ast.Starred)):
        found = [node.value]
    return found


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield targets that a node sets, with what they are set to."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _pairs(target, node.value)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)) and node.value:
        yield node.target, node.value
    elif isinstance(node, (ast.For, ast.comprehension)):
        yield node.target, node.iter


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the parts of an assignment of several values one by one."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for part, own in zip(target.elts, value.elts, strict=True):
            yield from _pairs(part, own)
    else:
        yield target, value


def _name(function: ast.expr) -> str:
    """Return the last name of what is called."""
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _is_static(function: Function) -> bool:
    decorators = getattr(function, "decorator_list", [])
    return any(_name(decorator) == "staticmethod" for decorator in decorators)
