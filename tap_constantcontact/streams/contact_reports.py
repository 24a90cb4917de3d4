"""Reports on single contacts: one or more requests for each contact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Refused
from tap_constantcontact.incremental.contact_cycles import CycleState
from tap_constantcontact.incremental.contact_reader import ContactReader, created_at
from tap_constantcontact.incremental.contact_slices import SECOND
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.bases import report_window
from tap_constantcontact.streams.engagement import with_occurrences
from tap_constantcontact.timestamps import parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.tap import TapConstantContact

# Contacts of a page or two are held at a time.
_SLICE = 500
# The sub-resources that contacts are chosen by.
_INCLUDE = "list_memberships,taggings"


class PerContactStream(ConstantContactStream):
    """A stream of reports on single contacts, requested once for each contact.

    A contact's activity is no change of the contact. So all contacts are read, in cycles that start
    every `contacts_sweep_days`; if a run ends early, the next one resumes the cycle.

    The state has `round_at`, when the last complete cycle began, `round_for`, the settings that it
    was made with (others need a new one), and `unfinished_round`, the one under way: when it began,
    with which settings, and `last`, the time of creation and the id of the contact read last.
    """

    context_columns: ClassVar[tuple[str, ...]] = ("contact_id",)
    manages_state = True
    scopes = ("contact_data",)
    privileges = ("ui:campaign:metrics",)
    selected_by_default = False
    settings: ClassVar[tuple[str, ...]] = (
        *("contact_status", "contact_ids", "contact_lists", "contact_tags"),
    )
    notes = StreamNotes(
        reads="all contacts, in cycles that start every `contacts_sweep_days`",
        cost="in a cycle, 1 or more for each contact",
        limitations="activity between two cycles, until the next one",
    )

    @property
    def reader(self) -> ContactReader:
        """The reader of contacts."""
        return self.services.contacts

    @property
    def needs_sms_channel(self) -> bool:
        """Whether contacts have to be requested with their SMS channel."""
        return False

    @property
    def _include(self) -> str:
        """The sub-resources that contacts are chosen by."""
        return f"{_INCLUDE},sms_channel" if self.needs_sms_channel else _INCLUDE

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of the contacts of a cycle, the newest contact first."""
        cycle = self._cycle()
        now = self.api.now()
        if cycle.is_due(now):
            cycle.start()
            cycle.set_began(now)
            yield from self._read_cycle(cycle)
            cycle.finish()

    def _cycle(self) -> CycleState:
        # A FULL_TABLE run is a cycle that leaves the state as it is.
        state = {} if self.replication_method == REPLICATION_FULL_TABLE else self.stream_state
        settings = {name: self.config.get(name) for name in self.settings}
        cycle = CycleState(state, settings, self.config["contacts_sweep_days"])
        cycle.discard_outdated()
        return cycle

    def pending(self) -> tuple[bool, datetime | None]:
        """Return whether the run will read contacts, and before which moment they were created."""
        cycle = self._cycle()
        return cycle.is_due(self.api.now()), _start_of(cycle.position)

    def _read_cycle(self, cycle: CycleState) -> Iterator[Record]:
        """Yield the rows of all contacts that a cycle has still to read.

        Args:
            cycle: Its state, which advances with each contact.
        """
        for position, contact in self._read_contacts_after(cycle.position):
            if self.is_chosen(contact):
                yield from self.rows_in(self.item_of(contact))
            cycle.advance(position)
            self.checkpoint()

    def _read_contacts_after(self, last: list[str] | None) -> Iterator[tuple[list[str], Record]]:
        """Yield the contacts after a position, each with its own, the newest first.

        A contact's position is the time of its creation, which never changes, and its id.
        """
        for some in self._read_contacts(_start_of(last)):
            placed = [([created_at(row), str(row.get("contact_id"))], row) for row in some]
            placed.sort(key=lambda pair: pair[0], reverse=True)
            chosen = [row for _, row in placed if self.is_chosen(row)]
            self.api.session.prefetch(self.predict.pages(self.item_of(row)) for row in chosen)
            for position, contact in placed:
                if last is None or position < last:
                    last = position
                    yield position, contact

    def _read_contacts(self, before: datetime | None) -> Iterator[list[Record]]:
        """Yield the contacts that were created before a moment, some at a time, newest first."""
        if chosen := self.config.get("contact_ids"):
            yield [*filter(None, map(self._fetch_contact, chosen))]
            return
        narrowed = self.config.get("contact_lists") or self.config.get("contact_tags")
        params = {"include": self._include if narrowed or self.needs_sms_channel else None}
        if self.tap.is_test:
            yield [*islice(self.reader.fetch_pages(params)[1], _SLICE)]
            return
        for number, part in enumerate(self.reader.read_slices(before, _SLICE, params)):
            if not number:
                self.logger.info(
                    "%s: reading %s contacts, at least one request each",
                    self.name,
                    f"{part.left:,}",
                )
            yield [*part.read_own()]

    def _fetch_contact(self, contact_id: str) -> Any:
        """Return a contact, or None if it is gone."""
        return self.details.get_or_none(f"/contacts/{contact_id}", {"include": self._include})

    def item_of(self, contact: Record) -> Record:
        """Return a contact's request context: it fills the path; `params` are sent."""
        return contact

    def is_chosen(self, contact: Record) -> bool:
        """Return whether the settings let a contact in: it must fit all that are set."""
        own = {"contact_lists": "list_memberships", "contact_tags": "taggings"}
        return all(
            not self.config.get(setting)
            or not set(self.config[setting]).isdisjoint(contact.get(name) or [])
            for setting, name in own.items()
        )


class ContactSmsEngagementHistory(PerContactStream):
    """A change of a contact's SMS consent (getSmsEngagementHistory)."""

    name = "contact_sms_engagement_history"
    path = "/contacts/sms_engagement_history/{contact_id}"
    primary_keys = ("sms_channel_history_id",)
    replication_key = "insert_time"
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    notes = StreamNotes(cost="in a cycle, 1 or more for each contact with an SMS channel")

    _has_channels = False

    @property
    @override
    def needs_sms_channel(self) -> bool:
        """Whether the setting contacts_include has the SMS channel."""
        return "sms_channel" in self.config["contacts_include"]

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the history of the contacts that have an SMS channel, if there are any."""
        requested = self.api.responses["contacts"]
        yield from super().read(context)
        if not self._has_channels and self.api.responses["contacts"] > requested:
            self.logger.warning(
                "%s: no contact came with an SMS channel, so nothing was requested. If the account "
                "has SMS contacts, add sms_channel to contacts_include",
                self.name,
            )

    @override
    def is_chosen(self, contact: Record) -> bool:
        """Return whether a contact has a history: an SMS channel."""
        has_channel = bool(contact.get("sms_channel"))
        self._has_channels |= has_channel
        return has_channel and super().is_chosen(contact)


class ContactActivityDetails(PerContactStream):
    """An event of a contact, newest first (getContactTracking)."""

    name = "contact_activity_details"
    path = "/reports/contact_reports/{contact_id}/activity_details"
    records_key = "tracking_activities"
    params = {"limit": 100}
    primary_keys = (
        "contact_id",
        "campaign_activity_id",
        "tracking_activity_type",
        "created_time",
        "occurrence",
    )
    replication_key = "created_time"
    settings = (*PerContactStream.settings, "contact_activity_types")
    notes = StreamNotes(cost="in a cycle, 1 for 100 events of each contact")

    @override
    def item_of(self, contact: Record) -> Record:
        """Return a contact with the types of its events."""
        types = ",".join(self.config["contact_activity_types"])
        return {**contact, "params": {"tracking_activities_list": types}}

    @override
    def rows_of(self, context: Record) -> Iterator[Record]:
        """Yield the events of a contact, told apart by their occurrence."""
        yield from with_occurrences(super().rows_of(context), self.row_key)


class ReportInWindow(PerContactStream):
    """A report on a contact between report_start and report_end."""

    context_columns = ("contact_id", "report_start", "report_end")
    replication_key = "report_end"
    settings = (*PerContactStream.settings, "report_start", "report_end")

    @cached_property
    def window(self) -> tuple[str, str]:
        """Start and end of the report, the same for all contacts of a run."""
        return report_window(self.tap)

    @override
    def item_of(self, contact: Record) -> Record:
        """Return a contact with the window of its report."""
        start, end = self.window
        window = {"report_start": start, "report_end": end}
        return {**contact, **window, "params": {"start": start, "end": end}}


class ContactActivitySummaries(ReportInWindow):
    """How often a contact did what with an activity (getContactTrackingCount)."""

    name = "contact_activity_summaries"
    path = "/reports/contact_reports/{contact_id}/activity_summary"
    records_key = "campaign_activities"
    primary_keys = ("contact_id", "campaign_activity_id")


class ContactOpenClickRates(ReportInWindow):
    """The rates at which a contact opens and clicks (getContactOpenClickRate)."""

    name = "contact_open_click_rates"
    path = "/reports/contact_reports/{contact_id}/open_and_click_rates"
    primary_keys = ("contact_id",)


def announce_cycles(tap: TapConstantContact) -> None:
    """Log how many requests the streams that request each contact will take, if there are any.

    Finding out takes one request, or one for each position of a cycle under way.
    """
    streams = [
        stream
        for stream in tap.streams.values()
        if isinstance(stream, PerContactStream) and stream.selected
    ]
    pending = [(stream, before) for stream in streams for due, before in [stream.pending()] if due]
    if not pending:
        return
    limits, chosen = tap.api.limits, tap.config.get("contact_ids")
    try:
        counts = {
            # A chosen contact is requested too.
            before: 2 * len(chosen) if chosen else stream.reader.count(before)
            for before, stream in {before: stream for stream, before in pending}.items()
        }
    except Refused:
        return  # the streams will say so
    total = sum(counts[before] for _, before in pending)
    left = int(min(limits.left_in_run, limits.left_today))
    names = ", ".join(stream.name for stream, _ in pending)
    message = (
        f"The streams that request each contact ({names}) take about {total:,} requests in this "
        f"cycle, and the run has {left:,} left"
    )
    if total <= left:
        tap.logger.info(message)
        return
    advice = (
        f"{message}. Other streams are read first, and later runs resume the cycle. To save "
        "requests, deselect these streams, restrict them with contact_ids, contact_lists or "
        "contact_tags, or raise contacts_sweep_days"
    )
    tap.logger.warning(advice)


def _start_of(position: list[str] | None) -> datetime | None:
    """Return the moment before which the contacts after a position were created."""
    return parse_timestamp(position[0]) + SECOND if position else None
