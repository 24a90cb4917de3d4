"""Contacts, and what they are sorted by: lists, tags, custom fields, segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import ParseResult

import requests
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import part_of
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Refused
from tap_constantcontact.incremental.contact_slices import CreatedAtSlicer, Span
from tap_constantcontact.notes import StreamNotes
from tap_constantcontact.streams.bases import (
    OldestChangeFirstStream,
    PerItemStream,
    SelfManagedStateStream,
)
from tap_constantcontact.timestamps import format_timestamp, normalize_timestamp, parse_timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_WALKS = 3
# "after" may leave out the second itself (not documented), and clocks of servers differ.
_OVERLAP = timedelta(minutes=10)
# A daily run does not begin at the same second every day.
_SWEEP_EARLY = timedelta(hours=1)

# More changes come with a sweep, which goes on where a run ends.
_MANY_CHANGES = 10_000
# Six pages. They come one after the other, so several slices have to be under way at a time. Fewer
# long ones have room in what may wait to be read; with short ones it takes longer until it is known
# where the next begins (measured with 1,000 to 5,000).
_SLICE = 3000


class Contacts(SelfManagedStateStream):
    """A contact, deleted and unsubscribed ones included (getContacts).

    `updated_after` misses unsubscribes, which move only the e-mail address's `updated_at` (seen:
    the vendor's support, 2022 and 2024), so an incremental run asks for changed and for opted-out
    contacts. What no filter shows (an unsubscribed contact that subscribes again, a confirmed
    address, perhaps list and tag changes) is found by a sweep of all contacts, every
    `contacts_sweep_days`.

    The bookmark is the start of the last run that has read all changes, not the newest time seen:
    a contact that changes behind the walk is read by the next run.

    Beside the bookmark, the state has `swept_at`, `swept_for` (the settings that the sweep was
    made with: others need a new one), `since` (the start_date that the first run began with), and
    `sweep`: when one that is under way began, and which contacts it has still to read.
    """

    name = "contacts"
    path = "/contacts"
    records_key = "contacts"
    params = {"include_count": "true", "limit": 500}
    primary_keys = ("contact_id",)
    replication_key = "last_changed_at"
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    notes = StreamNotes(
        reads="what the filters show as changed or unsubscribed since the bookmark; all, in a "
        "sweep, every `contacts_sweep_days`",
        cost="2, and 1 for each further 500 changed; a sweep: 1 for 450 contacts",
        limitations="what no filter shows, until the sweep",
    )

    _include: list[str] | None = None
    _since = ""
    _began: datetime | None = None
    #: How many contacts the first page of a walk has announced.
    announced: int | None = None

    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters of a walk's first page."""
        return {
            "status": self.config["contact_status"],
            "include": ",".join(self.include) or None,
            **super().get_url_params(context, next_page_token),
        }

    @property
    def include(self) -> list[str]:
        """The sub-resources to ask for."""
        if self._include is None:
            self._include = list(self.config["contacts_include"])
        return self._include

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the contacts that the filters show as changed, and all when a sweep is due."""
        self._since = self.stream_state["since"] = self.first_start
        swept_for = {
            "status": self.config["contact_status"],
            "include": sorted(self.config["contacts_include"]),
            "since": self._since,
        }
        seen: set[str] = set()
        if self.replication_method == REPLICATION_FULL_TABLE:
            yield from self._sweep({}, seen)
            return
        sweep_is_due = self._sweep_is_due(swept_for)
        if walks := [Walk(self, params) for params in self._changes_params]:
            if sum(walk.announced for walk in walks) > _MANY_CHANGES:
                sweep_is_due = True
            else:
                yield from self._changes(walks, seen)
        if sweep_is_due:
            yield from self._sweep(self._sweep_state(swept_for), seen)

    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield the contacts of a page; note when the first came, and the number announced."""
        if self._began is None:
            self._began = self.api.now()
        if self.announced is None:
            self.announced = _count(part_of(response, "contacts_count"))
        return super().parse_response(response)

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return a contact with the time of its last change, or None if start_date is later."""
        contact = super().post_process(row, context)
        if contact is None:
            return None
        contact["last_changed_at"] = _last_changed_at(contact) or format_timestamp(
            self._began or datetime.now(timezone.utc)
        )
        return contact if contact["last_changed_at"] >= self._since else None

    def walk_once(self, params: Mapping[str, Any]) -> Iterator[Record]:
        """Yield the contacts of a filter, as the pages have them.

        Args:
            params: query parameters of the first page.
        """
        try:
            yield from self.request_records({"params": params})
        except Refused as refusal:
            if refusal.status != requests.codes.bad_request or "sms_channel" not in self.include:
                raise
            # Legal until 2024-11; comes by itself now (guess).
            message = "%s. It goes on without sms_channel: take it out of contacts_include"
            self.logger.warning(message, refusal)
            self.include.remove("sms_channel")
            yield from self.request_records({"params": params})

    def slices(
        self, before: datetime | None, size: int, params: Mapping[str, Any]
    ) -> Iterator[Slice]:
        """Cut all contacts into slices by the time of their creation, the newest first.

        Args:
            before: where to begin; None for the newest contact.
            size: how many contacts a slice has, as of `CreatedAtSlicer`.
            params: further query parameters.
        """
        slicer = CreatedAtSlicer(size, self.newest, before)
        walk = everybody = Walk(self, {**params, **Span(None, before).filter})
        left = everybody.announced
        last: set[str] | None = None
        slicer.record_count(everybody.announced)
        while span := slicer.current:
            walk = Walk(self, {**params, **span.filter})
            if slicer.is_slice(walk.announced):
                yield Slice(walk, span.after, left)
                left -= len(walk.found - (last or set()))
                last = walk.found
            slicer.record_count(walk.announced)
        if last is None:
            yield Slice(everybody, None, left)
        elif left > 0:  # some have no time of creation, or the filters fail
            yield Slice(Walk(self, params), None, left)

    def predict_slices(self, before: datetime | None, size: int) -> PredictedRequest:
        """Return the request that `slices` begins with; the others follow from the responses.

        Args:
            before: as of `slices`.
            size: as of `slices`.
        """
        slicer = CreatedAtSlicer(size, self.newest, before)
        return self._predict_span(Span(None, before), slicer)

    def _predict_span(self, span: Span, slicer: CreatedAtSlicer) -> PredictedRequest:
        first_page = self.predict({"params": span.filter})
        return first_page._replace(then=partial(self._predict_after, slicer))

    def _predict_after(
        self, slicer: CreatedAtSlicer, page: requests.Response
    ) -> Iterator[PredictedRequest]:
        """Yield the next pages of a slice, then the first page of the next span."""
        count = _count(part_of(page, "contacts_count")) or 0
        if slicer.is_slice(count):
            yield from self.predict_following(page)
        slicer.record_count(count)
        if slicer.current:
            yield self._predict_span(slicer.current, slicer)

    @cached_property
    def newest(self) -> datetime:
        """When the newest contacts were created, roughly; the same for the whole run."""
        return self.api.now()

    def predicted_requests(self) -> Iterator[PredictedRequest]:
        """Yield the walks through what has changed; a sweep is foreseen when it begins."""
        for params in self._changes_params:
            first_page = self.predict({"params": params})
            yield first_page._replace(then=self._predict_changes)

    def _predict_changes(self, page: requests.Response) -> Iterator[PredictedRequest]:
        """Yield the next page, unless there are so many changes that a sweep takes their place."""
        if (_count(part_of(page, "contacts_count")) or 0) <= _MANY_CHANGES // 2:
            yield from self.predict_following(page)

    @property
    def _changes_params(self) -> list[dict[str, str]]:
        """The filters that show what has changed since the bookmark, if there is one."""
        if not self.stream_state.get("replication_key_value") or self.starts_from is None:
            return []
        since = format_timestamp(self.starts_from - _OVERLAP)
        return [{name: since} for name in ("updated_after", "optout_after")]

    def _changes(self, walks: list[Walk], seen: set[str]) -> Iterator[Record]:
        """Yield the contacts that changed or opted out; move the bookmark when all have come."""
        for walk in walks:
            yield from walk.contacts(seen)
            seen |= walk.found
        if all(walk.is_complete for walk in walks):
            self.stream_state.update(
                self._bookmark(format_timestamp(cast("datetime", self._began)))
            )

    def _sweep_is_due(self, swept_for: Mapping[str, Any]) -> bool:
        state = self.stream_state
        if "sweep" in state or state.get("swept_for") != swept_for:
            return True
        if not state.get("replication_key_value"):
            return True
        return self.is_due_after(str(state.get("swept_at", "")))

    def is_due_after(self, began: str) -> bool:
        """Return whether it is `contacts_sweep_days` since a sweep or a round began."""
        every = timedelta(days=self.config["contacts_sweep_days"])
        return began <= format_timestamp(self.api.now() - every + _SWEEP_EARLY)

    def _sweep_state(self, swept_for: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state of the sweep under way, or that of a new one."""
        sweep: dict[str, Any] = self.stream_state.get("sweep", {})
        if sweep.get("swept_for") != swept_for:
            sweep = self.stream_state["sweep"] = {"swept_for": swept_for}
        return sweep

    def _sweep(self, sweep: dict[str, Any], seen: set[str]) -> Iterator[Record]:
        """Yield all contacts that the sweep has still to read, slice by slice.

        Args:
            sweep: its state, which moves on with each slice.
            seen: the contacts that this run has read before.
        """
        mark = sweep.get("created_before")
        before = parse_timestamp(mark) if mark else None
        self.api.session.prefetch([self.predict_slices(before, _SLICE)])
        last: set[str] = set()
        is_complete = True
        for walk, lower, _ in self.slices(before, _SLICE, {}):
            sweep.setdefault("began", format_timestamp(cast("datetime", self._began)))
            yield from walk.contacts(seen, last)
            is_complete &= walk.is_complete
            last = walk.found
            if lower and is_complete:
                sweep["created_before"] = format_timestamp(lower)
                self._write_state_message()
        if is_complete and self.replication_method != REPLICATION_FULL_TABLE:
            self._end_sweep(sweep)

    def _end_sweep(self, sweep: Mapping[str, Any]) -> None:
        """Note the sweep; what comes here runs after the last contact was written."""
        bookmark = max(self.stream_state.get("replication_key_value", ""), sweep["began"])
        del self.stream_state["sweep"]
        self.stream_state.update(
            swept_at=sweep["began"], swept_for=sweep["swept_for"], **self._bookmark(bookmark)
        )

    def _bookmark(self, began: str) -> dict[str, Any]:
        return {"replication_key": self.replication_key, "replication_key_value": began}


class Walk:
    """A walk through the pages of contacts, with the contacts that it has found."""

    def __init__(self, stream: Contacts, params: Mapping[str, Any]) -> None:
        """Ask for the first page.

        Args:
            stream: the stream of contacts.
            params: the filter.
        """
        self._stream = stream
        self._params = params
        self.found: set[str] = set()
        self.is_complete = False
        self._contacts = self._begin()

    def contacts(self, *seen: set[str]) -> Iterator[Record]:
        """Yield the contacts, each once, and none of those that were seen before.

        The cursor is a page number (inferred from decoded cursors): contacts that move between
        pages meanwhile come twice or not at all. Where fewer come than the first page announces,
        the walk is done again.
        """
        known = set[str]().union(*seen)
        for again in range(_WALKS):
            if again:
                self._contacts = self._begin()
            before = len(self.found)
            for contact in self._contacts:
                contact_id = str(contact.get("contact_id"))
                is_new = contact_id not in self.found and contact_id not in known
                self.found.add(contact_id)
                if is_new:
                    yield contact
            # A further walk that brings none that is new: the API counts something else.
            if len(self.found) >= self.announced or len(self.found) == before > 0:
                self.is_complete = True
                return
        self._stream.logger.warning(
            "contacts: %d of %s contacts came in %d walks; the others are left to a later run, "
            "which you need not do anything for",
            len(self.found),
            self.announced,
            _WALKS,
        )

    def _begin(self) -> Iterator[Record]:
        self._stream.announced = None
        contacts = self._stream.walk_once(self._params)
        first = list(islice(contacts, 1))
        self.announced = self._stream.announced or 0
        return chain(first, contacts)


class Slice(NamedTuple):
    """The contacts created within some time."""

    walk: Walk
    #: The moment from which on all contacts are in this slice and those before it; None: all.
    created_from: datetime | None
    #: How many contacts there are in it and the slices to come.
    left: int


class ContactCounts(ConstantContactStream):
    """The number of contacts by consent at this moment (countContact)."""

    name = "contact_counts"
    path = "/contacts/counts"
    params = {"include": "new_subscriber"}
    primary_keys = ("counted_at",)
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    selected_by_default = False
    notes = StreamNotes(reads="a new row in each run", limitations="counts between two runs")

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
    notes = StreamNotes(cost="1 for 500 e-mail lists, 1 for 500 SMS lists")

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield each list once, whether it is for e-mail, SMS or both."""
        lists: dict[str | None, Record] = {}
        email, sms = self.first_pages(context)
        self._add(lists, email)
        try:
            self._add(lists, sms)
        except Refused as refusal:  # an account without SMS may refuse (guess)
            message = "%s. SMS lists are left out; an account without SMS need not do anything"
            self.logger.warning(message, refusal)
        yield from lists.values()

    def first_pages(self, context: Context | None) -> list[Context]:
        """Return what the lists of each channel are asked for with."""
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
    notes = StreamNotes(limitations="a deleted tag: it is missing, its row stays")


class ContactCustomFields(ConstantContactStream):
    """A custom field of contacts (getCustomFields)."""

    name = "contact_custom_fields"
    path = "/contact_custom_fields"
    records_key = "custom_fields"
    params = {"limit": 100}
    primary_keys = ("custom_field_id",)
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    notes = StreamNotes(limitations="a deleted field: it is missing, its row stays")


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
    notes = StreamNotes(limitations="what is older than ten days (documented)")


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
    notes = StreamNotes(limitations="a deleted segment: it is missing, its row stays")


class SegmentContacts(PerItemStream):
    """A contact that is in a segment now (getContacts with segment_id).

    The API puts a segment together when it is asked for, and answers 202 until it is there.
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
        cost="1 for 1,000 segments, and for each 1 for 500 contacts",
        limitations="a contact that leaves a segment: its row stays",
    )

    def items(self, context: Context | None) -> Iterator[Record]:
        """Yield all segments, changed or not."""
        segments = cast("Segments", self._tap.streams[Segments.name])
        for segment in segments.list_rows(""):
            segment_id = segment.get("segment_id")
            yield {"segment_id": segment_id, "params": {"segment_id": segment_id}}


def _last_changed_at(contact: Record) -> str | None:
    """Return the newest of a contact's times of change; `contacts.json` names them."""
    address = contact.get("email_address") or {}
    times = [contact.get("updated_at"), address.get("updated_at"), address.get("opt_out_date")]
    times.append(normalize_timestamp(contact.get("deleted_at")))
    consents = (contact.get("sms_channel") or {}).get("sms_channel_consents") or []
    for consent in filter(None, consents):
        times += map(consent.get, ("updated_at", "opt_in_date", "opt_out_date"))
    return max(filter(None, times), default=contact.get("created_at"))


def _count(announced: Any) -> int | None:
    count = str(announced)
    return int(count) if count.isdecimal() else None
