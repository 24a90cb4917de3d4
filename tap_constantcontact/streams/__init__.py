"""The streams, a file for each subject; a new one is added to its file and is found here."""

from collections.abc import Iterator

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.streams import (
    account,
    automations,
    campaigns,
    contact_reports,
    contacts,
    engagement,
    events,
    landing_pages,
    partner,
    sms,
    social,
    xrefs,
)

_SUBJECTS = (
    account,
    automations,
    campaigns,
    contact_reports,
    contacts,
    engagement,
    events,
    landing_pages,
    partner,
    sms,
    social,
    xrefs,
)


def _streams() -> Iterator[type[ConstantContactStream]]:
    """Yield the classes that have a name of their own; the others are their bases."""
    for subject in _SUBJECTS:
        for member in vars(subject).values():
            if (
                isinstance(member, type)
                and issubclass(member, ConstantContactStream)
                and member.__module__ == subject.__name__
                and "name" in vars(member)
            ):
                yield member


STREAMS: tuple[type[ConstantContactStream], ...] = tuple(_streams())
