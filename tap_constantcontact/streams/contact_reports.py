"""What a single contact did: a request or more for each contact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.incremental.contact_slices import OLDEST, SECOND
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.contacts import Contacts
from tap_constantcontact.streams.engagement import with_occurrences
from tap_constantcontact.timestamps import (
    format_timestamp,
    normalize_timestamp,
    parse_start,
    parse_timestamp,
)

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

# Contacts of a page or two are held at a time.
_SLICE = 500
# What contacts are chosen by.
_INCLUDE = "list_memberships,taggings"


class PerContactStream(ConstantContactStream):
    """A stream that asks once for each contact.

    What a contact does is no change of the contact. So all are asked for, in rounds that begin
    every `contacts_sweep_days`; a round goes on in the next run where one ends early.

    The state has `round_at`, when the last complete round began, `round_for`, the settings that it
    was made with (others need a new one), and `round`, the one under way: when it began, with which
    settings, and `last`, the time of creation and the id of the contact read last.
    """

    manages_state = True
    context_columns: ClassVar[tuple[str, ...]] = ("contact_id",)
    scopes = ("contact_data",)
    privileges = ("ui:campaign:metrics",)
    selected_by_default = False
    settings: ClassVar[tuple[str, ...]] = (
        *("contact_status", "contact_ids", "contact_lists", "contact_tags"),
    )
    notes = StreamNotes(
        reads="all contacts, in rounds that begin every `contacts_sweep_days`",
        cost="in a round 1 or more for each contact",
        limitations="what happens between two rounds, until the next one",
    )

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of the contacts of a round, the newest contact first."""
        state = self.stream_state
        if self.replication_method == REPLICATION_FULL_TABLE:
            yield from self._read_round({})
            return
        round_for = {name: self.config.get(name) for name in self.settings}
        if state.get("round", {}).get("for") != round_for:
            state.pop("round", None)
        if "round" in state or self._is_due(round_for):
            new = {"began": format_timestamp(self.api.now()), "for": round_for}
            round_: dict[str, Any] = state.setdefault("round", new)
            yield from self._read_round(round_)
            del state["round"]
            state.update(round_at=round_["began"], round_for=round_for)

    def _is_due(self, round_for: Mapping[str, Any]) -> bool:
        state = self.stream_state
        is_other = state.get("round_for") != round_for
        return is_other or self.contacts.is_due_after(str(state.get("round_at", "")))

    @property
    def contacts(self) -> Contacts:
        """The stream of contacts, which cuts them into slices for others too."""
        return self.tap.stream(Contacts)

    def _read_round(self, round_: dict[str, Any]) -> Iterator[Record]:
        """Yield the rows of all contacts that a round has still to read.

        Args:
            round_: its state, which moves on with each contact.
        """
        for mark, contact in self._contacts_after(round_.get("last")):
            if self.is_chosen(contact):
                yield from self.rows_in(self.item_of(contact))
            round_["last"] = mark
            self.checkpoint()

    def _contacts_after(self, last: list[str] | None) -> Iterator[tuple[list[str], Record]]:
        """Yield the contacts that come after a mark, each with its own, the newest first.

        A contact's mark is the time of its creation, which never changes, and its id.
        """
        for some in self._contacts(parse_timestamp(last[0]) + SECOND if last else None):
            marked = [([_created_at(row), str(row.get("contact_id"))], row) for row in some]
            marked.sort(key=lambda pair: pair[0], reverse=True)
            chosen = [row for _, row in marked if self.is_chosen(row)]
            self.api.session.prefetch(self.predict.pages(self.item_of(row)) for row in chosen)
            for mark, contact in marked:
                if last is None or mark < last:
                    last = mark
                    yield mark, contact

    def _contacts(self, before: datetime | None) -> Iterator[list[Record]]:
        """Yield the contacts that were created before a moment, some at a time, newest first."""
        if chosen := self.config.get("contact_ids"):
            paths = (f"/contacts/{contact_id}" for contact_id in chosen)
            yield [
                *filter(
                    None, (self.details.get_or_none(path, {"include": _INCLUDE}) for path in paths)
                )
            ]
            return
        narrowed = self.config.get("contact_lists") or self.config.get("contact_tags")
        params = {"include": _INCLUDE if narrowed else None}
        slices = self.contacts.slices(before, _SLICE, params)
        for number, (walk, created_from, left) in enumerate(slices):
            if not number:
                self.logger.info("%s: a request or more for each of %d contacts", self.name, left)
            begin = format_timestamp(created_from) if created_from else ""
            # A slice begins a second earlier: that second is the next one's.
            yield [contact for contact in walk.contacts() if _created_at(contact) >= begin]

    def item_of(self, contact: Record) -> Record:
        """Return what a contact is asked for with: it fills the path; `params` are sent."""
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
    notes = StreamNotes(cost="in a round 1 or more for each contact with an SMS channel")

    def is_chosen(self, contact: Record) -> bool:
        """Return whether a contact has a history: an SMS channel."""
        return bool(contact.get("sms_channel")) and super().is_chosen(contact)


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
    notes = StreamNotes(cost="in a round 1 for 100 events of each contact")

    def item_of(self, contact: Record) -> Record:
        """Return a contact with the types of its events."""
        types = ",".join(self.config["contact_activity_types"])
        return {**contact, "params": {"tracking_activities_list": types}}

    def rows_of(self, context: Record) -> Iterator[Record]:
        """Yield the events of a contact, told apart by their occurrence."""
        yield from with_occurrences(super().rows_of(context), self.primary_keys)


class ReportInWindow(PerContactStream):
    """A report on a contact between report_start and report_end."""

    context_columns = ("contact_id", "report_start", "report_end")
    replication_key = "report_end"
    settings = (*PerContactStream.settings, "report_start", "report_end")

    @cached_property
    def window(self) -> tuple[str, str]:
        """Start and end of the report, the same for all contacts of a run."""
        now = datetime.fromtimestamp(self._tap.initialized_at / 1000, timezone.utc)
        start, end = self.config["report_start"], self.config.get("report_end", "-0h")
        return format_timestamp(parse_start(start, now)), format_timestamp(parse_start(end, now))

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


def _created_at(contact: Record) -> str:
    """Return when a contact was created; one that does not say it comes last."""
    return normalize_timestamp(contact.get("created_at")) or format_timestamp(OLDEST)
