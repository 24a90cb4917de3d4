"""The history of a contact's SMS consents."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.account import Record

STATES = {"explicit": ("E", "opt_in"), "unsubscribed": ("O", "opt_out")}


def consent_history(contact: Record) -> list[Record]:
    """Return the history of a contact's SMS consents; empty without an SMS channel."""
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
    # Contacts who left had joined earlier.
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
        # Not ISO 8601, although documented as such (the contract's example).
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
