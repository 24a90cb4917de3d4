"""Tables loaded by dlt, with the script in docs/guides/warehouses/dlt.md instead of a loader."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from checks.support.comparison import Row
from checks.support.loaders.bigquery import DATASET, BigQuery
from checks.support.loaders.emulator import Emulator, emulator, environment
from checks.support.loaders.target import Database, pinned
from checks.support.meltano import PROJECT, CheckFailed, Project, Run, run_of, wait
from checks.support.processes import kill_group
from sandbox.server.expected import STREAMS

_NAME = "dlt"
_PAGE = PROJECT / "docs" / "guides" / "warehouses" / "dlt.md"


class Dlt(Database):
    """Tables that dlt merges rows into."""

    loader = "dlt"
    script: Sequence[str] = ("load.py",)
    extracted_at = "epoch(_sdc_extracted_at)"

    def __init__(self, served: Emulator, folder: Path, constants: Mapping[str, str]) -> None:
        """Load into a folder, which a process queries.

        Args:
            served: The process.
            folder: The folder.
            constants: The constants of the script that have other values than on the page.
        """
        self._served = served
        self._folder = folder
        self._constants = constants
        self.settings = {}
        self.variables = {"DESTINATION__FILESYSTEM__BUCKET_URL": (folder / "lake").as_uri()}

    @property
    def packages(self) -> str:
        """What is installed."""
        return pinned("dlt", "target-dlt")

    def sync(self, project: Project, tap: Mapping[str, Any], *_: str) -> Run:
        """Run the script."""
        programs = environment(_NAME)
        settings = {**project.login, **{k: v for k, v in tap.items() if not k.startswith("_")}}
        (self._folder / "config.json").write_text(json.dumps(settings), "utf-8")
        (self._folder / "load.py").write_text(self._script(), "utf-8")
        env = {
            **project.environment,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            **self.variables,
            "DLT_DATA_DIR": str(self._folder / "state"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        began = time.time()
        with project.log.open("w+") as log:
            process = subprocess.Popen(
                [programs / "python", *self.script],
                cwd=self._folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = wait(process, lambda: "reading and loading")
            finally:
                kill_group(process)
        if status:
            raise CheckFailed(f"load.py ended with {status}; its log is {project.log}")
        return run_of(project.log.read_text("utf-8"), began)

    def _script(self) -> str:
        """Return the script of the page, with constants replaced."""
        found = re.search(r"```python[^\n]*\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)
        script = found[1] if found else ""
        chosen = f'"config.json", "--select", "{",".join(STREAMS)}"]'
        lines = {'"config.json"]': chosen}
        lines |= {f"{name} = .*": f"{name} = {value}" for name, value in self._constants.items()}
        for line, replaced in lines.items():
            script, count = re.subn(line, replaced, script, count=1)
            if not count:
                raise CheckFailed(f"the script of {_PAGE.name} has no {line}")
        return script

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        result = self._served.ask(sql=sql)
        return result["columns"], [tuple(row) for row in result["rows"]]

    def rows(self, stream: str) -> list[Row]:
        """Return all rows of a table, without the columns of dlt."""
        return [
            {column: value for column, value in row.items() if not column.startswith("_dlt_")}
            for row in super().rows(stream)
        ]

    def key(self, stream: str) -> set[str] | None:
        """Return None: dlt makes no primary keys here."""
        return None


class DltDuckDB(Dlt):
    """A DuckDB file."""

    page = _PAGE.name


class DltBigQuery(Dlt):
    """A BigQuery dataset."""

    emulator = BigQuery.emulator
    script = (str(PROJECT / "checks" / "emulators" / "dlt_anonymous.py"), "load.py")
    extracted_at = BigQuery.extracted_at

    def __init__(self, served: Emulator, folder: Path, constants: Mapping[str, str]) -> None:
        """Use an emulator that runs for as long as the target is used."""
        super().__init__(served, folder, constants)
        started = served.started
        self.variables = {
            "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{started['port']}",
            "DESTINATION__BIGQUERY__CREDENTIALS__PROJECT_ID": started["project"],
        }

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        result = self._served.ask(sql=sql, dataset=DATASET)
        return result["columns"], [tuple(row) for row in result["rows"]]


def loaded_by_dlt(
    target: type[Dlt] = Dlt, server: tuple[str, str] = (_NAME, "dlt_server"), **constants: str
) -> Callable[[Path], AbstractContextManager[Dlt]]:
    """Return what makes the target.

    Args:
        target: Its class.
        server: The environment, and the module, of the process that answers queries.
        constants: As for `Dlt`.
    """

    @contextmanager
    def make(folder: Path) -> Iterator[Dlt]:
        environment(_NAME)
        with emulator(*server, folder / _NAME) as served:
            yield target(served, folder / _NAME, constants)

    return make
