"""The rows that a complete sync of an account must deliver."""

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
from sandbox.endpoints.contact_reports import MAX_YEARS
from sandbox.endpoints.contacts import SUB_RESOURCES
from sandbox.endpoints.landing_pages import LANDING_PAGES_PATH
from sandbox.endpoints.tracking import TRACKING_PATH
from sandbox.server.options import Options
from sandbox.server.routing import ENDPOINTS, Call, JsonResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sandbox.account import Account, Record

Rows = dict[tuple[Any, ...], "Record"]

OCCURRENCE = "occurrence"
"""Numbers, from 0, the rows of a stream that agree in all other properties of its key."""

CONTENT = (
    *("stats_lag", "unlisted_opens", "uncounted_forwards", "report_seconds", "last_sent_date"),
    "event_metrics",
    *("removed_campaigns_listed", "sms_channel_unasked", "sms_count_name"),
)
"""The options that change which rows a response has, and their values."""

ACTIVITY_PATH = "/emails/activities/<campaign_activity_id>"
CONTACT_REPORTS_PATH = "/reports/contact_reports/<contact_id>/"
REGISTRATIONS_PATH = "/events/<event_id>/tracks/<track_id>/registrations"


def expected(
    account: Account,
    privileges: tuple[str, ...],
    streams: Collection[str] | None = None,
    options: Options | None = None,
) -> dict[str, Rows]:
    """Return all rows that a complete sync must deliver, as the API would return them now.

    Args:
        account: The account.
        privileges: The privileges of the user who signed in.
        streams: The names of the streams; None = all.
        options: The options of the sandbox; those in `CONTENT` count.

    Returns:
        Copies of the records, by stream and key, with everything that can be included and with
        the properties of the key that the response lacks.
    """
    with account.lock:
        reader = EndpointReader(account, privileges, options or Options())
        return {
            name: _by_key(stream.rows(reader), stream.key)
            for name, stream in STREAMS.items()
            if streams is None or name in streams
        }


class EndpointReader:
    """Calls the endpoints directly, without admission and paging."""

    def __init__(self, account: Account, privileges: tuple[str, ...], options: Options) -> None:
        """Use the default behavior of the API, except for what a response contains."""
        self.account = account
        content: dict[str, Any] = {name: getattr(options, name) for name in CONTENT}
        self.options = Options(privileges=privileges, segment_polls=0, **content)

    def get(self, path: str, *ids: str, **query: object) -> Any:
        """Return the response body of an endpoint."""
        body = ENDPOINTS[path].function(Call(self.account, self.options, query), *ids)
        return body.body if isinstance(body, JsonResponse) else body

    def get_all(self, path: str, *ids: str, **query: object) -> list[Record]:
        """Return all records of an endpoint with pages."""
        listing = self.get(path, *ids, **query)
        return [listing.show(row) for row in listing.rows]

    # Lists that other streams depend on.

    @cached_property
    def campaigns(self) -> list[Record]:
        """The details, and of removed campaigns the rows of the list."""
        return [
            row
            if row["current_status"] == "Removed"
            else self.get("/emails/<campaign_id>", row["campaign_id"])
            for row in self.get_all("/emails")
        ]

    @cached_property
    def summaries(self) -> list[Record]:
        """The campaigns that were sent."""
        return self.get_all("/reports/summary_reports/email_campaign_summaries")

    @cached_property
    def sent(self) -> list[str]:
        """The ids of activities that were sent, except those of removed campaigns."""
        return list(filter(self.account.was_sent, self.account.engagement))

    @cached_property
    def events(self) -> list[Record]:
        """The rows of the list merged with the details."""
        return [
            row | self.get("/events/<event_id>", row["event_id"], include=True)
            for row in self.get_all("/events")
        ]

    def activities(self, role: str = "") -> list[str]:
        """Return the ids of activities that can be read: all, or those with one role."""
        return [
            reference["campaign_activity_id"]
            for campaign in self.campaigns
            for reference in campaign.get("campaign_activities", [])
            if reference["campaign_activity_id"] not in self.account.unreadable
            and role in ("", reference["role"])
        ]

    # Streams that need more than one line.

    def lists(self) -> list[Record]:
        """Read both channels: a list in both appears once, with both counts."""
        query: dict[str, Any] = {"status": {"all"}, "include_membership_count": "all"}
        email = self.get_all("/contact_lists", channel_type="email", **query)
        sms = self.get_all(
            "/contact_lists", channel_type="sms", include_sms_membership_count=True, **query
        )
        merged = {row["list_id"]: row for row in [*email, *sms]}
        return list(merged.values())

    def stats(self, level: str, ids: Iterable[str]) -> list[Record]:
        """Return the stats of campaigns or of activities."""
        (path,) = (path for path in ENDPOINTS if path.startswith(f"/reports/stats/{level}/"))
        return [self.get(path, id_)["results"][0] for id_ in ids]

    def of_activities(self, path: str, ids: Iterable[str]) -> Iterator[Record]:
        """Yield the records of activities at a path, with the id of the activity."""
        for id_ in ids:
            body = self.get(path, id_)
            for row in body if isinstance(body, list) else [body]:
                yield {"campaign_activity_id": id_, **row}

    def links(self) -> Iterator[Record]:
        """Yield all links, including those that nobody clicked."""
        path = "/reports/email_reports/<campaign_activity_id>/links"
        for id_ in self.sent:
            body = self.get(path, id_, no_clicks=True)
            for row in body["link_click_counts"]:
                yield {"campaign_activity_id": id_, **row}

    def registrations(self) -> Iterator[Record]:
        """Yield the registrations for all listed events."""
        for event in self.events:
            ids = event["event_id"], event["default_track"]["track_id"]
            for row in self.get_all(REGISTRATIONS_PATH, *ids):
                yield {"event_id": ids[0], **row}

    def registration_details(self) -> Iterator[Record]:
        """Yield the details of the same registrations."""
        path = f"{REGISTRATIONS_PATH}/<registration_id>"
        for row in self.registrations():
            detail = self.get(path, row["event_id"], row["track_key"], row["registration_id"])
            yield {"event_id": row["event_id"], **detail}

    def segment_contacts(self) -> Iterator[Record]:
        """Yield the contacts of each segment."""
        for id_ in self.account.segments:
            for row in self.get_all("/contacts", segment_id=id_):
                yield {"segment_id": id_, **row}

    def contact_activities(self) -> Iterator[Record]:
        """Yield all activities of all contacts."""
        path, types = CONTACT_REPORTS_PATH + "activity_details", {*EMAIL_TYPES, *PAGE_TYPES}
        for id_ in self.account.contacts:
            yield from self.get_all(path, id_, tracking_activities_list=types)

    def contact_report(self, name: str) -> Iterator[Record]:
        """Yield a report on every contact, for the longest window that the API allows."""
        now = self.account.now()
        window = {
            "start": comparable(stamp(now - MAX_YEARS * YEAR)),
            "end": comparable(stamp(now)),
        }
        for id_ in self.account.contacts:
            yield self.get(CONTACT_REPORTS_PATH + name, id_, **window)

    def contact_summaries(self) -> Iterator[Record]:
        """Yield a summary of each contact and email, with the id of the contact."""
        for report in self.contact_report("activity_summary"):
            for row in report["campaign_activities"]:
                yield {"contact_id": report["contact_id"], **row}

    def automations(self) -> Iterator[Record]:
        """Yield the rows of the list merged with the details."""
        path = "/automations/workflows"
        for row in self.get(path)["flow_summaries"]:
            yield row | self.get(f"{path}/<automation_flow_id>", row["id"])

    def social_connections(self) -> Iterator[Record]:
        """Yield the connections, with their nested keys at the top."""
        for row in self.get("/social/connections")["connections"]:
            keys = ("network", "network_account_id")
            yield {**{key: row["account_info"][key] for key in keys}, **row}

    def performance(self) -> Iterator[Record]:
        """Yield the places of all rankings."""
        body = self.get("/reports/email_reports/campaign_performance", count=100)
        for ranking in ("top", "bottom"):
            for measure, places in body[ranking].items():
                for rank, place in enumerate(places, start=1):
                    yield {"ranking": ranking, "measure": measure, "rank": rank, **place}

    def plans(self) -> Iterator[Record]:
        """Yield the plans of a partner's clients, with the id of the client."""
        for id_ in self.account.partner_accounts:
            plan = self.get("/partner/accounts/<encoded_account_id>/plan", id_)
            yield {"encoded_account_id": id_, **plan}


class Stream(NamedTuple):
    """The key of a stream, and the source of its rows."""

    key: tuple[str, ...]
    rows: Callable[[EndpointReader], Iterable[Record]]


def _tracking(path: str, *more: str) -> Stream:
    """Declare a stream of the rows of a report on each activity."""
    pages = path.startswith(LANDING_PAGES_PATH)
    return Stream(
        ("campaign_activity_id", "contact_id", *more),
        lambda reader: (
            row
            for id_ in (reader.account.landing_pages if pages else reader.sent)
            for row in reader.get_all(path, id_)
        ),
    )


def _sub_resource(name: str, role: str, *more: str) -> Stream:
    """Declare a stream of a sub-resource of activities."""
    return Stream(
        ("campaign_activity_id", *more),
        lambda reader: reader.of_activities(f"{ACTIVITY_PATH}/{name}", reader.activities(role)),
    )


EVENT = ("created_time", OCCURRENCE)

STREAMS = {
    "account": Stream(
        ("encoded_account_id",),
        lambda reader: [reader.get("/account/summary", extra_fields=set(EXTRA_FIELDS))],
    ),
    "account_emails": Stream(("email_id",), lambda reader: reader.get("/account/emails")),
    "account_user_privileges": Stream(
        ("privilege_id",), lambda reader: reader.get("/account/user/privileges")
    ),
    # contacts
    "contacts": Stream(
        ("contact_id",),
        lambda reader: reader.get_all("/contacts", status={"all"}, include=set(SUB_RESOURCES)),
    ),
    "contact_lists": Stream(("list_id",), EndpointReader.lists),
    "contact_tags": Stream(
        ("tag_id",), lambda reader: reader.get_all("/contact_tags", include_count=True)
    ),
    "contact_custom_fields": Stream(
        ("custom_field_id",), lambda reader: reader.get_all("/contact_custom_fields")
    ),
    "segments": Stream(
        ("segment_id",),
        lambda reader: (
            reader.get("/segments/<segment_id>", str(id_)) for id_ in reader.account.segments
        ),
    ),
    "segment_contacts": Stream(("segment_id", "contact_id"), EndpointReader.segment_contacts),
    "contact_sms_engagement_history": Stream(
        ("sms_channel_history_id",),
        lambda reader: (
            row
            for id_ in reader.account.contacts
            for row in reader.get("/contacts/sms_engagement_history/<contact_id>", id_)
        ),
    ),
    "bulk_activities": Stream(("activity_id",), lambda reader: reader.get_all("/activities")),
    # campaigns
    "email_campaigns": Stream(("campaign_id",), lambda reader: reader.campaigns),
    "email_campaign_activities": Stream(
        ("campaign_activity_id",),
        lambda reader: (
            reader.get(ACTIVITY_PATH, id_, include=set(INCLUDED)) for id_ in reader.activities()
        ),
    ),
    "email_campaign_send_history": _sub_resource("send_history", "", "send_id"),
    "email_campaign_schedules": _sub_resource("schedules", "", "scheduled_date"),
    "email_campaign_ab_tests": Stream(
        ("campaign_activity_id",),
        lambda reader: reader.of_activities(
            f"{ACTIVITY_PATH}/abtest",
            [id_ for id_ in reader.activities("primary_email") if id_ in reader.account.ab_tests],
        ),
    ),
    "email_campaign_resends": _sub_resource(
        "non_opener_resends", "primary_email", "resend_request_id"
    ),
    "email_campaign_previews": _sub_resource("previews", "primary_email"),
    # reports
    "email_campaign_summaries": Stream(("campaign_id",), lambda reader: reader.summaries),
    "email_campaign_stats": Stream(
        ("campaign_id",),
        lambda reader: reader.stats(
            "email_campaigns", (row["campaign_id"] for row in reader.summaries)
        ),
    ),
    "email_campaign_performance": Stream(
        ("ranking", "measure", "campaign_id"), EndpointReader.performance
    ),
    "email_campaign_activity_stats": Stream(
        ("campaign_activity_id",),
        lambda reader: reader.stats("email_campaign_activities", reader.sent),
    ),
    "email_links": Stream(("campaign_activity_id", "url_id"), EndpointReader.links),
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
        lambda reader: reader.get_all(
            "/reports/summary_reports/sms_campaign_summaries", start_at=""
        ),
    ),
    "contact_activity_details": Stream(
        ("contact_id", "campaign_activity_id", "tracking_activity_type", *EVENT),
        EndpointReader.contact_activities,
    ),
    "contact_activity_summaries": Stream(
        ("contact_id", "campaign_activity_id"), EndpointReader.contact_summaries
    ),
    "contact_open_click_rates": Stream(
        ("contact_id",), lambda reader: reader.contact_report("open_and_click_rates")
    ),
    # events, social, automations
    "events": Stream(("event_id",), lambda reader: reader.events),
    "event_registrations": Stream(("event_id", "registration_id"), EndpointReader.registrations),
    "event_registration_details": Stream(
        ("event_id", "registration_id"), EndpointReader.registration_details
    ),
    "social_profiles": Stream(
        ("profile_id",), lambda reader: reader.get("/social/profiles", include={"accessible"})
    ),
    "social_connections": Stream(
        ("network", "network_account_id"), EndpointReader.social_connections
    ),
    "social_hashtag_groups": Stream(
        ("hashtag_group_id",), lambda reader: reader.account.hashtag_groups
    ),
    "automations": Stream(("id",), EndpointReader.automations),
    # all ids of the old API
    "contact_id_xrefs": Stream(
        ("sequence_id",),
        lambda reader: reader.get(
            "/contacts/contact_id_xrefs", sequence_ids=reader.account.v2_contact_ids
        )["xrefs"],
    ),
    "list_id_xrefs": Stream(
        ("sequence_id",),
        lambda reader: reader.get(
            "/contact_lists/list_id_xrefs", sequence_ids=reader.account.v2_list_ids
        )["xrefs"],
    ),
    "campaign_id_xrefs": Stream(
        ("v2_email_campaign_id",),
        lambda reader: reader.get(
            "/emails/campaign_id_xrefs", v2_email_campaign_ids=reader.account.v2_campaign_ids
        )["xrefs"],
    ),
    # partner
    "partner_accounts": Stream(
        ("encoded_account_id",), lambda reader: reader.account.partner_accounts.values()
    ),
    "partner_account_plans": Stream(("encoded_account_id",), EndpointReader.plans),
    "partner_webhook_subscriptions": Stream(
        ("topic_id",), lambda reader: reader.get("/partner/webhooks/subscriptions")
    ),
}


def _by_key(records: Iterable[Record], key: tuple[str, ...]) -> Rows:
    copies = json.loads(json.dumps(list(records)))
    if OCCURRENCE in key:
        numbers = Counter[tuple[Any, ...]]()
        for record in copies:
            others = tuple(record[name] for name in key if name != OCCURRENCE)
            record[OCCURRENCE] = numbers[others]
            numbers[others] += 1
    return {tuple(record[name] for name in key): record for record in copies}
