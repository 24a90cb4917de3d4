"""What a run has done, for its summary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple


class Outcome(Enum):
    """How the read of a stream ended."""

    COMPLETE = auto()
    UNREADABLE = auto()
    UNFINISHED = auto()


class Row(NamedTuple):
    """What a run did with a stream.

    Attributes:
        stream: Name of the stream.
        records: Number of records written.
        requests: Number of responses read.
        note: What was not read, and why; empty if everything was.
        seconds: How long the stream took, with those that are read together with it.
        outcome: How it ended.
        reason: Why it can't be read, if so.
    """

    stream: str
    records: int
    requests: int
    note: str = ""
    seconds: float = 0.0
    outcome: Outcome = Outcome.COMPLETE
    reason: str = ""


@dataclass(frozen=True)
class Results:
    """What a run has done.

    Attributes:
        rows: What it did with the streams that it reached; none in a check of the account.
        not_reached: The selected streams that it did not reach.
        seconds: How long it took.
        requests: The requests that it made.
        retries: How many of them were retries.
        left_today: The requests that the API key has left in this UTC day.
        daily_quota: The maximum number of requests per UTC day.
        resets_at: When the quota resets.
    """

    rows: list[Row]
    not_reached: list[str]
    seconds: float
    requests: int
    retries: int
    left_today: int
    daily_quota: int
    resets_at: datetime
