"""The streams, a file for each subject; a class with a name of its own is a stream."""

from collections.abc import Iterator
from importlib import import_module

from tap_constantcontact.client import ConstantContactStream

#: In the order of reading: when the requests of a day are short, what matters most comes first.
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
    """Yield the streams of all subjects; classes without a name are their bases."""
    for name in SUBJECTS:
        subject = import_module(f"{__name__}.{name}")
        for member in vars(subject).values():
            if (
                isinstance(member, type)
                and member.__module__ == subject.__name__  # no alias of a type, as of Python 3.10
                and issubclass(member, ConstantContactStream)
                and "name" in vars(member)
            ):
                yield member


STREAMS: tuple[type[ConstantContactStream], ...] = tuple(_streams())
#: Their names, in the same order.
NAMES: tuple[str, ...] = tuple(vars(stream)["name"] for stream in STREAMS)


def place_of(stream: object) -> tuple[int, int]:
    """Return what orders streams: their subjects, and their places in these."""
    cls = type(stream)
    subject = SUBJECTS.index(cls.__module__.rpartition(".")[2])
    return subject, STREAMS.index(cls) if cls in STREAMS else len(STREAMS)
