"""The streams, a file for each subject; a class with a name of its own is a stream."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from tap_constantcontact.client import ConstantContactStream


def _streams() -> Iterator[type[ConstantContactStream]]:
    """Yield the streams of all files of this folder; classes without a name are their bases."""
    for file in iter_modules(__path__):
        subject = import_module(f"{__name__}.{file.name}")
        for member in vars(subject).values():
            if (
                isinstance(member, type)
                and issubclass(member, ConstantContactStream)
                and member.__module__ == subject.__name__
                and "name" in vars(member)
            ):
                yield member


STREAMS: tuple[type[ConstantContactStream], ...] = tuple(_streams())
