"""What the streams of a run share: the connection, and data that several of them need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
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
from tap_constantcontact.incremental.state_parts import own_part, part_of
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
        requests = _SampleRequests if self._is_sample else _CampaignRequests
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
            # The positions in the change log of a sample mean nothing in another run.
            state = deepcopy(stream.stream_state) if self._is_sample else stream.stream_state
            progress = ActivityProgress(state, stream.config, stream.report_kind, is_full=is_full)
            self._activity_readers[stream.name] = ActivityReader(
                self.campaigns, progress, lambda: self.api.today, stream.checkpoint
            )
        return self._activity_readers[stream.name]

    @property
    def _is_sample(self) -> bool:
        """Whether the run reads so few records that a sample of the campaigns has them."""
        return self._tap.is_test or "max_records_per_stream" in self._tap.config

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

    def starts(self) -> Iterator[datetime | None]:
        for stream in self._services.change_log_readers:
            yield self._services.activity_reader(stream).progress.start

    @property
    def named_logs(self) -> set[str]:
        states = self._tap.state.get("bookmarks", {}).values()
        return {named_log(state) for state in states}

    def checkpoint(self) -> None:
        self.counters.checkpoint()


class _SampleRequests(_CampaignRequests):
    """The requests of a test, or of a quick look: for a few campaigns of each kind.

    Otherwise the first row of a report would cost a request for each campaign of the account.
    """

    @override
    def request_list(self, since: str) -> Iterable[Record]:
        return self._sample

    @override
    def request_summaries(self) -> Iterable[Record]:
        chosen = {campaign.get("campaign_id") for campaign in self._sample}
        rows = islice(super().request_summaries(), self._listed)
        return [row for row in rows if row.get("campaign_id") in chosen]

    @cached_property
    @override
    def log_state(self) -> dict[str, Any]:  # of this run alone
        return deepcopy(part_of(self.counters.stream_state, LOG))

    @cached_property
    def _sample(self) -> list[Record]:
        """The first campaigns of each status and of each type."""
        found: defaultdict[Any, list[Record]] = defaultdict(list)
        for campaign in islice(super().request_list(""), self._listed):
            status = status_of(campaign)
            # Of a removed one nothing else can be read.
            for kind in {status, campaign.get("type_code") if status != "removed" else status}:
                if len(found[kind]) < self._size:
                    found[kind].append(campaign)
        return list({row.get("campaign_id"): row for row in chain(*found.values())}.values())

    @property
    def _size(self) -> int:
        """How many campaigns of each kind are read."""
        tested = (stream.ABORT_AT_RECORD_COUNT or 0 for stream in self._tap.streams.values())
        return max(tested) or int(self._tap.config["max_records_per_stream"])

    @property
    def _listed(self) -> int:
        """How many campaigns are listed to choose from."""
        return max(_PAGE, self._size)
