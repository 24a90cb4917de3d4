"""A round of changes to an account, as between two runs of a tap."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from sandbox.account import MAILABLE, permission
from sandbox.account.clock import stamp, stamp_colon, stamp_ms
from sandbox.account.segments import write_criteria
from sandbox.generate import sample_values
from sandbox.generate.bulk_activities import add_bulk_activity
from sandbox.generate.campaigns import add_campaign
from sandbox.generate.contacts import ContactGenerator
from sandbox.generate.events import add_registration, set_registration_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.account import Account, Record


def change(account: Account) -> dict[str, list[Any]]:
    """Make one round of changes of all kinds, at the account's current time.

    No contact is picked twice. A kind without a suitable record is skipped.

    Returns:
        The ids of the changed records, by kind of change.
    """
    with account.lock:
        round_ = Round(account)
        return {
            "campaigns_added": round_.add_campaigns(),
            "drafts_sent": round_.send_drafts(),
            "campaigns_engaged": round_.engage_campaigns(),
            "contacts_opted_out": round_.opted_out,
            "contacts_added": round_.add_contacts(),
            "contacts_edited": round_.edit_contacts(),
            "contacts_unsubscribed": round_.unsubscribe_contacts(),
            "contacts_resubscribed": round_.resubscribe_contacts(),
            "contacts_deleted": round_.delete_contacts(),
            "contacts_off_lists": round_.take_off_lists(),
            "lists_renamed": round_.rename_lists(),
            "tags_renamed": round_.rename_tags(),
            "segments_edited": round_.edit_segments(),
            "registrations_changed": round_.change_registrations(),
            "events_registered_for": round_.register_for_events(),
            "sms_campaigns_clicked": round_.click_sms_campaigns(),
            "bulk_activities_added": round_.add_bulk_activities(),
            "automations_edited": round_.edit_automations(),
        }


class Round:
    """One round of changes to one account."""

    def __init__(self, account: Account) -> None:
        """Shuffle the contacts that may change, and list the campaigns that may be sent."""
        self.account = account
        self.now = account.now()
        self.opted_out: list[str] = []
        self.picked: list[str] = []
        living = [id_ for id_, contact in account.contacts.items() if "deleted_at" not in contact]
        account.rng.shuffle(living)
        self.living = living
        # Campaigns sent in this round do not count.
        self.sent = [id_ for id_, record in account.campaigns.items() if _status(record) == "Done"]
        self.drafts = [id_ for id_, item in account.campaigns.items() if _status(item) == "Draft"]

    def add_campaigns(self) -> list[str]:
        """Add a campaign and send it."""
        campaign_id = add_campaign(self.account, self.now)
        self.opted_out += self.account.send_campaign(campaign_id)
        return [campaign_id]

    def send_drafts(self) -> list[str]:
        """Send the oldest draft."""
        for campaign_id in self.drafts[:1]:
            self.opted_out += self.account.send_campaign(campaign_id)
        return self.drafts[:1]

    def engage_campaigns(self) -> list[str]:
        """Let contacts open the oldest campaign that reached any. Only its reports change."""
        engaged = list(islice(filter(self.account.reached_by, self.sent), 1))
        for campaign_id in engaged:
            self.opted_out += self.account.engage(campaign_id)
        return engaged

    def add_contacts(self) -> list[str]:
        """Add some contacts."""
        generator = ContactGenerator(self.account)
        return [
            generator.add(kind, self.now, self.now) for kind in ("explicit", "implicit", "sms_only")
        ]

    def edit_contacts(self) -> list[str]:
        """Rename some contacts. Their `updated_at` changes."""
        edited = self._pick(3, bool)
        for contact_id in edited:
            last_name = self.account.contacts[contact_id].get("last_name", "")
            self.account.edit(contact_id, last_name=_other_last_name(last_name, self.now))
        return edited

    def unsubscribe_contacts(self) -> list[str]:
        """Unsubscribe some contacts. Their `updated_at` stays."""
        leaving = self._pick(2, lambda contact: permission(contact) in MAILABLE)
        for contact_id in leaving:
            self.account.unsubscribe(contact_id, reason="Too many emails.")
        return leaving

    def resubscribe_contacts(self) -> list[str]:
        """Resubscribe one contact. No filter of the API returns it."""
        returning = self._pick(1, lambda contact: permission(contact) == "unsubscribed")
        for contact_id in returning:
            self.account.resubscribe(contact_id)
        return returning

    def delete_contacts(self) -> list[str]:
        """Delete one contact."""
        deleted = self._pick(1, lambda contact: "email_address" in contact)
        for contact_id in deleted:
            self.account.delete(contact_id)
        return deleted

    def take_off_lists(self) -> list[str]:
        """Remove one contact from its lists."""
        changed = self._pick(1, lambda contact: bool(contact["list_memberships"]))
        for contact_id in changed:
            self.account.take_off_lists(contact_id)
        return changed

    def rename_lists(self) -> list[str]:
        """Rename a list."""
        renamed = list(self.account.lists)[:1]
        for list_id in renamed:
            list_ = self.account.lists[list_id]
            list_.update(name=_renamed(list_["name"]), updated_at=stamp(self.now))
        return renamed

    def rename_tags(self) -> list[str]:
        """Rename a tag."""
        renamed = list(self.account.tags)[:1]
        for tag_id in renamed:
            tag = self.account.tags[tag_id]
            tag.update(name=_renamed(tag["name"]), updated_at=stamp_ms(self.now))
        return renamed

    def edit_segments(self) -> list[int]:
        """Change the criteria of a segment."""
        edited = list(self.account.segments)[:1]
        for segment_id in edited:
            self.account.segments[segment_id].update(
                segment_criteria=write_criteria("opened", str(self.now)),
                edited_at=stamp_ms(self.now),
            )
        return edited

    def change_registrations(self) -> list[str]:
        """Cancel a registration. No date of it or of its event changes."""
        of_all = (part.values() for part in self.account.registrations.values())
        registered = (
            row for row in chain.from_iterable(of_all) if row["registration_status"] == "REGISTERED"
        )
        canceled = list(islice(registered, 1))
        for registration in canceled:
            set_registration_status(registration, "CANCELED")
        return [registration["registration_id"] for registration in canceled]

    def register_for_events(self) -> list[str]:
        """Let a contact register for an upcoming event."""
        events = self.account.events.values()
        upcoming = [event["event_id"] for event in events if event["status"] == "ACTIVE"][:1]
        for event_id, contact_id in zip(upcoming, self.living[:1], strict=False):
            add_registration(self.account, event_id, contact_id, self.now)
        return upcoming if self.living else []

    def click_sms_campaigns(self) -> list[str]:
        """Let one more contact click in the newest SMS campaign, or in an old one."""
        campaigns = self.account.sms_campaigns
        by_send = sorted(campaigns, key=lambda id_: str(campaigns[id_]["last_sent_date"]))
        changed = by_send[-1:] if self.account.rules.sms_counts_settle else by_send[:1]
        for campaign_id in changed:
            counts = self.account.sms_campaigns[campaign_id]["unique_counts"]
            for kind in ("sends", "delivers", "opens", "clicks"):
                counts[kind] += 1
        return changed

    def add_bulk_activities(self) -> list[str]:
        """Start an import."""
        return [add_bulk_activity(self.account, "processing", self.now, "new.csv")]

    def edit_automations(self) -> list[str]:
        """Rename an automation."""
        edited = list(self.account.automations)[:1]
        for id_ in edited:
            automation = self.account.automations[id_]
            automation.update(name=_renamed(automation["name"]), update_date=stamp_colon(self.now))
        return edited

    def _pick(self, count: int, fits: Callable[[Record], bool]) -> list[str]:
        contacts = self.account.contacts
        taken = {*self.opted_out, *self.picked}
        fitting = (id_ for id_ in self.living if id_ not in taken and fits(contacts[id_]))
        picked = list(islice(fitting, count))
        self.picked += picked
        return picked


def _renamed(name: str) -> str:
    """Return a new name: "VIP", "VIP (2)", "VIP (3)"."""
    bare, _, number = name.removesuffix(")").rpartition(" (")
    return f"{bare} ({int(number) + 1})" if bare and number.isdigit() else f"{name} (2)"


def _other_last_name(name: str, now: int) -> str:
    names = sample_values.LAST_NAMES
    chosen = names[now % len(names)]
    return chosen if chosen != name else names[(now + 1) % len(names)]


def _status(campaign: Record) -> str:
    status: str = campaign["current_status"]
    return status
