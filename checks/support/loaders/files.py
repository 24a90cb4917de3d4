"""Files of JSON lines and CSV, loaded by target-jsonl and target-csv."""

from __future__ import annotations

import csv
import json
import re
from abc import abstractmethod
from collections import Counter
from pathlib import Path
from typing import Any

from checks.support.comparison import Row
from checks.support.loaders.target import Target

# An email's HTML is longer than what the reader takes otherwise.
csv.field_size_limit(10**9)


class Files(Target):
    """A folder with a file for each stream and run."""

    ending: str

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        self._folder = folder
        self._counts = Counter[str]()

    @abstractmethod
    def read(self, file: Path) -> list[Row]:
        """Return the rows of a file."""

    def rows(self, stream: str) -> list[Row]:
        """Return all rows of all files, whose names hold the time of their run."""
        files = sorted(self._folder.glob(f"{stream}-*{self.ending}"))
        return [row for file in files for row in self.read(file)]

    def count_since(self, stream: str, since: float) -> int:
        """Return the number of rows added since the last call."""
        earlier, self._counts[stream] = self._counts[stream], len(self.rows(stream))
        return self._counts[stream] - earlier


class Jsonl(Files):
    """Files of JSON lines."""

    loader = "target-jsonl"
    ending = ".jsonl"

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        super().__init__(folder)
        self.settings = {"destination_path": str(folder)}

    def read(self, file: Path) -> list[Row]:
        """Return the rows of a file."""
        with file.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


class Csv(Files):
    """CSV files, with a column for each property of an object: email_address__address."""

    loader = "target-csv"
    ending = ".csv"

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        super().__init__(folder)
        self.settings = {"output_path": str(folder)}

    def read(self, file: Path) -> list[Row]:
        """Return the rows of a file, with their objects rebuilt."""
        with file.open(encoding="utf-8", newline="") as lines:
            return [_nested(row) for row in csv.DictReader(lines)]


def _nested(flat: dict[str, str]) -> Row:
    row: Row = {}
    for column, text in flat.items():
        name, _, nested = column.partition("__")
        value = _value(text)
        if not nested:
            row[name] = value
        elif value is not None:
            row.setdefault(name, {})[nested] = value
    return row


def _value(text: str) -> Any:
    """Return the value of a text in a CSV file, which has no types."""
    if re.fullmatch(r"-?\d+\.0", text):
        return float(text)
    return {"True": True, "False": False, "": None}.get(text, text)
