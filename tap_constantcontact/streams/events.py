"""Events and the registrations for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from tap_constantcontact.api.prefetch import PredictedRequest
from tap_constantcontact.api.responses import body_of
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import StreamNotes

if TYPE_CHECKING:
    from requests import Response
    from singer_sdk.helpers.types import Context, Record


class Events(ConstantContactStream):
    """An event, as listed and in detail (findEvents, getEvent_2)."""

    name = "events"
    path = "/events"
    records_key = "records"
    params = {"limit": 100}
    primary_keys = ("event_id",)
    detail_path = "/events/{event_id}"
    detail_params = {"include": "true"}
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield each event with its detail. Only the detail contains the track."""
        statuses = set()
        for event in super().read(context):
            statuses.add(str(event.get("status")))
            yield self.details.with_detail(event)
        if not self.config.get("event_status") and len(statuses) <= 1:
            self.logger.info(
                "events: without a status filter, the API listed %s. If the account has others, "
                "list their statuses in event_status",
                f"only events in status {statuses.pop()}" if statuses else "no events",
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
    context_columns = ("event_id",)
    parent_stream_type = Events
    state_partitioning_keys = ()
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    notes = StreamNotes(
        reads="all rows of each event, in every run (there is no time filter)",
        cost="1 or more for each event",
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
    context_columns = ("event_id", "registration_id")
    parent_stream_type = EventRegistrations
    state_partitioning_keys = ()
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    selected_by_default = False
    notes = StreamNotes(
        reads="all rows of each registration, in every run",
        cost="1 for each registration",
        limitations=EventRegistrations.notes.limitations,
    )
