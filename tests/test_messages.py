"""Messages are found by the flow of texts, whatever variables are called."""

from __future__ import annotations

import ast

import pytest
from support.messages import messages, messages_in, sources


class Renamed(ast.NodeTransformer):
    """Gives another name to every variable that functions set."""

    def __init__(self, tree: ast.Module) -> None:
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        inner = [node for function in functions for node in ast.walk(function)]
        names = {
            node.id
            for node in inner
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        parameters = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        attributes = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        self.names = names - parameters - attributes

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(f"{node.id}_1", node.ctx) if node.id in self.names else node


def test_messages_do_not_depend_on_names_of_variables() -> None:
    renamed = []
    for tree in map(ast.parse, sources()):
        renamer = Renamed(tree)
        renamed.append(ast.unparse(renamer.visit(tree)))
    assert messages_in(renamed) == messages()


CASES = {
    'raise ValueError("It is wrong")': {"It is wrong"},
    'logger.error("%s is wrong", x)': {"… is wrong"},
    'logger.info("All is well")': set(),
    'writer.say({"message": f"{x} is wrong"})': {"… is wrong"},
    'sys.exit("It is wrong")': {"It is wrong"},
    """
def f(x):
    a = f"{x} is wrong"
    if x:
        a += ". Try it again"
    raise Error(a)
""": {"… is wrong", ". Try it again"},
    """
def f(a="By default", *, b):
    raise Error(a, b)
f("As given", b="By keyword")
""": {"By default", "As given", "By keyword"},
    """
def f():
    yield "One is wrong"
def g():
    for x in f():
        logger.warning(x)
""": {"One is wrong"},
    """
def f():
    return Error("It is wrong")
def g():
    if e := f():
        raise e
""": {"It is wrong"},
    """
A = "Try it again"
def f(x):
    raise Error(f"{x}. {A}")
""": {"…. Try it again"},
    """
def f(x):
    b = "try it again" if x else ""
    raise Error(f"No: {b}, {g()}")
def g():
    return "a value that is put in"
""": {"try it again"},
}


@pytest.mark.parametrize("code", CASES)
def test_messages_are_found_however_they_are_told(code: str) -> None:
    assert messages_in([code]) == CASES[code]
