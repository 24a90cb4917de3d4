"""What the streams of a run share: the connection, and data that several of them need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_constantcontact.incremental.activity_progress import (
    ActivityProgress,
    ActivityReader,
    named_log,
)
from tap_constantcontact.incremental.campaign_details import status_of
from tap_constantcontact.incremental.campaign_index import CampaignIndex
from tap_constantcontact.incremental.change_log_codec import LOG
from tap_constantcontact.incremental.contact_reader import ContactReader
from tap_constantcontact.incremental.state_parts import own_part
from tap_constantcontact.streams.account import Account
from tap_constantcontact.streams.campaign_stats import (
    EmailCampaignActivityStats,
    EmailCampaignStats,
)
from tap_constantcontact.streams.campaigns import EmailCampaigns, EmailCampaignSummaries
from tap_constantcontact.streams.contacts import Contacts

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_constantcontact.api.prefetch import PredictedRequest
    from tap_constantcontact.api.run_context import RunContext
    from tap_constantcontact.client import ConstantContactStream
    from tap_constantcontact.incremental.change_log import ChangeLog
    from tap_constantcontact.tap import TapConstantContact

_PAGE = 500


class Services:
    """Shared services, given to each stream. Each part is created on first use."""

    def __init__(self, tap: TapConstantContact, connect: Callable[[], RunContext]) -> None:
        """Serve the streams of one login.

        Args:
            tap: The tap.
            connect: Opens the connection. Not called before the first request.
        """
        self._tap = tap
        self._connect = connect
        self._activity_readers: dict[str, ActivityReader] = {}

    @property
    def api(self) -> RunContext:
        """The run context, which holds the connection."""
        return self._connect()

    def account_id(self) -> str:
        """Return the ID of the account, which is requested once in a run.

        Raises:
            LoginError: The sign-in doesn't allow that.
        """
        return self._tap.stream(Account).account_id()

    @cached_property
    def campaigns(self) -> CampaignIndex:
        """The list of campaigns, with details, counters and the change log."""
        requests = _SampleRequests if self._tap.is_test else _CampaignRequests
        return CampaignIndex(requests(self, self._tap), self.api, self._tap.config)

    @cached_property
    def contacts(self) -> ContactReader:
        """The reader of contacts."""
        return ContactReader(self._tap.stream(Contacts), self.api)

    def activity_reader(self, stream: ConstantContactStream) -> ActivityReader:
        """Return the reader of changed activities for a stream.

        It holds the state of the stream, which is the same dict for the whole run.
        """
        if stream.name not in self._activity_readers:
            is_full = stream.replication_method == REPLICATION_FULL_TABLE
            progress = ActivityProgress(stream.stream_state, stream.config, is_full=is_full)
            self._activity_readers[stream.name] = ActivityReader(
                self.campaigns, progress, lambda: self.api.today, stream.checkpoint
            )
        return self._activity_readers[stream.name]

    @property
    def change_log_readers(self) -> list[ConstantContactStream]:
        """The selected streams that follow the change log."""
        streams = self._tap.streams.values()
        return [stream for stream in streams if stream.selected and stream.follows_change_log]


class _CampaignRequests:
    """Makes the requests of the campaign index with the streams whose endpoints they use."""

    def __init__(self, services: Services, tap: TapConstantContact) -> None:
        self._services = services
        self._tap = tap
        self._campaigns = tap.stream(EmailCampaigns)
        self._summaries = tap.stream(EmailCampaignSummaries)
        self.counters = tap.stream(EmailCampaignStats)
        self.activity_counters = tap.stream(EmailCampaignActivityStats)

    def request_list(self, since: str) -> Iterable[Record]:
        return self._campaigns.request_list(since)

    def request_detail(self, campaign: Record) -> Record:
        return self._campaigns.details.detail_of(campaign)

    def predict_detail(self, campaign: Record) -> PredictedRequest:
        return self._campaigns.predict.detail(campaign)

    def request_summaries(self) -> Iterable[Record]:
        return self._summaries.request_records(None)

    @property
    def log_state(self) -> dict[str, Any]:
        return own_part(self.counters.stream_state, LOG)

    def positions(self, log: ChangeLog) -> Iterator[int]:
        for stream in self._services.change_log_readers:
            yield self._services.activity_reader(stream).progress.read_through(log)

    @property
    def named_logs(self) -> set[str]:
        states = self._tap.state.get("bookmarks", {}).values()
        return {named_log(state) for state in states}

    def checkpoint(self) -> None:
        self.counters.checkpoint()


class _SampleRequests(_CampaignRequests):
    """The requests of a test: for a few campaigns, which represent all kinds of them."""

    @override
    def request_list(self, since: str) -> Iterable[Record]:
        return self._sample

    @override
    def request_summaries(self) -> Iterable[Record]:
        chosen = {campaign.get("campaign_id") for campaign in self._sample}
        page = islice(super().request_summaries(), _PAGE)
        return [row for row in page if row.get("campaign_id") in chosen]

    @cached_property
    def _sample(self) -> list[Record]:
        """The first campaign of each status and of each type, of the first page of the list."""
        found: dict[Any, Record] = {}
        for campaign in islice(super().request_list(""), _PAGE):
            if status_of(campaign) != "removed":  # nothing can be read of it
                found.setdefault(status_of(campaign), campaign)
                found.setdefault(campaign.get("type_code"), campaign)
        return list({row.get("campaign_id"): row for row in found.values()}.values())
