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
