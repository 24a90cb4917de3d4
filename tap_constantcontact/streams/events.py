"""Events and the registrations for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import body_of
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.incremental.event_cycle import EventCycle
from tap_constantcontact.notes import StreamNotes

if TYPE_CHECKING:
    from requests import Response
    from singer_sdk.helpers.types import Context, Record


_READS = (
    "all that changed in the list or ended less than `events_settle_days` ago; every "
    "`events_sweep_days`, all"
)


class Events(ConstantContactStream):
    """An event, as listed and in detail (findEvents, getEvent_2).

    The list is read in every run. `EventCycle` says which events are read with their details and
    registrations. If a run ends early, the next one resumes the cycle.
    """

    name = "events"
    path = "/events"
    records_key = "records"
    params = {"limit": 100}
    primary_keys = ("event_id",)
    replication_key = "last_update_time"
    detail_path = "/events/{event_id}"
    detail_params = {"include": "true"}
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    manages_state = True
    has_keys_once = True
    notes = StreamNotes(
        reads=_READS,
        cost="1 for 100 events, and 1 for each event that is read",
        limitations="changes that the list does not show, for up to `events_sweep_days`",
    )

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield events with their details. Only the detail contains the track."""
        statuses = set()
        self.cycle.begin(self.api.now())
        for event in super().read(context):
            statuses.add(str(event.get("status")))
            if self.cycle.needs(event, self.api.now()):
                # The row changes on its way to the target.
                yield self.details.with_detail(dict(event))
                self.cycle.note_read(event)
        self.cycle.complete()
        if not self.config.get("event_status") and len(statuses) <= 1:
            self.logger.info(
                "events: without a status filter, the API listed %s. If the account has others, "
                "list their statuses in event_status",
                f"only events in status {statuses.pop()}" if statuses else "no events",
            )

    @cached_property
    def cycle(self) -> EventCycle:
        """Which events are to be read, for all selected streams that belong to events."""
        streams = [self, *self.descendent_streams]
        selected = [stream for stream in streams if stream.selected]
        return EventCycle(
            self.stream_state,
            self.config,
            selected={stream.name: stream.stream_state for stream in selected},
            is_full=any(stream.replication_method == REPLICATION_FULL_TABLE for stream in selected),
        )

    @override
    def request_contexts(self, context: Context | None) -> Iterator[Context]:
        """Yield the statuses of the setting event_status, or one context for all events.

        Assumes: events_come_in_every_status.
        """
        for status in dict.fromkeys(self.config.get("event_status") or [None]):
            yield {"params": {"event_status": status}}

    @override
    def predict_details(self, page: Response, *, is_last: bool) -> Iterator[PredictedRequest]:
        """Return the requests for the details of events. Those for registrations follow."""
        for event in filter(self.records.has_key, self.predict.rows_of(page)):
            if not self.cycle.needs(event, self.api.now()):
                continue
            then = partial(self._predict_from_detail, event["event_id"])
            yield self.predict.detail(event)._replace(then=then)

    def _predict_from_detail(self, event_id: str, response: Response) -> Iterator[PredictedRequest]:
        event = {**body_of(response), "event_id": event_id}
        for child in cast("list[ConstantContactStream]", self.child_streams):
            if child.selected or child.has_selected_descendents:
                yield from map(child.predict.pages, self.generate_child_contexts(event, None))

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterator[Context]:
        """Yield the event's track. The API shows only one."""
        track_id = (record.get("default_track") or {}).get("track_id")
        if track_id:
            yield {"event_id": record["event_id"], "track_id": track_id}


class EventRegistrations(ConstantContactStream):
    """A registration for an event (findRegistrationsUsingGET)."""

    name = "event_registrations"
    path = "/events/{event_id}/tracks/{track_id}/registrations"
    records_key = "records"
    primary_keys = ("event_id", "registration_id")
    replication_key = "registration_time"
    manages_state = True
    has_keys_once = True
    context_columns = ("event_id",)
    parent_stream_type = Events
    state_partitioning_keys = ()
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    notes = StreamNotes(
        reads="all rows of each event that is read (there is no time filter)",
        cost="1 or more for each event that is read",
        limitations="registrations that disappear: their rows stay",
    )

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterator[Context]:
        """Yield the context of the registration's detail."""
        yield {**(context or {}), "registration_id": record["registration_id"]}


class EventRegistrationDetails(ConstantContactStream):
    """A registration with its tickets, answers and order (getRegistrationInfo)."""

    name = "event_registration_details"
    path = "/events/{event_id}/tracks/{track_id}/registrations/{registration_id}"
    primary_keys = ("event_id", "registration_id")
    replication_key = "registration_date"
    manages_state = True
    has_keys_once = True
    context_columns = ("event_id", "registration_id")
    parent_stream_type = EventRegistrations
    state_partitioning_keys = ()
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    selected_by_default = False
    notes = StreamNotes(
        reads="each registration for an event that is read",
        cost="1 for each registration for an event that is read",
        limitations=EventRegistrations.notes.limitations,
    )
