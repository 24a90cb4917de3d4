"""The account behind the API: its records in the API's own form, and how they change."""

from __future__ import annotations

import random
import threading
from collections import Counter
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from sandbox.account import engagement
from sandbox.account.clock import HOUR, MINUTE, day, minute, stamp, stamp_ms
from sandbox.account.contact_activity import ActivityByContact
from sandbox.account.engagement import LIVELY, Engagement, Event, Rates, contacts_of
from sandbox.account.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.account.engagement import LandingPage

Record = dict[str, Any]

MAILABLE = frozenset({"explicit", "implicit"})


def permission(contact: Record) -> str:
    """Return the permission to send. Without an email address it is not set (assumed)."""
    held: str = contact.get("email_address", {}).get("permission_to_send", "not_set")
    return held


class Account:
    """One Constant Contact account.

    Records are plain dictionaries as the API returns them, with all their sub-resources; endpoints
    drop those that a request does not include. They may be changed in place between requests, or
    at any time while holding `lock`.

    Attributes:
        now: Returns the time on the account's clock, in whole seconds.
        summary: The account itself, with `physical_address` and `company_logo`.
        emails: The email addresses of the account's owner.
        contacts: By `contact_id`, oldest first.
        lists: By `list_id`.
        list_channels: The channels of each list, `email` or `sms` or both.
        tags: By `tag_id`.
        custom_fields: By `custom_field_id`.
        segments: By `segment_id`, with `segment_criteria`.
        campaigns: By `campaign_id`, with `campaign_activities`.
        activities: By `campaign_activity_id`, with all that `include` can add.
        unreadable: Activities that a campaign lists and whose detail is 404 (observed).
        engagement: The events of each sent activity.
        schedules: When an activity will be sent, by `campaign_activity_id`.
        ab_tests: The A/B test of a primary activity, by its id.
        resends: The resend to non-openers of a primary activity, by its id.
        landing_pages: By `campaign_activity_id`, which no endpoint lists.
        activity_by_contact: The events of all emails and landing pages, by contact.
        sms_campaigns: By `campaign_id`, as in their summaries.
        events: By `event_id`, with `event_settings`.
        registrations: By `event_id` and `registration_id`.
        social_profiles: With all that `include` can add.
        social_connections: The user's accounts on social networks.
        hashtag_groups: In the order of the list.
        automations: By `id`: the properties of list and detail together.
        bulk_activities: By `activity_id`, including those too old for the API to list.
        v2_contact_ids: The `contact_id` of an id of the old API.
        v2_list_ids: The `list_id` of an id of the old API.
        v2_campaign_ids: The `campaign_id` of an id of the old API.
        partner_accounts: The clients of the partner, by `encoded_account_id`.
        partner_plans: Their billing plans, by `encoded_account_id`.
        webhook_subscriptions: Those of the partner, by `topic_id`.
        segment_polls: How many requests for its contacts each segment has had.
        largest_audience: Maximum number of contacts that one email reaches.
        simulate_send: Sends an email to contacts, who react to it, as `engagement.simulate_send`.
        ideas: Subjects of the next campaigns; when they run out, those of all accounts.
    """

    def __init__(
        self,
        *,
        seed: int,
        now: Callable[[], int],
        largest_audience: int = 2_500,
        rates: Rates = LIVELY,
        rules: Rules | None = None,
    ) -> None:
        """Create an empty account.

        Args:
            seed: The seed of all random choices.
            now: Returns the time on the account's clock, in whole seconds.
            largest_audience: Maximum number of contacts that one email reaches.
            rates: How often contacts do something with an email.
            rules: Which dates follow which changes; None = the likely ones.
        """
        self.now = now
        self.lock = threading.RLock()
        self.rng = random.Random(seed)
        self.largest_audience = largest_audience
        self.simulate_send: Callable[..., None] = partial(engagement.simulate_send, rates=rates)
        self.ideas: list[str] = []
        self.rules = rules or Rules()
        self.summary: Record = {}
        self.emails: list[Record] = []
        self.contacts: dict[str, Record] = {}
        self._contact_ids: list[str] = []
        self.lists: dict[str, Record] = {}
        self.list_channels: dict[str, frozenset[str]] = {}
        self.tags: dict[str, Record] = {}
        self.custom_fields: dict[str, Record] = {}
        self.segments: dict[int, Record] = {}
        self.campaigns: dict[str, Record] = {}
        self.activities: dict[str, Record] = {}
        self.unreadable: set[str] = set()
        self.engagement: dict[str, Engagement] = {}
        self.schedules: dict[str, str] = {}
        self.ab_tests: dict[str, Record] = {}
        self.resends: dict[str, Record] = {}
        self.landing_pages: dict[str, LandingPage] = {}
        self.activity_by_contact = ActivityByContact(self)
        self.sms_campaigns: dict[str, Record] = {}
        self.events: dict[str, Record] = {}
        self.registrations: dict[str, dict[str, Record]] = {}
        self.social_profiles: list[Record] = []
        self.social_connections: list[Record] = []
        self.hashtag_groups: list[Record] = []
        self.automations: dict[str, Record] = {}
        self.bulk_activities: dict[str, Record] = {}
        self.v2_contact_ids: dict[str, str] = {}
        self.v2_list_ids: dict[str, str] = {}
        self.v2_campaign_ids: dict[str, str] = {}
        self.partner_accounts: dict[str, Record] = {}
        self.partner_plans: dict[str, Record] = {}
        self.webhook_subscriptions: dict[int, Record] = {}
        self.segment_polls: Counter[int] = Counter()

    def new_id(self) -> str:
        """Return a new id in the form of a UUID."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    # Changes of a contact.

    def edit(self, contact_id: str, **properties: object) -> None:
        """Change properties of a contact, and its `updated_at`."""
        contact = self.contacts[contact_id]
        contact.update(properties, update_source="Account", updated_at=stamp(self.now()))
        if self.rules.editing_moves_created_at:
            contact["created_at"] = contact["updated_at"]

    def take_off_lists(self, contact_id: str) -> None:
        """Remove a contact from its lists. That no date changes is an assumption."""
        contact = self.contacts[contact_id]
        contact["list_memberships"] = []
        if self.rules.memberships_move_updated_at:
            contact["updated_at"] = stamp(self.now())

    def unsubscribe(
        self, contact_id: str, at: int | None = None, source: str = "Contact", reason: str = ""
    ) -> None:
        """Unsubscribe a contact. Only its email address changes; `updated_at` stays (observed)."""
        moment = stamp(self.now() if at is None else at)
        contact = self.contacts[contact_id]
        email = contact["email_address"]
        email.update(permission_to_send="unsubscribed", updated_at=moment)
        email.update(opt_out_source=source, opt_out_date=moment)
        if reason:
            email["opt_out_reason"] = reason
        contact["list_memberships"] = []  # assumed: unsubscribing removes all memberships
        if self.rules.unsubscribing_moves_updated_at:
            contact["updated_at"] = moment

    def resubscribe(self, contact_id: str) -> None:
        """Resubscribe a contact. No filter of the API returns it, only a full read does."""
        moment = stamp(self.now())
        email = self.contacts[contact_id]["email_address"]
        for name in ("opt_out_source", "opt_out_date", "opt_out_reason"):
            email.pop(name, None)
        email.update(permission_to_send="explicit", updated_at=moment)
        email.update(opt_in_source="Contact", opt_in_date=moment)

    def delete(self, contact_id: str, at: int | None = None) -> None:
        """Delete a contact: it stays readable, without lists, with a date (documented)."""
        moment = self.now() if at is None else at
        contact = self.contacts[contact_id]
        contact.update(deleted_at=day(moment), list_memberships=[])
        if self.rules.deleting_moves_updated_at:
            contact["updated_at"] = stamp(moment)

    # Changes of a campaign.

    def send_campaign(self, campaign_id: str, at: int | None = None) -> list[str]:
        """Send a campaign: it becomes Done, and contacts begin to open it.

        Returns:
            The contacts that opted out of it.
        """
        sent_at, until = self._sending(at)
        activity = self.activity(campaign_id, "primary_email")
        self.set_status(campaign_id, "Done", sent_at)
        audience = self._audience(activity["contact_list_ids"], sent_at)
        if "DRAFT" in self.resends.get(activity["campaign_activity_id"], {}).values():
            self._schedule_resend(activity)
        return self._send(activity, audience, sent_at, until)

    def send_to_all_lists(self, campaign_id: str, at: int | None = None) -> None:
        """Send a sent campaign to all lists, to contacts who did not get it yet (documented)."""
        sent_at, until = self._sending(at)
        activity = self.activity(campaign_id, "primary_email")
        activity["contact_list_ids"] = [
            list_id for list_id, kinds in self.list_channels.items() if "email" in kinds
        ]
        reached = contacts_of(self._primary(campaign_id).sends)
        audience = self._audience(activity["contact_list_ids"], sent_at)
        self.set_status(campaign_id, "Done", sent_at)
        joined = [contact_id for contact_id in audience if contact_id not in reached]
        self._send(activity, joined, sent_at, until)

    def resend_campaign(self, campaign_id: str, at: int | None = None) -> None:
        """Send a sent campaign again, as a `resend` activity, to those who did not open it.

        The campaign's `updated_at` stays (assumed, and the harder case).
        """
        sent_at, until = self._sending(at)
        primary, again = self.activity(campaign_id, "primary_email"), self._resend_of(campaign_id)
        reached = (event.contact_id for event in self._primary(campaign_id).not_opened)
        self._send(again, filter(self._mailable, reached), sent_at, until)
        self.resends[primary["campaign_activity_id"]] = {
            "resend_subject": f"Again: {primary['subject']}",
            "delay_days": 4,
            "resend_date": stamp_ms(sent_at),
            "resend_request_id": again["campaign_activity_id"],
            "resend_status": "SENT",
        }

    def draft_resend(self, campaign_id: str) -> str:
        """Add a `resend` activity that is not sent: it has neither counters nor reports.

        Returns:
            The id of the activity.
        """
        activity = self._resend_of(campaign_id)
        activity["current_status"] = "DRAFT"
        return str(activity["campaign_activity_id"])

    def engage(self, campaign_id: str, readers: int = 3) -> list[str]:
        """Let some contacts open a sent campaign now. Only counters and reports change.

        Returns:
            The contacts that opted out of it.
        """
        part, reached = self._primary(campaign_id), self.reached_by(campaign_id)
        known, now = len(part.optouts), self.now()
        for contact_id in self.rng.sample(reached, min(readers, len(reached))):
            engagement.simulate_reader(self.rng, part, contact_id, now, now)
        part.refreshed_at = now
        return self._apply_optouts(part.optouts[known:], now)

    def add_events(
        self, id_: str, kind: str, times: int = 1, *, contact_id: str = "", at: int | None = None
    ) -> list[Event]:
        """Add events to a sent email now. Only counters and reports change.

        Args:
            id_: A sent activity, or a sent campaign, which stands for its primary activity.
            kind: "opens", "clicks", "forwards", "optouts" or "bounces".
            times: How many events.
            contact_id: The contact of all events; by default different ones, first those without
                such an event.
            at: When it happened, if the API learns of it only now: it appears deep in the report.

        Returns:
            The new events.

        Raises:
            ValueError: If no contact received the email.
        """
        part, now = self._part(id_), self.now()
        contacts = [contact_id] * times if contact_id else self._contacts_for(part, kind, times)
        moment = now if at is None else at
        events = [
            engagement.add_event(self.rng, part, kind, contact, at=moment, known=now)
            for contact in contacts
        ]
        part.refreshed_at = now
        if kind == "optouts":
            self._apply_optouts(events, now)
        return events

    def remove_events(self, id_: str, kind: str, times: int = 1) -> list[Event]:
        """Remove the events that became known last: counters drop (assumed: it may happen).

        Args:
            id_: A sent activity, or a sent campaign, which stands for its primary activity.
            kind: The kind of the events. Contacts who opted out stay unsubscribed.
            times: How many events.

        Returns:
            The removed events.
        """
        part = self._part(id_)
        events: list[Event] = getattr(part, kind)
        start = max(0, len(events) - times)
        removed, events[start:] = events[start:], []
        part.refreshed_at = self.now()
        self.activity_by_contact.forget()
        return removed

    def opt_out(self, part: Engagement, contact_id: str, at: int) -> None:
        """Let a contact opt out of a sent activity."""
        part.optouts.append(Event(minute(at), contact_id, reason="Too many emails."))
        self._apply_optouts(part.optouts[-1:], at)

    def reached_by(self, campaign_id: str) -> list[str]:
        """Return the contacts who received a sent campaign: it did not bounce from them."""
        return self._primary(campaign_id).reached

    def set_status(self, campaign_id: str, status: str, at: int) -> None:
        """Change the status of a campaign and its activities, and `updated_at` (assumed)."""
        campaign = self.campaigns[campaign_id]
        campaign["current_status"] = status
        if status != "Done" or self.rules.sending_moves_updated_at:
            campaign["updated_at"] = stamp_ms(at)
        for reference in campaign["campaign_activities"]:
            activity = self.activities[reference["campaign_activity_id"]]
            # Campaigns write Done, activities write DONE (observed).
            activity["current_status"] = status.upper()
            self.schedules.pop(activity["campaign_activity_id"], None)
            if status != "Draft":
                activity["subject"] = activity["subject"] or campaign["name"]
                activity["from_name"] = activity["from_name"] or activity["from_email"]
            if status == "Done":
                activity["permalink_url"] = f"https://conta.cc/{campaign_id[:7]}"

    def activity(self, campaign_id: str, role: str) -> Record:
        """Return the activity of a campaign with a role.

        Raises:
            KeyError: If the campaign has no activity with this role.
        """
        for reference in self.campaigns[campaign_id]["campaign_activities"]:
            if reference["role"] == role:
                return self.activities[reference["campaign_activity_id"]]
        raise KeyError(role)

    def engagements(self, campaign_id: str) -> list[Engagement]:
        """Return the engagement of all sent activities of a campaign."""
        references = self.campaigns[campaign_id]["campaign_activities"]
        ids = (reference["campaign_activity_id"] for reference in references)
        return [self.engagement[id_] for id_ in ids if id_ in self.engagement]

    def was_sent(self, activity_id: str) -> bool:
        """Return whether an activity has reports: only those that are DONE (documented)."""
        return (
            activity_id in self.engagement
            and self.activities[activity_id]["current_status"] == "DONE"
        )

    def _part(self, id_: str) -> Engagement:
        return self.engagement[id_] if id_ in self.engagement else self._primary(id_)

    def _contacts_for(self, part: Engagement, kind: str, times: int) -> list[str]:
        earlier, reached = contacts_of(getattr(part, kind)), part.reached
        if not reached:
            raise ValueError("no contact received this email")
        self.rng.shuffle(reached)
        reached.sort(key=earlier.__contains__)
        return list(islice(cycle(reached), times))

    def _sending(self, at: int | None) -> tuple[int, int]:
        """Return when an email is sent, and until when contacts react to it."""
        now = self.now()
        return (now, now) if at is None else (at, now - HOUR)

    def _resend_of(self, campaign_id: str) -> Record:
        """Return the `resend` activity of a campaign; add it if there is none."""
        try:
            return self.activity(campaign_id, "resend")
        except KeyError:
            reference = {"campaign_activity_id": self.new_id(), "role": "resend"}
            activity = {**self.activity(campaign_id, "primary_email"), **reference}
            self.campaigns[campaign_id]["campaign_activities"].append(reference)
            self.activities[activity["campaign_activity_id"]] = activity
            return activity

    def _primary(self, campaign_id: str) -> Engagement:
        return self.engagement[self.activity(campaign_id, "primary_email")["campaign_activity_id"]]

    def _audience(self, list_ids: Iterable[str], at: int) -> list[str]:
        moment, wanted = stamp(at), set(list_ids)
        if len(self._contact_ids) != len(self.contacts):  # a list of many takes long to make
            self._contact_ids = list(self.contacts)
        drawn = self.rng.sample(self._contact_ids, min(len(self.contacts), self.largest_audience))
        return [
            contact_id
            for contact_id in drawn
            if self._mailable(contact_id)
            and self.contacts[contact_id]["created_at"] <= moment
            and not wanted.isdisjoint(self.contacts[contact_id]["list_memberships"])
        ]

    def _mailable(self, contact_id: str) -> bool:
        contact = self.contacts[contact_id]
        return permission(contact) in MAILABLE and "deleted_at" not in contact

    def _send(self, activity: Record, contact_ids: Iterable[str], at: int, until: int) -> list[str]:
        activity_id = activity["campaign_activity_id"]
        part = self.engagement.get(activity_id) or Engagement(
            until, engagement.make_links(self.rng)
        )
        self.engagement[activity_id] = part
        known, part.refreshed_at = len(part.optouts), until
        list_ids = activity["contact_list_ids"]
        self.simulate_send(self.rng, part, contact_ids, list_ids, at)
        return self._apply_optouts(part.optouts[known:], until)

    def _schedule_resend(self, primary: Record) -> None:
        self.resends[primary["campaign_activity_id"]].update(
            resend_request_id=self.new_id(), resend_status="SCHEDULED"
        )

    def _apply_optouts(self, events: Iterable[Event], until: int) -> list[str]:
        leaving = [event for event in events if self._mailable(event.contact_id)]
        for event in leaving:
            # The report has the minute, the contact the second.
            left_at = min(event.at + MINUTE - 1, until)
            self.unsubscribe(event.contact_id, left_at, reason=event.reason)
        return [event.contact_id for event in leaving]
