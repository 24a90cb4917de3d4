"""Generate the account itself: its owner, and the addresses that emails come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import stamp_offset

if TYPE_CHECKING:
    from sandbox.account import Account


def add_owner(account: Account, first: int) -> None:
    """Add the owner, a café in Boston, and the email addresses, confirmed at a given time."""
    account.summary = {
        "contact_email": "owner@example.com",
        "contact_phone": "5081111212",
        "country_code": "us",  # lower case, although documented in upper case (observed)
        "encoded_account_id": "p07e1l8cdif9dl",
        "encoded_partner_id": "a37cranviy95el",
        "first_name": "Lola",
        "last_name": "Zang",
        "organization_name": "Café Olé",
        "organization_phone": "333-333-3335",
        "state_code": "MA",
        "time_zone_id": "US/Eastern",
        "website": "https://www.example.com",
        "physical_address": {
            "address_line1": "123 Maple Street",
            "address_line2": "Unit 1",
            "address_line3": "In the yard",
            "city": "Boston",
            "state_code": "MA",
            "postal_code": "02451",
            "country_code": "US",
        },
        "company_logo": {
            "url": "https://files.example.com/3a20c2f5701/780c1ff3-7fc6-4712-a862.jpg",
            "internal_id": "ACCOUNT.IMAGE.5",
            "external_url": "https://www.example.com/logo.png",
        },
    }
    confirmed = {
        "confirm_status": "CONFIRMED",
        "confirm_time": stamp_offset(first),
        "confirm_source_type": "SITE_OWNER",
    }
    # The role DEFAULT_FROM is not in the contract (observed).
    roles = ["BILLING", "CONTACT", "DEFAULT_FROM", "REPLY_TO"]
    account.emails = [
        {"email_id": 1, "email_address": "owner@example.com", "roles": roles, **confirmed},
        {"email_id": 2, "email_address": "news@example.com", "roles": ["OTHER"], **confirmed},
        {
            "email_id": 3,
            "email_address": "new@example.com",
            "roles": [],
            "pending_roles": ["OTHER"],
            "confirm_status": "UNCONFIRMED",
        },
    ]


def number_owner(account: Account, number: int) -> None:
    """Tell an account from others: its id, its name and the addresses of its owner."""
    account.summary["encoded_account_id"] = f"p07e1l8cdif{number:03d}"
    account.summary["organization_name"] += f" {number}"
    account.summary["contact_email"] = numbered(account.summary["contact_email"], number)
    for email in account.emails:
        email["email_address"] = numbered(email["email_address"], number)


def numbered(address: str, number: int) -> str:
    """Return the email address of a numbered account: owner2@example.com."""
    name, _, domain = address.partition("@")
    return f"{name}{number}@{domain}"
