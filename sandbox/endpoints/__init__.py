"""The endpoints, one module per part of the API. Importing this package declares all of them."""

from sandbox.endpoints import (
    account,
    automations,
    bulk_activities,
    campaigns,
    contact_reports,
    contacts,
    events,
    landing_pages,
    partner,
    performance,
    reports,
    sms,
    social,
    tracking,
    xrefs,
)

__all__ = [
    "account",
    "automations",
    "bulk_activities",
    "campaigns",
    "contact_reports",
    "contacts",
    "events",
    "landing_pages",
    "partner",
    "performance",
    "reports",
    "sms",
    "social",
    "tracking",
    "xrefs",
]
