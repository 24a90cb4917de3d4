"""Contacts, and the lists, tags, custom fields and segments that organize them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import ParseResult

import requests
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Refused
from tap_constantcontact.incremental.contact_cycles import SweepState
from tap_constantcontact.incremental.contact_reader import (
    ContactPass,
    ContactReader,
    announced_count,
)
from tap_constantcontact.incremental.start_date import earliest_start, starting_point
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.bases import OldestChangeFirstStream
from tap_constantcontact.timestamps import format_timestamp, normalize_timestamp, parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

# Clocks of servers differ. Assumes: dates_exclude_their_moment.
_OVERLAP = timedelta(minutes=10)

# More changes come with a sweep, which the next run resumes if a run ends early.
_MANY_CHANGES = 10_000
# Six pages, which come one after the other, so several slices have to be under way at a time.
# Larger slices exceed the prefetch buffer; smaller ones delay finding the next boundary (measured
# with 1,000 to 5,000).
_SLICE = 3000


class Contacts(ConstantContactStream):
    """A contact, deleted and unsubscribed ones included (getContacts).

    `updated_after` misses unsubscribes, which change only the email address's `updated_at`
    (observed: the vendor's support, 2022 and 2024), so an incremental run requests changed and
    opted-out contacts separately. Changes that no filter exposes (an unsubscribed contact that
    subscribes again, a confirmed address, perhaps changed lists and tags) are found by a sweep: a
    full re-read of all contacts, every `contacts_sweep_days`.

    The bookmark is the start of the last run that has read all changes, not the newest time seen:
    a contact that changes behind the pass is read by the next run.

    In addition to the bookmark, the state has `swept_at`, `swept_for` (the settings that the sweep
    was made with: others need a new one), `since` (the start_date that the first run began with),
    and `unfinished_sweep`: when the one under way began, and which contacts it has still to read.
    """

    name = "contacts"
    path = "/contacts"
    records_key = "contacts"
    params = {"include_count": "true", "limit": 500}
    primary_keys = ("contact_id",)
    replication_key = "last_changed_at"
    manages_state = True
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    notes = StreamNotes(
        reads="contacts that the filters return as changed or unsubscribed since the bookmark; "
        "every `contacts_sweep_days`, a sweep: a full re-read of all contacts",
        cost="2, and 1 for each further 500 changed contacts; a sweep: 1 for 450 contacts",
        limitations="changes that no filter exposes, until the next sweep",
    )

    _since = ""

    @property
    def reader(self) -> ContactReader:
        """The reader of contacts, which streams of reports on single contacts use too."""
        return self.services.contacts

    @cached_property
    def include(self) -> list[str]:
        """The sub-resources to request."""
        return list(self.config["contacts_include"])

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters of the first page of a pass."""
        return {
            "status": self.config["contact_status"],
            "include": ",".join(self.include) or None,
            **super().get_url_params(context, next_page_token),
        }

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the contacts that the filters show as changed, and all when a sweep is due."""
        self._since = self.stream_state["since"] = earliest_start(self.stream_state, self.config)
        # A FULL_TABLE run is a sweep that leaves the state as it is.
        state = {} if self.replication_method == REPLICATION_FULL_TABLE else self.stream_state
        sweep = SweepState(state, self._sweep_settings(), self.config["contacts_sweep_days"])
        sweep.discard_outdated()
        sweep_is_due = sweep.is_due(self.api.now())
        seen: set[str] = set()
        if passes := [self.reader.fetch_pass(params) for params in self._change_filters()]:
            if sum(each.announced for each in passes) > _MANY_CHANGES:
                sweep_is_due = True
            else:
                yield from self._read_changes(passes, seen)
        if sweep_is_due:
            yield from self._read_sweep(sweep, seen)

    @override
    def request_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the contacts of all pages, as they come."""
        try:
            yield from super().request_records(context)
        except Refused as refusal:
            if refusal.status != requests.codes.bad_request or "sms_channel" not in self.include:
                raise
            # Valid until 2025-01. Assumes: sms_channel_comes_unasked.
            message = "%s. Continuing without sms_channel; remove it from contacts_include"
            self.logger.warning(message, refusal)
            self.include.remove("sms_channel")
            yield from super().request_records(context)

    @override
    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield the contacts of a page, which the reader takes note of."""
        self.reader.record_page(response)
        return super().parse_response(response)

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return a contact with the time of its last change, or None if start_date is later."""
        contact = super().post_process(row, context)
        if contact is None:
            return None
        changed_at = _last_changed_at(contact) or format_timestamp(self.reader.started_at)
        contact["last_changed_at"] = changed_at
        return contact if changed_at >= self._since else None

    @override
    def predicted_requests(self) -> Iterator[PredictedRequest]:
        """Yield the passes through the changes; a sweep is predicted when it starts."""
        for params in self._change_filters():
            first_page = self.predict.pages({"params": params})
            yield first_page._replace(then=self._predict_changes)

    def _predict_changes(self, page: requests.Response) -> Iterator[PredictedRequest]:
        """Yield the next page, unless there are so many changes that a sweep replaces them."""
        if (announced_count(page) or 0) <= _MANY_CHANGES // 2:
            yield from self.predict.following(page)

    def _change_filters(self) -> list[dict[str, str]]:
        """Return the filters that show changes since the bookmark, if there is one.

        Assumes: unsubscribing_keeps_updated_at, deleting_moves_updated_at,
        memberships_keep_updated_at.
        """
        start = starting_point(self)
        if not self.stream_state.get("replication_key_value") or start is None:
            return []
        since = format_timestamp(start - _OVERLAP)
        return [{name: since} for name in ("updated_after", "optout_after")]

    def _read_changes(self, passes: list[ContactPass], seen: set[str]) -> Iterator[Record]:
        """Yield the changed contacts; move the bookmark when all have come."""
        for changes in passes:
            yield from changes.read(seen)
            seen |= changes.found
        if all(changes.is_complete for changes in passes):
            self._move_bookmark(format_timestamp(self.reader.started_at))

    def _sweep_settings(self) -> dict[str, Any]:
        """Return the settings that decide what a sweep reads."""
        return {
            "status": self.config["contact_status"],
            "include": sorted(self.config["contacts_include"]),
            "since": self._since,
        }

    def _read_sweep(self, sweep: SweepState, seen: set[str]) -> Iterator[Record]:
        """Yield all contacts that the sweep has still to read, slice by slice.

        Args:
            sweep: Its state, which advances with each slice.
            seen: The contacts that this run has read before.
        """
        sweep.start()
        before = parse_timestamp(sweep.position) if sweep.position else None
        self.api.session.prefetch([self.reader.predict_slices(before, _SLICE)])
        last: set[str] = set()
        is_complete = True
        for contacts, created_from, _ in self.reader.read_slices(before, _SLICE, {}):
            sweep.set_began(self.reader.started_at)
            yield from contacts.read(seen, last)
            is_complete &= contacts.is_complete
            last = contacts.found
            if created_from and is_complete:
                sweep.advance(format_timestamp(created_from))
                self.checkpoint()
        if is_complete:  # the last contact was written
            self._end_sweep(sweep)

    def _end_sweep(self, sweep: SweepState) -> None:
        """Note that all contacts were read; the changes since then are still to come."""
        began = sweep.finish()
        if self.replication_method != REPLICATION_FULL_TABLE:
            self._move_bookmark(max(self.stream_state.get("replication_key_value", ""), began))

    def _move_bookmark(self, began: str) -> None:
        self.stream_state.update(replication_key=self.replication_key, replication_key_value=began)


class ContactCounts(ConstantContactStream):
    """The number of contacts by consent at this moment (countContact)."""

    name = "contact_counts"
    path = "/contacts/counts"
    params = {"include": "new_subscriber"}
    primary_keys = ("counted_at",)
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    selected_by_default = False
    notes = StreamNotes(reads="one new row in each run", limitations="counts between two runs")

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Add the time of counting, which is the row's key."""
        return super().post_process({**row, "counted_at": format_timestamp(self.api.requested_at)})


class ContactLists(ConstantContactStream):
    """A contact list, deleted ones included (getLists)."""

    name = "contact_lists"
    path = "/contact_lists"
    records_key = "lists"
    params = {"status": "all", "include_membership_count": "all", "limit": 500}
    primary_keys = ("list_id",)
    scopes = ("contact_data",)
    privileges = ("contacts:lists:read",)
    notes = StreamNotes(cost="1 for 500 email lists, 1 for 500 SMS lists")

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield each list once, whether it is for email, SMS or both."""
        lists: dict[str | None, Record] = {}
        email, sms = self.request_contexts(context)
        self._add(lists, email)
        try:
            self._add(lists, sms)
        except Refused as refusal:  # Assumes: sms_lists_can_be_requested
            message = "%s. Skipping SMS lists (no action needed if the account has no SMS)"
            self.logger.warning(message, refusal)
        yield from lists.values()

    @override
    def request_contexts(self, context: Context | None) -> list[Context]:
        """Return the request contexts of the lists of each channel.

        Assumes: sms_count_has_this_name.
        """
        email = {"channel_type": "email"}
        sms = {"channel_type": "sms", "include_sms_membership_count": "true"}
        return [{"params": email}, {"params": sms}]

    def _add(self, lists: dict[str | None, Record], channel: Context) -> None:
        """Add the lists of a channel; one that is in both has the properties of both."""
        for row in self.request_records(channel):
            known = lists.setdefault(row.get("list_id"), {"channel_types": []})
            known.update(row)
            types = {*known["channel_types"], channel["params"]["channel_type"]}
            known["channel_types"] = sorted(types)


class ContactTags(ConstantContactStream):
    """A tag that contacts can have (getTags)."""

    name = "contact_tags"
    path = "/contact_tags"
    records_key = "tags"
    params = {"include_count": "true", "limit": 500}
    primary_keys = ("tag_id",)
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    notes = StreamNotes(limitations="deleted tags are no longer listed; their rows stay")


class ContactCustomFields(ConstantContactStream):
    """A custom field of contacts (getCustomFields)."""

    name = "contact_custom_fields"
    path = "/contact_custom_fields"
    records_key = "custom_fields"
    params = {"limit": 100}
    primary_keys = ("custom_field_id",)
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    notes = StreamNotes(limitations="deleted fields are no longer listed; their rows stay")


class BulkActivities(ConstantContactStream):
    """A bulk change of contacts, lists or tags of the last ten days (getActivityStatusCollection).

    Reading needs a privilege to write (contract).
    """

    name = "bulk_activities"
    path = "/activities"
    records_key = "activities"
    params = {"limit": 500}
    primary_keys = ("activity_id",)
    scopes = ("contact_data",)
    privileges = ("contacts:write",)
    selected_by_default = False
    notes = StreamNotes(limitations="changes older than ten days (documented)")


class Segments(OldestChangeFirstStream):
    """A saved selection of contacts (getAccountSegments, getSegmentDetail)."""

    name = "segments"
    path = "/segments"
    records_key = "segments"
    params = {"sort_by": "date", "limit": 1000}
    primary_keys = ("segment_id",)
    replication_key = "edited_at"
    detail_path = "/segments/{segment_id}"
    scopes = ("contact_data",)
    privileges = ("contacts:lists:read",)
    notes = StreamNotes(limitations="deleted segments are no longer listed; their rows stay")


class SegmentContacts(ConstantContactStream):
    """A contact that is in a segment now (getContacts with segment_id).

    The API builds a segment when it is requested, and returns 202 until it is done.
    """

    name = "segment_contacts"
    path = "/contacts"
    records_key = "contacts"
    params = {"limit": 500}
    primary_keys = ("segment_id", "contact_id")
    context_columns = ("segment_id",)
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    selected_by_default = False
    notes = StreamNotes(
        cost="1 for 1,000 segments, and 1 for 500 contacts of each segment",
        limitations="contacts that leave a segment: their rows stay",
    )

    @override
    def request_contexts(self, context: Context | None) -> Iterator[Record]:
        """Yield all segments, changed or not."""
        listed = self.tap.stream(Segments).list_rows("")
        # By id, because a segment that changes meanwhile can come on two pages.
        for segment_id in dict.fromkeys(segment.get("segment_id") for segment in listed):
            yield {"segment_id": segment_id, "params": {"segment_id": segment_id}}


def _last_changed_at(contact: Record) -> str | None:
    """Return the newest of a contact's times of change; `contacts.json` names them."""
    address = contact.get("email_address") or {}
    times = [contact.get("updated_at"), address.get("updated_at"), address.get("opt_out_date")]
    if deleted_on := contact.get("deleted_at"):  # a date
        times.append(normalize_timestamp(deleted_on))
    consents = (contact.get("sms_channel") or {}).get("sms_channel_consents") or []
    for consent in filter(None, consents):
        times += map(consent.get, ("updated_at", "opt_in_date", "opt_out_date"))
    return max(filter(None, times), default=contact.get("created_at"))
