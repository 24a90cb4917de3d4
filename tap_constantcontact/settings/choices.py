"""What the vendor's API offers to choose from: its addresses, and the values of its filters."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

API_URL = "https://api.cc.email/v3"
AUTH_URL = "https://authz.constantcontact.com/oauth2/default/v1/token"
PARTNER_AUTH_URL = "https://authz.constantcontact.com/partners/oauth2/default/v1/token"

CONTACT_STATUSES = (
    "all",
    "active",
    "deleted",
    "not_set",
    "pending_confirmation",
    "temp_hold",
    "unsubscribed",
)
# The six of the contract. `sms_channel` was a valid value until 2025-01. It can still be requested,
# and is dropped if the API rejects it. Assumes: sms_channel_comes_unasked.
CONTACT_INCLUDES = (
    "custom_fields",
    "list_memberships",
    "phone_numbers",
    "street_addresses",
    "taggings",
    "notes",
)

CAMPAIGN_STATUSES = ("Draft", "Scheduled", "Executing", "Done", "Error", "Removed")
EVENT_STATUSES = ("ACTIVE", "DRAFT", "COMPLETE", "DELETED", "CANCELLED", "ERROR")
# The values of tracking_activities_list (contract, getContactTracking).
ACTIVITY_TYPES = (
    "em_sends",
    "em_opens",
    "em_clicks",
    "em_bounces",
    "em_optouts",
    "em_forwards",
    "p_contact_open",
    "p_contact_click",
    "p_contact_add",
    "p_contact_update",
)

#: The column of properties that no schema declares.
EXTRA_COLUMN = "_extra"


def near_miss(name: str, choices: Iterable[str]) -> str:
    """Return the choice that is most similar to a name; "" if none is."""
    return next(iter(get_close_matches(name, choices, n=1)), "")


def with_near_miss(name: str, choices: Iterable[str]) -> str:
    """Return a name that is not among the choices, with the most similar one if there is any."""
    near = near_miss(name, choices)
    return f"{name} (did you mean {near}?)" if near else name
