"""The rows of the reports on emails and landing pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import stamp_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.account import Account, Record
    from sandbox.account.engagement import Event

SMS_STATES = {
    "not_set": "N",
    "pending_confirmation": "P",
    "explicit": "E",
    "unsubscribed": "O",
}


def row(
    account: Account, activity_id: str, type_: str, event: Event, links: Mapping[str, str]
) -> Record:
    """Return the row of an event. Empty properties are absent (observed)."""
    contact = account.contacts[event.contact_id]
    values = {
        "contact_id": event.contact_id,
        "campaign_activity_id": activity_id,
        "tracking_activity_type": type_,
        **_addresses(contact, event),
        "first_name": contact.get("first_name"),
        "last_name": contact.get("last_name"),
        "device_type": event.device,
        "url_id": event.url_id,
        "link_url": links.get(event.url_id),
        "opt_out_reason": event.reason,
        "bounce_code": event.bounce_code,
        "created_time": stamp_ms(event.at),
        "deleted_at": contact.get("deleted_at"),
    }
    return {name: value for name, value in values.items() if value}


def sms_channel(account: Account, event: Event) -> Record:
    """Return the SMS channel of a contact, if it has one, as landing page reports do."""
    channel = account.contacts[event.contact_id].get("sms_channel")
    if channel is None:
        return {}
    number, consents = channel["sms_address"], channel["sms_channel_consents"]
    return {
        "sms_channel": {
            "country_code": channel["country_code"],
            "state": SMS_STATES[consents[0]["sms_consent_permission"]],
            "formatted_national": f"({number[:3]}) {number[3:6]}-{number[6:]}",
        }
    }


def _addresses(contact: Record, event: Event) -> Record:
    """Return the address of the send. Undeliverable addresses were replaced since."""
    address = contact.get("email_address", {}).get("address")
    if not event.bounce_code:
        return {"email_address": address}
    was = f"old.{address}" if event.bounce_code == "D" else address
    return {"email_address": was, "current_email_address": address}
