"""The page of the docs with what `make targets` has found equal: a column for each target."""

from __future__ import annotations

from collections.abc import Collection

from checks.support.meltano import PROJECT

PAGE = PROJECT / "docs" / "guides" / "warehouses" / "compared.md"
_TEXT = """\
# Compared values

`make targets` writes this page. It loads every stream of a simulated account with each loader,
twice, with changes between. After each run it compares all rows and values with the account's. What
the account lacks must be null (in BigQuery and Iceberg, an empty array counts as null), and one
email has a megabyte of HTML. A target that differs fails the check.

{loaders}

An emulator shows what the loader does: its types, names and statements, and how it merges rows with
the same key. It doesn't show what the real service does with them.

`=` marks a stream whose rows and values were the account's after both runs. Of `contact_counts`,
which has another row in each run, only the number of rows is compared.

{streams}
"""
_LOADERS = ("target", "loader", "emulated by", "also tested")
_EQUAL = "="


def update(
    name: str,
    *,
    loader: str,
    emulator: str,
    tested: Collection[str],
    streams: Collection[str],
    order: Collection[str],
) -> None:
    """Write what was found equal in a target.

    Args:
        name: The name of the target.
        loader: The packages of its loader.
        emulator: The package that serves in place of the warehouse, or "".
        tested: What else was tested.
        streams: The streams that were equal.
        order: The names of all targets.
    """
    loaders, equal = parts(read())
    loaders[name] = [name, loader, emulator, ", ".join(tested)]
    equal[name] = set(streams)
    names = [each for each in order if each in loaders]
    every = sorted(set().union(*equal.values()))
    marks = [[f"`{each}`", *(_EQUAL * (each in equal[one]) for one in names)] for each in every]
    text = _TEXT.format(
        loaders=_table(_LOADERS, [loaders[each] for each in names]),
        streams=_table(("stream", *names), marks),
    )
    PAGE.write_text(text, "utf-8")


def read() -> str:
    """Return the text of the page, which may not exist yet."""
    return PAGE.read_text("utf-8") if PAGE.exists() else ""


def parts(text: str) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Return the rows of the first table, and the streams of each column of the second."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in _lines(text)]
    end = next((place for place, row in enumerate(rows) if row[0] == "stream"), len(rows))
    loaders = {row[0]: row for row in rows[2:end]}
    heads = rows[end][1:] if rows else []
    equal: dict[str, set[str]] = {name: set() for name in heads}
    for stream, *marks in (row for row in rows if row[0].startswith("`")):
        for name, mark in zip(heads, marks, strict=True):
            if mark == _EQUAL:
                equal[name].add(stream.strip("`"))
    return loaders, equal


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")]


def _table(heads: Collection[str], rows: Collection[Collection[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
