"""The endpoints of the API, one module per part of it. Importing this declares them all."""

from sandbox.endpoints import account, campaigns, contacts, reports

__all__ = ["account", "campaigns", "contacts", "reports"]
