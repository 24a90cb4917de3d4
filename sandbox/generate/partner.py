"""Generate a partner: its clients, their plans, and the webhooks of its app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.generate.sample_values import COMPANIES

if TYPE_CHECKING:
    from sandbox.account import Account

CLIENTS = 12
PLANS = ("GOLD", "SILVER", "BRONZE", "TRIAL")
TOPICS = (
    ("Billing Tier Upgrade", "Executes when an account's billing tier is upgraded."),
    ("Billing Tier Downgrade", "Executes when an account's billing tier is downgraded."),
    ("Account Cancelled", "Executes when an account is cancelled."),
    ("Account Disabled", "Executes when an account is disabled."),
)


def add_partner(account: Account) -> None:
    """Add the clients of a partner and the webhook subscriptions of its app."""
    for number in range(CLIENTS):
        id_ = f"a{number:02d}e1izvh8t9"
        plan = PLANS[number % len(PLANS)]
        account.partner_accounts[id_] = {
            "encoded_account_id": id_,
            "subscriber_count": 100 * number,
            "organization_name": COMPANIES[number % len(COMPANIES)],
            "site_owner_name": f"Owner{number}",
            "billing_status": "Trial" if plan == "TRIAL" else "Open",
        }
        account.partner_plans[id_] = {
            "plan_type": plan,
            "current_tiers": [
                {
                    "usage_type": "CONTACTS",
                    "current_usage": 100.0 * number,
                    "tier": 1,
                    "tier_min": 0.0,
                    "tier_max": 500.0,
                    "price": 20.0,
                    "currency_code": "USD",
                }
            ],
            "billing_status": "Trial" if plan == "TRIAL" else "Open",
            "billing_day_of_month": None if plan == "TRIAL" else 1 + number,  # null (documented)
        }
    for topic_id, (name, description) in enumerate(TOPICS, start=1):
        account.webhook_subscriptions[topic_id] = {
            "topic_id": topic_id,
            "hook_uri": f"https://hooks.example.com/topics/{topic_id}",
            "topic_name": name,
            "topic_description": description,
        }
