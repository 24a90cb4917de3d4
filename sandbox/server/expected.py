"""What a complete sync of an account must deliver."""

from __future__ import annotations

import json
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import sandbox.endpoints  # noqa: F401 - declares the endpoints
from sandbox.account.clock import YEAR, comparable, stamp
from sandbox.account.contact_activity import EMAIL_TYPES, PAGE_TYPES
from sandbox.endpoints.account import EXTRA_FIELDS
from sandbox.endpoints.campaigns import INCLUDED
from sandbox.endpoints.contact_reports import MOST_YEARS
from sandbox.endpoints.contacts import SUB_RESOURCES
from sandbox.endpoints.landing_pages import LANDING_PAGES_PATH
from sandbox.endpoints.tracking import TRACKING_PATH
from sandbox.server.options import Options
from sandbox.server.routing import ENDPOINTS, Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sandbox.account import Account, Record

Rows = dict[tuple[Any, ...], "Record"]

OCCURRENCE = "occurrence"
"""Counts, from 0 on, the rows of a stream that agree in all other properties of its key."""

ACTIVITY_PATH = "/emails/activities/<campaign_activity_id>"
CONTACT_REPORTS_PATH = "/reports/contact_reports/<contact_id>/"
REGISTRATIONS_PATH = "/events/<event_id>/tracks/<track_id>/registrations"


def expected(
    account: Account,
    privileges: tuple[str, ...],
    streams: Collection[str] | None = None,
    *,
    stats_lag: int = 0,
) -> dict[str, Rows]:
    """Collect all rows that a complete sync must deliver, as the API would show them now.

    Args:
        account: The account.
        privileges: What the user who signed in may do.
        streams: Only these; None = all.
        stats_lag: Seconds by which counters are behind.

    Returns:
        By stream and key: copies of the records, with everything that can be included, and with
        those properties of the key that the answer lacks.
    """
    with account.lock:
        walk = Walk(account, privileges, stats_lag)
        return {
            name: _by_key(stream.rows(walk), stream.key)
            for name, stream in STREAMS.items()
            if streams is None or name in streams
        }


class Walk:
    """Asks the endpoints themselves, past gate and paging."""

    def __init__(self, account: Account, privileges: tuple[str, ...], stats_lag: int) -> None:
        """Take the usual habits of the API, whatever else those of the sandbox are."""
        self.account = account
        self.options = Options(privileges=privileges, stats_lag=stats_lag, segment_polls=0)

    def one(self, path: str, *ids: str, **query: object) -> Any:
        """Take the answer of an endpoint."""
        answer = ENDPOINTS[path].function(Call(self.account, self.options, query), *ids)
        return answer.body if isinstance(answer, Reply) else answer

    def every(self, path: str, *ids: str, **query: object) -> list[Record]:
        """Take all records of an endpoint that pages."""
        listing = self.one(path, *ids, **query)
        return [listing.show(row) for row in listing.rows]

    # Lists that others hang on.

    @cached_property
    def campaigns(self) -> list[Record]:
        """Take the details, and of removed campaigns what the list tells."""
        return [
            row
            if row["current_status"] == "Removed"
            else self.one("/emails/<campaign_id>", row["campaign_id"])
            for row in self.every("/emails")
        ]

    @cached_property
    def summaries(self) -> list[Record]:
        """Take the campaigns that were sent."""
        return self.every("/reports/summary_reports/email_campaign_summaries")

    @cached_property
    def sent(self) -> list[str]:
        """Name the activities that were sent, but for those of removed campaigns."""
        return list(filter(self.account.was_sent, self.account.engagement))

    @cached_property
    def events(self) -> list[Record]:
        """Take what the list tells and what the detail tells."""
        return [
            row | self.one("/events/<event_id>", row["event_id"], include=True)
            for row in self.every("/events")
        ]

    def activities(self, role: str = "") -> list[str]:
        """Name the activities that can be read: all, or those of one role."""
        return [
            reference["campaign_activity_id"]
            for campaign in self.campaigns
            for reference in campaign.get("campaign_activities", [])
            if reference["campaign_activity_id"] not in self.account.unreadable
            and role in ("", reference["role"])
        ]

    # Streams that take more than one line.

    def lists(self) -> list[Record]:
        """Walk both channels: a list in both appears once, with both counts."""
        asked: dict[str, Any] = {"status": {"all"}, "include_membership_count": "all"}
        email = self.every("/contact_lists", channel_type="email", **asked)
        sms = self.every(
            "/contact_lists", channel_type="sms", include_sms_membership_count=True, **asked
        )
        merged = {row["list_id"]: row for row in [*email, *sms]}
        return list(merged.values())

    def stats(self, level: str, ids: Iterable[str]) -> list[Record]:
        """Take the stats of campaigns or of activities."""
        (path,) = (path for path in ENDPOINTS if path.startswith(f"/reports/stats/{level}/"))
        return [self.one(path, id_)["results"][0] for id_ in ids]

    def of_activities(self, path: str, ids: Iterable[str]) -> Iterator[Record]:
        """Take what an activity has at a path, once or several times, and name the activity."""
        for id_ in ids:
            answer = self.one(path, id_)
            for row in answer if isinstance(answer, list) else [answer]:
                yield {"campaign_activity_id": id_, **row}

    def links(self) -> Iterator[Record]:
        """Take all links, those nobody clicked as well."""
        path = "/reports/email_reports/<campaign_activity_id>/links"
        for id_ in self.sent:
            answer = self.one(path, id_, no_clicks=True)
            for row in answer["link_click_counts"]:
                yield {"campaign_activity_id": id_, **row}

    def registrations(self) -> Iterator[Record]:
        """Take the registrations for all events that are listed."""
        for event in self.events:
            ids = event["event_id"], event["default_track"]["track_id"]
            for row in self.every(REGISTRATIONS_PATH, *ids):
                yield {"event_id": ids[0], **row}

    def registration_details(self) -> Iterator[Record]:
        """Take the details of the same registrations."""
        path = f"{REGISTRATIONS_PATH}/<registration_id>"
        for row in self.registrations():
            detail = self.one(path, row["event_id"], row["track_key"], row["registration_id"])
            yield {"event_id": row["event_id"], **detail}

    def segment_contacts(self) -> Iterator[Record]:
        """Take the contacts of each segment."""
        for id_ in self.account.segments:
            for row in self.every("/contacts", segment_id=id_):
                yield {"segment_id": id_, **row}

    def contact_activities(self) -> Iterator[Record]:
        """Take all that any contact did."""
        path, types = CONTACT_REPORTS_PATH + "activity_details", {*EMAIL_TYPES, *PAGE_TYPES}
        for id_ in self.account.contacts:
            yield from self.every(path, id_, tracking_activities_list=types)

    def contact_report(self, name: str) -> Iterator[Record]:
        """Take a report on every contact, for as long as the API allows."""
        now = self.account.now()
        window = {
            "start": comparable(stamp(now - MOST_YEARS * YEAR)),
            "end": comparable(stamp(now)),
        }
        for id_ in self.account.contacts:
            yield self.one(CONTACT_REPORTS_PATH + name, id_, **window)

    def contact_summaries(self) -> Iterator[Record]:
        """Take what each contact did with each email, and name the contact."""
        for report in self.contact_report("activity_summary"):
            for row in report["campaign_activities"]:
                yield {"contact_id": report["contact_id"], **row}

    def automations(self) -> Iterator[Record]:
        """Take what the list tells and what the detail tells."""
        path = "/automations/workflows"
        for row in self.one(path)["flow_summaries"]:
            yield row | self.one(f"{path}/<automation_flow_id>", row["id"])

    def social_connections(self) -> Iterator[Record]:
        """Take the connections, with the keys that lie inside of them."""
        for row in self.one("/social/connections")["connections"]:
            keys = ("network", "network_account_id")
            yield {**{key: row["account_info"][key] for key in keys}, **row}

    def plans(self) -> Iterator[Record]:
        """Take the plans of a partner's clients, and name the client."""
        for id_ in self.account.partner_accounts:
            plan = self.one("/partner/accounts/<encoded_account_id>/plan", id_)
            yield {"encoded_account_id": id_, **plan}


class Stream(NamedTuple):
    """The key of a stream, and where its rows come from."""

    key: tuple[str, ...]
    rows: Callable[[Walk], Iterable[Record]]


def _tracking(path: str, *more: str) -> Stream:
    """Declare a stream of rows that the reports tell for each activity."""
    pages = path.startswith(LANDING_PAGES_PATH)
    return Stream(
        ("campaign_activity_id", "contact_id", *more),
        lambda walk: (
            row
            for id_ in (walk.account.landing_pages if pages else walk.sent)
            for row in walk.every(path, id_)
        ),
    )


def _sub_resource(name: str, role: str, *more: str) -> Stream:
    """Declare a stream of what activities have beside themselves."""
    return Stream(
        ("campaign_activity_id", *more),
        lambda walk: walk.of_activities(f"{ACTIVITY_PATH}/{name}", walk.activities(role)),
    )


EVENT = ("created_time", OCCURRENCE)

STREAMS = {
    "account": Stream(
        ("encoded_account_id",),
        lambda walk: [walk.one("/account/summary", extra_fields=set(EXTRA_FIELDS))],
    ),
    "account_emails": Stream(("email_id",), lambda walk: walk.one("/account/emails")),
    "account_user_privileges": Stream(
        ("privilege_id",), lambda walk: walk.one("/account/user/privileges")
    ),
    # contacts
    "contacts": Stream(
        ("contact_id",),
        lambda walk: walk.every("/contacts", status={"all"}, include=set(SUB_RESOURCES)),
    ),
    "contact_lists": Stream(("list_id",), Walk.lists),
    "contact_tags": Stream(
        ("tag_id",), lambda walk: walk.every("/contact_tags", include_count=True)
    ),
    "contact_custom_fields": Stream(
        ("custom_field_id",), lambda walk: walk.every("/contact_custom_fields")
    ),
    "segments": Stream(
        ("segment_id",),
        lambda walk: (
            walk.one("/segments/<segment_id>", str(id_)) for id_ in walk.account.segments
        ),
    ),
    "segment_contacts": Stream(("segment_id", "contact_id"), Walk.segment_contacts),
    "contact_sms_engagement_history": Stream(
        ("sms_channel_history_id",),
        lambda walk: (
            row
            for id_ in walk.account.contacts
            for row in walk.one("/contacts/sms_engagement_history/<contact_id>", id_)
        ),
    ),
    "bulk_activities": Stream(("activity_id",), lambda walk: walk.every("/activities")),
    # campaigns
    "email_campaigns": Stream(("campaign_id",), lambda walk: walk.campaigns),
    "email_campaign_activities": Stream(
        ("campaign_activity_id",),
        lambda walk: (
            walk.one(ACTIVITY_PATH, id_, include=set(INCLUDED)) for id_ in walk.activities()
        ),
    ),
    "email_campaign_send_history": _sub_resource("send_history", "", "send_id"),
    "email_campaign_schedules": _sub_resource("schedules", "", "scheduled_date"),
    "email_campaign_ab_tests": Stream(
        ("campaign_activity_id",),
        lambda walk: walk.of_activities(
            f"{ACTIVITY_PATH}/abtest",
            [id_ for id_ in walk.activities("primary_email") if id_ in walk.account.ab_tests],
        ),
    ),
    "email_campaign_resends": _sub_resource(
        "non_opener_resends", "primary_email", "resend_request_id"
    ),
    "email_campaign_previews": _sub_resource("previews", "primary_email"),
    # reports
    "email_campaign_summaries": Stream(("campaign_id",), lambda walk: walk.summaries),
    "email_campaign_stats": Stream(
        ("campaign_id",),
        lambda walk: walk.stats("email_campaigns", (row["campaign_id"] for row in walk.summaries)),
    ),
    "email_campaign_activity_stats": Stream(
        ("campaign_activity_id",),
        lambda walk: walk.stats("email_campaign_activities", walk.sent),
    ),
    "email_links": Stream(("campaign_activity_id", "url_id"), Walk.links),
    "email_sends": _tracking(TRACKING_PATH + "sends", *EVENT),
    "email_opens": _tracking(TRACKING_PATH + "opens", *EVENT),
    "email_unique_opens": _tracking(TRACKING_PATH + "unique_opens"),
    "email_did_not_opens": _tracking(TRACKING_PATH + "didnotopens"),
    "email_clicks": _tracking(TRACKING_PATH + "clicks", "url_id", *EVENT),
    "email_forwards": _tracking(TRACKING_PATH + "forwards", *EVENT),
    "email_optouts": _tracking(TRACKING_PATH + "optouts", *EVENT),
    "email_bounces": _tracking(TRACKING_PATH + "bounces", *EVENT),
    "landing_page_contact_opens": _tracking(LANDING_PAGES_PATH + "p_contact_opens", *EVENT),
    "landing_page_unique_opens": _tracking(LANDING_PAGES_PATH + "p_unique_contact_opens"),
    "landing_page_unique_clicks": _tracking(
        LANDING_PAGES_PATH + "p_unique_contact_clicks", "url_id"
    ),
    "landing_page_unique_adds": _tracking(LANDING_PAGES_PATH + "p_unique_contact_adds"),
    "landing_page_unique_updates": _tracking(LANDING_PAGES_PATH + "p_unique_contact_updates"),
    "landing_page_unique_sms_optins": _tracking(LANDING_PAGES_PATH + "p_unique_contact_sms_optins"),
    "sms_campaign_summaries": Stream(
        ("campaign_id",),
        lambda walk: walk.every("/reports/summary_reports/sms_campaign_summaries", start_at=""),
    ),
    "contact_activity_details": Stream(
        ("contact_id", "campaign_activity_id", "tracking_activity_type", *EVENT),
        Walk.contact_activities,
    ),
    "contact_activity_summaries": Stream(
        ("contact_id", "campaign_activity_id"), Walk.contact_summaries
    ),
    "contact_open_click_rates": Stream(
        ("contact_id",), lambda walk: walk.contact_report("open_and_click_rates")
    ),
    # events, social, automations
    "events": Stream(("event_id",), lambda walk: walk.events),
    "event_registrations": Stream(("event_id", "registration_id"), Walk.registrations),
    "event_registration_details": Stream(
        ("event_id", "registration_id"), Walk.registration_details
    ),
    "social_profiles": Stream(
        ("profile_id",), lambda walk: walk.one("/social/profiles", include={"accessible"})
    ),
    "social_connections": Stream(("network", "network_account_id"), Walk.social_connections),
    "social_hashtag_groups": Stream(
        ("hashtag_group_id",), lambda walk: walk.account.hashtag_groups
    ),
    "automations": Stream(("id",), Walk.automations),
    # ids of the old API: all there are
    "contact_id_xrefs": Stream(
        ("sequence_id",),
        lambda walk: walk.one(
            "/contacts/contact_id_xrefs", sequence_ids=walk.account.v2_contact_ids
        )["xrefs"],
    ),
    "list_id_xrefs": Stream(
        ("sequence_id",),
        lambda walk: walk.one(
            "/contact_lists/list_id_xrefs", sequence_ids=walk.account.v2_list_ids
        )["xrefs"],
    ),
    "campaign_id_xrefs": Stream(
        ("v2_email_campaign_id",),
        lambda walk: walk.one(
            "/emails/campaign_id_xrefs", v2_email_campaign_ids=walk.account.v2_campaign_ids
        )["xrefs"],
    ),
    # partner
    "partner_accounts": Stream(
        ("encoded_account_id",), lambda walk: walk.account.partner_accounts.values()
    ),
    "partner_account_plans": Stream(("encoded_account_id",), Walk.plans),
    "partner_webhook_subscriptions": Stream(
        ("topic_id",), lambda walk: walk.one("/partner/webhooks/subscriptions")
    ),
}


def _by_key(records: Iterable[Record], key: tuple[str, ...]) -> Rows:
    copies = json.loads(json.dumps(list(records)))
    if OCCURRENCE in key:
        seen = Counter[tuple[Any, ...]]()
        for record in copies:
            others = tuple(record[name] for name in key if name != OCCURRENCE)
            record[OCCURRENCE] = seen[others]
            seen[others] += 1
    return {tuple(record[name] for name in key): record for record in copies}
