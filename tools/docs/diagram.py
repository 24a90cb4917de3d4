"""Entity diagrams in Mermaid syntax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.docs.entities import Reference, direct_references_of, references_of, schema_of


def mermaid(names: Iterable[str]) -> str:
    """Return the diagram of some streams and of those that they refer to.

    Args:
        names: The streams. Those that refer to no other are not drawn.
    """
    drawn = [name for name in names if references_of(name)]
    lines = ["erDiagram", "    direction LR"]  # stacks the streams, because a page is narrow
    others = (each.target for name in drawn for each in direct_references_of(name))
    for name in dict.fromkeys([*drawn, *others]):
        lines += [f"    {name} {{", *_keys(name), "    }"]
    for name in drawn:
        lines += [_line(name, reference) for reference in direct_references_of(name)]
    return "\n".join(lines) + "\n"


def _keys(name: str) -> Iterator[str]:
    """Yield the columns of a stream that are primary or foreign keys."""
    schema = schema_of(name)
    foreign = {each.column.partition(".")[0] for each in references_of(name)}
    for column, inner in schema["properties"].items():
        marks = [
            mark
            for mark, fits in (("PK", column in schema["required"]), ("FK", column in foreign))
            if fits
        ]
        if marks:
            kinds = inner["type"]
            kind = kinds if isinstance(kinds, str) else kinds[0]
            yield f"        {kind} {column} {', '.join(marks)}"


def _line(name: str, reference: Reference) -> str:
    own = "}o" if not reference.is_key else "|o"
    other = "o{" if reference.is_many else "||"
    return f'    {name} {own}--{other} {reference.target} : "{reference.column}"'
