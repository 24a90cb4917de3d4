"""Makes SMS campaigns up, and the history of SMS consents."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, stamp_ms

if TYPE_CHECKING:
    from sandbox.account import Account, Record

SMS_CAMPAIGNS = 5
STATES = {"explicit": ("E", "opt_in"), "unsubscribed": ("O", "opt_out")}


def add_sms_campaigns(account: Account, first: int, last: int) -> None:
    """Send some SMS campaigns to all who have an SMS channel."""
    reached = sum("sms_channel" in contact for contact in account.contacts.values())
    for number in range(SMS_CAMPAIGNS):
        campaign_id = account.new_id()
        delivered = account.rng.randint(reached // 2, reached)
        clicks = account.rng.randint(0, delivered // 2)
        account.sms_campaigns[campaign_id] = {
            "campaign_id": campaign_id,
            "campaign_name": f"Flash sale {number + 1} 📱",
            "last_sent_date": stamp_ms(account.rng.randrange(first + 30 * DAY, last)),
            "unique_counts": {
                "sends": reached,
                "delivers": delivered,
                "opens": account.rng.randint(clicks, delivered),
                "clicks": clicks,
                "optouts": delivered // 20,
            },
            "campaign_type": "SMS",
        }


def consent_history(contact: Record) -> list[Record]:
    """Write down how a contact's SMS consent came about; nothing without an SMS channel."""
    channel = contact.get("sms_channel", {})
    return [
        entry
        for number, consent in enumerate(channel.get("sms_channel_consents", []))
        for entry in _entries(contact["contact_id"], channel, consent, number)
    ]


def _entries(contact_id: str, channel: Record, consent: Record, number: int) -> list[Record]:
    permission = consent["sms_consent_permission"]
    if permission not in STATES:
        return []
    # Who left had joined before.
    steps = ["explicit"] if permission == "explicit" else ["explicit", "unsubscribed"]
    return [
        {
            "contact_id": contact_id,
            "sms_channel_id": channel["sms_channel_id"],
            "sms_channel_history_id": _id(channel, f"{number} {step}"),
            "insert_time": consent["updated_at"],
            "history_details": _details(channel, consent, step),
        }
        for step in steps
    ]


def _details(channel: Record, consent: Record, step: str) -> Record:
    state, action = STATES[step]
    moment = datetime.fromisoformat(consent["updated_at"].removesuffix("Z"))
    return {
        "state": state,
        "source": "C",
        "consent_type": consent["consent_type"],
        # Not ISO 8601, though documented so (the example of the contract).
        "consent_action_time": f"{moment:%Y-%m-%d %H:%M:%S} +0000",
        "consent_action_type": action,
        "consent_medium_type": "MD",
        "source_consent_timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}+00:00",
        "source_sms_number": channel["sms_address"],
        "advertised_frequency": int(consent["advertised_frequency"]),
        "advertised_interval": consent["advertised_interval"][0].upper(),
    }


def _id(channel: Record, what: str) -> str:
    return str(uuid.uuid5(uuid.UUID(channel["sms_channel_id"]), what))
