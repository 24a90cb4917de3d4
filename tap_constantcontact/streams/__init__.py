"""Stream classes, one module per subject. Every class that sets `name` is a stream."""

from collections.abc import Iterator
from importlib import import_module

from tap_constantcontact.client import ConstantContactStream

#: In reading order: the most important streams come first, in case the requests don't suffice.
SUBJECTS = (
    *(
        "account",
        "contacts",
        "campaigns",
        "campaign_stats",
        "engagement",
        "sms",
        "events",
        "automations",
        "social",
    ),
    *("landing_pages", "xrefs", "partner", "custom", "contact_reports"),
)


def _streams() -> Iterator[type[ConstantContactStream]]:
    """Yield the streams of all subjects. Classes without a name are base classes."""
    for name in SUBJECTS:
        subject = import_module(f"{__name__}.{name}")
        for member in vars(subject).values():
            if (
                isinstance(member, type)
                and member.__module__ == subject.__name__  # no type alias (needed on Python 3.10)
                and issubclass(member, ConstantContactStream)
                and "name" in vars(member)
            ):
                yield member


STREAMS: tuple[type[ConstantContactStream], ...] = tuple(_streams())
#: The names of the streams, in the same order.
NAMES: tuple[str, ...] = tuple(vars(stream)["name"] for stream in STREAMS)


def place_of(stream: object) -> tuple[int, int]:
    """Return the sort key of a stream: its subject, and its place within the subject."""
    cls = type(stream)
    subject = SUBJECTS.index(cls.__module__.rpartition(".")[2])
    return subject, STREAMS.index(cls) if cls in STREAMS else len(STREAMS)
