"""Generate SMS campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, stamp_ms

if TYPE_CHECKING:
    from sandbox.account import Account

SMS_CAMPAIGNS = 5


def add_sms_campaigns(account: Account, first: int, last: int) -> None:
    """Send some SMS campaigns to all who have an SMS channel."""
    reached = sum("sms_channel" in contact for contact in account.contacts.values())
    rng = account.rng
    for number in range(SMS_CAMPAIGNS):
        campaign_id = account.new_id()
        delivered = rng.randint(reached // 2, reached)
        clicks = rng.randint(0, delivered // 2)
        at = rng.randrange(first + 30 * DAY, last)
        counts = {
            "sends": reached,
            "delivers": delivered,
            "opens": rng.randint(clicks, delivered),
            "clicks": clicks,
            "optouts": delivered // 20,
        }
        add_sms_campaign(account, campaign_id, f"Flash sale {number + 1} 📱", at, counts)


def add_sms_campaign(
    account: Account, campaign_id: str, name: str, at: int, counts: dict[str, int]
) -> None:
    """Add an SMS campaign that was sent at a given time, with its unique counts."""
    account.sms_campaigns[campaign_id] = {
        "campaign_id": campaign_id,
        "campaign_name": name,
        "last_sent_date": stamp_ms(at),
        "unique_counts": counts,
        "campaign_type": "SMS",
    }
