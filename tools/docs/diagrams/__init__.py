"""The diagrams of the docs: committed SVGs, drawn from schemas, stream classes and settings.

Their layout needs no other program and no fonts, so that they are the same on every machine.
`diagram_markdown` puts one on a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import dirname, relpath

from tools.docs.diagrams import (
    architecture,
    change_log,
    dbml,
    entity_diagrams,
    prefetching,
    run,
)
from tools.docs.diagrams.svg import Drawing
from tools.docs.entities import page_of, subjects

_FOLDER = "docs/diagrams"


@cache
def drawings() -> dict[str, Drawing]:
    """Return all diagrams by their names, which are those of their files."""
    return {
        "overview": entity_diagrams.overview(address_of),
        **{
            subject_diagram(subject): entity_diagrams.of_subject(subject, address_of)
            for subject in subjects()
        },
        "architecture": architecture.drawing(),
        "run": run.drawing(),
        "prefetching": prefetching.drawing(),
        **change_log.drawings(),
    }


def subject_diagram(subject: str) -> str:
    """Return the name of the diagram of a subject, which is a module of streams."""
    return f"streams-{subject.replace('_', '-')}"


def address_of(stream: str) -> str:
    """Return where the section on a stream is on the site, from the folder of the diagrams."""
    return f"../reference/streams/{page_of(stream).removesuffix('.md')}/#{stream}"


def diagram_markdown(name: str, page: str) -> str:
    """Return a diagram for a page: a picture that leads to the file, in which streams are links.

    Args:
        name: The name of the diagram, as in `drawings`.
        page: The path of the page in the repository.
    """
    address = relpath(f"{_FOLDER}/{name}.svg", dirname(page))
    return f"[![{drawings()[name].title}]({address})]({address})"


def files(folder: Path) -> dict[Path, str]:
    """Return the files: their paths and contents.

    Args:
        folder: The folder of the docs.
    """
    return {folder / "diagrams" / name: content for name, content in _files()}


def _files() -> Iterator[tuple[str, str]]:
    for name, drawing in drawings().items():
        yield f"{name}.svg", drawing.svg(name)
    yield "constantcontact.dbml", dbml.text()
