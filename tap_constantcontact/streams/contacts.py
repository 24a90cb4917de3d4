"""Contacts, and what they are sorted by: lists, tags, custom fields, segments."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import ParseResult

import requests
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_constantcontact.client import ConstantContactStream, ForEachStream, OldestFirstStream
from tap_constantcontact.errors import Refused, body_of
from tap_constantcontact.values import Misfit, parse_timestamp, timestamp

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_CONTACTS = "the scope contact_data and the privilege contacts:read"
_LISTS = "the scope contact_data and the privilege contacts:lists:read"
_WALKS = 3
# "after" may leave out the second itself (not documented), and clocks of servers differ.
_OVERLAP = timedelta(minutes=10)
# A daily run does not begin at the same second every day.
_SWEEP_EARLY = timedelta(hours=1)


class Contacts(ConstantContactStream):
    """A contact, deleted and unsubscribed ones included (getContacts).

    `updated_after` misses unsubscribes, which move only the e-mail address's `updated_at` (seen:
    the vendor's support, 2022 and 2024), so an incremental run asks for changed and for opted-out
    contacts. What no filter shows (an unsubscribed contact that subscribes again, a confirmed
    address, perhaps list and tag changes) is found by a sweep of all contacts, every
    `contacts_sweep_days`.

    The bookmark is the start of the last complete run, not the newest time seen: a contact that
    changes behind the walk is read by the next run.

    Beside the bookmark, the state has `swept_at`, `swept_for` (the settings that the sweep was
    made with: others need a new one) and `since` (the start_date that the first run began with; a
    relative one moves on, but the contacts of the table stay the same).
    """

    name = "contacts"
    path = "/contacts"
    records_key = "contacts"
    params = {"include_count": "true", "limit": 500}
    primary_keys = ("contact_id",)
    replication_key = "last_changed_at"
    needs = _CONTACTS

    _include: list[str]
    _since = ""
    _swept_for: Mapping[str, Any]
    _began: datetime | None
    _announced: int | None

    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        """Return the parameters of a walk's first page."""
        return {
            **super().get_url_params(context, next_page_token),
            "status": self.config["contact_status"],
            "include": ",".join(self._include) or None,
        }

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield all contacts when a sweep is due, else those that the filters show as changed."""
        self._include, self._began = list(self.config["contacts_include"]), None
        start = self.config.get("start_date", "")
        self._since = min(start, self.stream_state.get("since", start))
        self._swept_for = {
            "status": self.config["contact_status"],
            "include": sorted(self._include),
            "since": self._since,
        }
        sweep = self._sweep_is_due()
        seen: set[str | None] = set()
        complete = True
        for filters in [{}] if sweep else self._filters_of_changes(context):
            complete &= yield from self._walk(filters, seen)
        self.keep_bookmark()
        if complete:
            self._note_complete_run(sweep=sweep)

    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield the contacts of a page; note the time of the first, and the number announced."""
        if self._began is None:
            self._began = _server_time(response)
        if self._announced is None:
            self._announced = _count(body_of(response))
            self._foretell(self._announced or 0)
        return super().parse_response(response)

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return a contact with the time of its last change, or None if start_date is later."""
        contact = super().post_process(row, context)
        if contact is None:
            return None
        contact["last_changed_at"] = _last_changed_at(contact) or timestamp(
            self._began or datetime.now(timezone.utc)
        )
        return contact if contact["last_changed_at"] >= self._since else None

    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterator[Context]:
        """Yield the contact, if the settings do not leave it out of the streams of each contact."""
        chosen = {
            "contact_ids": {record["contact_id"]},
            "contact_lists": set(record.get("list_memberships") or []),
            "contact_tags": set(record.get("taggings") or []),
        }
        if all(
            not self.config.get(setting) or not own.isdisjoint(self.config[setting])
            for setting, own in chosen.items()
        ):
            yield {
                "contact_id": record["contact_id"],
                "has_sms_channel": bool(record.get("sms_channel")),
            }

    def _foretell(self, contacts: int) -> None:
        """Say what the streams of each contact cost, before they begin."""
        names = [child.name for child in self.child_streams if child.selected]
        if names:
            self.logger.info(
                "%d contacts: up to %d requests and more for their further pages are to come, for "
                "each contact one of each of %s; contact_ids, contact_lists and contact_tags "
                "narrow them",
                contacts,
                contacts * len(names),
                ", ".join(names),
            )

    def _sweep_is_due(self) -> bool:
        state = self.stream_state
        if self.replication_method == REPLICATION_FULL_TABLE:
            return True
        if not state.get("replication_key_value") or state.get("swept_for") != self._swept_for:
            return True
        every = timedelta(days=self.config["contacts_sweep_days"])
        due = datetime.now(timezone.utc) - every + _SWEEP_EARLY
        return str(state.get("swept_at", "")) <= timestamp(due)

    def _filters_of_changes(self, context: Context | None) -> list[dict[str, str]]:
        start = self.get_starting_timestamp(context)
        if start is None:
            return [{}]
        since = timestamp(start - _OVERLAP)
        return [{"updated_after": since}, {"optout_after": since}]

    def _walk(
        self, filters: Mapping[str, str], seen: set[str | None]
    ) -> Generator[Record, None, bool]:
        """Yield the contacts of a filter that are not seen yet; return whether all have come.

        The cursor is a page number (inferred from decoded cursors): contacts that move between
        pages meanwhile come twice or not at all. Where fewer come than the first page announces,
        the walk is done again.
        """
        found: set[str | None] = set()
        for _ in range(_WALKS):
            self._announced = None
            before = len(found)
            for contact in self._contacts(filters):
                contact_id = contact.get("contact_id")
                found.add(contact_id)
                if contact_id not in seen:
                    seen.add(contact_id)
                    yield contact
            # A further walk that brings none that is new: the API counts something else.
            if len(found) >= (self._announced or 0) or len(found) == before > 0:
                return True
        self.logger.warning(
            "contacts: %d of %s contacts came in %d walks; the bookmark stays where it was, so "
            "that the next run asks for them again",
            len(found),
            self._announced,
            _WALKS,
        )
        return False

    def _contacts(self, filters: Mapping[str, str]) -> Iterator[Record]:
        try:
            yield from self.request_records({"params": filters})
        except Refused as refusal:
            if refusal.status != requests.codes.bad_request or "sms_channel" not in self._include:
                raise
            # Legal until 2024-11; comes by itself now (guess).
            self.logger.warning("contacts: goes on without sms_channel: %s", refusal)
            self._include.remove("sms_channel")
            yield from self.request_records({"params": filters})

    def _note_complete_run(self, *, sweep: bool) -> None:
        """Set the bookmark; what comes here runs after the last contact was written."""
        if self.replication_method == REPLICATION_FULL_TABLE or self._began is None:
            return
        began = timestamp(self._began)
        self.stream_state.update(
            replication_key=self.replication_key,
            replication_key_value=began,
            since=self._since,
        )
        if sweep:
            self.stream_state.update(swept_at=began, swept_for=self._swept_for)


class ContactCounts(ConstantContactStream):
    """The number of contacts by consent at this moment (countContact)."""

    name = "contact_counts"
    path = "/contacts/counts"
    params = {"include": "new_subscriber"}
    primary_keys = ("counted_at",)
    needs = _CONTACTS
    selected_by_default = False

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Add the time of counting, which is the row's key."""
        return super().post_process({**row, "counted_at": timestamp(datetime.now(timezone.utc))})


class ContactLists(ConstantContactStream):
    """A contact list, deleted ones included (getLists)."""

    name = "contact_lists"
    path = "/contact_lists"
    records_key = "lists"
    params = {"status": "all", "include_membership_count": "all", "limit": 500}
    primary_keys = ("list_id",)
    needs = _LISTS

    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield each list once, whether it is for e-mail, SMS or both."""
        lists: dict[str | None, Record] = {}
        self._add(lists, {"channel_type": "email"})
        try:
            self._add(lists, {"channel_type": "sms", "include_sms_membership_count": "true"})
        except Refused as refusal:  # an account without SMS may refuse (guess)
            self.logger.warning("contact_lists: SMS lists are left out: %s", refusal)
        yield from lists.values()

    def _add(self, lists: dict[str | None, Record], params: Mapping[str, str]) -> None:
        """Add the lists of a channel; one that is in both has the properties of both."""
        for row in self.request_records({"params": params}):
            known = lists.setdefault(row.get("list_id"), {"channel_types": []})
            known.update(row)
            known["channel_types"] = sorted({*known["channel_types"], params["channel_type"]})


class ContactTags(ConstantContactStream):
    """A tag that contacts can have (getTags)."""

    name = "contact_tags"
    path = "/contact_tags"
    records_key = "tags"
    params = {"include_count": "true", "limit": 500}
    primary_keys = ("tag_id",)
    needs = _CONTACTS


class ContactCustomFields(ConstantContactStream):
    """A custom field of contacts (getCustomFields)."""

    name = "contact_custom_fields"
    path = "/contact_custom_fields"
    records_key = "custom_fields"
    params = {"limit": 100}
    primary_keys = ("custom_field_id",)
    needs = _CONTACTS


class BulkActivities(ConstantContactStream):
    """A bulk change of contacts, lists or tags of the last ten days (getActivityStatusCollection).

    Reading needs a privilege to write (contract).
    """

    name = "bulk_activities"
    path = "/activities"
    records_key = "activities"
    params = {"limit": 500}
    primary_keys = ("activity_id",)
    needs = "the scope contact_data and the privilege contacts:write"
    selected_by_default = False


class Segments(OldestFirstStream):
    """A saved selection of contacts (getAccountSegments, getSegmentDetail)."""

    name = "segments"
    path = "/segments"
    records_key = "segments"
    params = {"sort_by": "date", "limit": 1000}
    primary_keys = ("segment_id",)
    replication_key = "edited_at"
    detail_path = "/segments/{segment_id}"
    needs = _LISTS


class SegmentContacts(ForEachStream):
    """A contact that is in a segment now (getContacts with segment_id).

    The API puts a segment together when it is asked for, and answers 202 until it is there.
    """

    name = "segment_contacts"
    path = "/contacts"
    records_key = "contacts"
    params = {"limit": 500}
    primary_keys = ("segment_id", "contact_id")
    own_columns = ("segment_id",)
    needs = _CONTACTS
    selected_by_default = False

    def items(self, context: Context | None) -> Iterator[Record]:
        """Yield all segments, changed or not."""
        segments = cast("Segments", self._tap.streams[Segments.name])
        for segment in segments.list_rows({}):
            segment_id = segment.get("segment_id")
            yield {"segment_id": segment_id, "params": {"segment_id": segment_id}}


def _last_changed_at(contact: Record) -> str | None:
    """Return the newest of a contact's times of change; `contacts.json` names them."""
    address = contact.get("email_address") or {}
    consents = (contact.get("sms_channel") or {}).get("sms_channel_consents") or []
    times = [
        contact.get("updated_at"),
        address.get("updated_at"),
        address.get("opt_out_date"),
        _midnight(contact.get("deleted_at")),
        *(
            consent.get(name)
            for consent in consents
            if consent
            for name in ("updated_at", "opt_in_date", "opt_out_date")
        ),
    ]
    return max(filter(None, times), default=contact.get("created_at"))


def _midnight(day: str | None) -> str | None:
    try:
        return timestamp(parse_timestamp(day)) if day else None
    except (Misfit, OverflowError):
        return None


def _server_time(response: requests.Response) -> datetime:
    """Return the server's time, or ours where it is earlier: a bookmark must not be too late."""
    now = datetime.now(timezone.utc)
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return now
    return min(now, date if date.tzinfo else date.replace(tzinfo=timezone.utc))


def _count(body: Any) -> int | None:
    count = str(body.get("contacts_count") if isinstance(body, dict) else "")
    return int(count) if count.isdecimal() else None
