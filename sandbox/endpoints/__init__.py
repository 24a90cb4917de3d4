"""The endpoints of the API, one module per part of it. Importing this declares them all."""

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
    "reports",
    "sms",
    "social",
    "tracking",
    "xrefs",
]
