"""What a target is for the checks: the settings of its loader, and how rows are read back."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from checks.support.comparison import Row
from checks.support.meltano import PROJECT, CheckFailed, Project, Run


class Skipped(Exception):
    """Raised when a target cannot be loaded on this machine; its text says why."""


def pinned(package: str, environment: str) -> str:
    """Return a package with its version in an environment: `fakesnow==0.12.1`."""
    pins = (PROJECT / "constraints" / f"{environment}.txt").read_text("utf-8")
    return next(pin for pin in pins.split() if pin.startswith(f"{package}=="))


def without_empty_arrays(value: Any) -> Any:
    """Return a value without the empty arrays in its objects, where they can't differ from null."""
    if isinstance(value, dict):
        return {name: without_empty_arrays(part) for name, part in value.items() if part != []}
    if isinstance(value, list):
        return [without_empty_arrays(part) for part in value]
    return value


class Target(ABC):
    """The target of a loader in meltano.yml.

    Attributes:
        loader: The name of the loader.
        settings: Its settings, in addition to those in meltano.yml.
        command: What runs in place of the loader that Meltano installs, if the loader has to be
            told that its warehouse is emulated.
        emulator: What serves in place of the warehouse, with its version, if it is emulated.
    """

    loader: str
    settings: dict[str, Any]
    command: Sequence[str] | None = None
    emulator: str = ""

    @property
    def packages(self) -> str:
        """What is installed, as in meltano.yml."""
        project = (PROJECT / "meltano.yml").read_text("utf-8")
        found = re.search(rf"- name: {self.loader}\n(?:    .*\n)*?    pip_url: (.*)\n", project)
        if not found:
            raise CheckFailed(f"meltano.yml has no loader {self.loader}")
        return found[1]

    def sync(self, project: Project, tap: Mapping[str, Any], *flags: str) -> Run:
        """Run the tap into the target; arguments and errors are those of `Project.sync`."""
        return project.sync(self.loader, self.settings, tap, *flags)

    @abstractmethod
    def rows(self, stream: str) -> list[Row]:
        """Return all rows of a stream, oldest first; the last row with a key counts."""

    @abstractmethod
    def count_since(self, stream: str, since: float) -> int:
        """Return the number of rows of a stream from the run that began at a given time."""

    def key(self, stream: str) -> set[str] | None:
        """Return the columns of the primary key of a table, or None if the target has no keys."""
        return None

    def kept(self, row: Row) -> Row:
        """Return what the target can keep of a row of the account."""
        return row


class Database(Target):
    """A target that is queried with SQL; most keep one row for each key.

    Attributes:
        page: Its page in docs/guides/warehouses/, if it has queries.
        dbt_target: The target in analytics/profiles.yml, if the models run there.
        stored: A text that the loader logs after it has stored contacts, in batches of 20; without
            it, no run is killed.
        keys: A query for the columns of the primary key of the table `{}`.
        extracted_at: An SQL expression for the time at which a row was read, in seconds since 1970.
    """

    page: str = ""
    dbt_target: str = ""
    stored: str = ""
    keys: str
    extracted_at: str

    @abstractmethod
    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query.

        Raises:
            CheckFailed: If the database rejects the query.
        """

    def rows(self, stream: str) -> list[Row]:
        """Return all rows of a table."""
        columns, rows = self.query(f"select * from {stream}")  # noqa: S608
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def count_since(self, stream: str, since: float) -> int:
        """Return the number of rows extracted since then."""
        newer = f"{self.extracted_at} >= {since}"
        _, [(count,)] = self.query(f"select count(*) from {stream} where {newer}")  # noqa: S608
        return int(count)

    def key(self, stream: str) -> set[str] | None:
        """Return the columns of the primary key of a table."""
        _, rows = self.query(self.keys.format(stream))
        return {column for (column,) in rows}
