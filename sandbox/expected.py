"""What a complete sync of an account must deliver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sandbox.endpoints  # noqa: F401 - declares the endpoints
from sandbox.api import ENDPOINTS, Call
from sandbox.endpoints.account import EXTRA_FIELDS
from sandbox.endpoints.campaigns import INCLUDED
from sandbox.endpoints.contacts import SUB_RESOURCES
from sandbox.options import Options

if TYPE_CHECKING:
    from sandbox.account import Account, Record

Rows = dict[tuple[Any, ...], "Record"]

KEYS = {
    "account": "encoded_account_id",
    "account_emails": "email_id",
    "account_user_privileges": "privilege_id",
    "contacts": "contact_id",
    "contact_lists": "list_id",
    "contact_tags": "tag_id",
    "contact_custom_fields": "custom_field_id",
    "segments": "segment_id",
    "email_campaigns": "campaign_id",
    "email_campaign_activities": "campaign_activity_id",
    "email_campaign_summaries": "campaign_id",
    "email_campaign_stats": "campaign_id",
}


def expected(account: Account, privileges: tuple[str, ...]) -> dict[str, Rows]:
    """Collect all rows that a complete sync must deliver, as the API would show them now.

    Args:
        account: The account.
        privileges: What the user who signed in may do.

    Returns:
        By stream and key: copies of the records, with everything that can be included.
    """
    with account.lock:
        records = Walk(account, privileges).streams()
    return {stream: _by_key(rows, KEYS[stream]) for stream, rows in records.items()}


class Walk:
    """Asks the endpoints themselves, past gate and paging."""

    def __init__(self, account: Account, privileges: tuple[str, ...]) -> None:
        """Take the usual habits of the API, whatever those of the sandbox are."""
        self.account = account
        self.options = Options(privileges=privileges)

    def streams(self) -> dict[str, list[Record]]:
        """List the records of all streams."""
        summaries = self._every("/reports/summary_reports/email_campaign_summaries")
        campaigns = self._campaigns()
        return {
            "account": [self._one("/account/summary", extra_fields=set(EXTRA_FIELDS))],
            "account_emails": self._one("/account/emails"),
            "account_user_privileges": self._one("/account/user/privileges"),
            "contacts": self._every("/contacts", status={"all"}, include=set(SUB_RESOURCES)),
            "contact_lists": self._lists(),
            "contact_tags": self._every("/contact_tags", include_count=True),
            "contact_custom_fields": self._every("/contact_custom_fields"),
            "segments": [
                self._one("/segments/<segment_id>", str(id_)) for id_ in self.account.segments
            ],
            "email_campaigns": campaigns,
            "email_campaign_activities": self._activities(campaigns),
            "email_campaign_summaries": summaries,
            "email_campaign_stats": [self._stats(row["campaign_id"]) for row in summaries],
        }

    def _one(self, path: str, *ids: str, **query: object) -> Any:
        return ENDPOINTS[path].function(Call(self.account, self.options, query), *ids)

    def _every(self, path: str, **query: object) -> list[Record]:
        listing = self._one(path, **query)
        return [listing.show(row) for row in listing.rows]

    def _lists(self) -> list[Record]:
        """Walk both channels: a list in both appears once, with both counts."""
        asked: dict[str, Any] = {"status": {"all"}, "include_membership_count": "all"}
        email = self._every("/contact_lists", channel_type="email", **asked)
        sms = self._every(
            "/contact_lists", channel_type="sms", include_sms_membership_count=True, **asked
        )
        merged = {row["list_id"]: row for row in [*email, *sms]}
        return list(merged.values())

    def _campaigns(self) -> list[Record]:
        """Take the details, and of removed campaigns what the list tells."""
        return [
            row
            if row["current_status"] == "Removed"
            else self._one("/emails/<campaign_id>", row["campaign_id"])
            for row in self._every("/emails")
        ]

    def _activities(self, campaigns: list[Record]) -> list[Record]:
        path = "/emails/activities/<campaign_activity_id>"
        return [
            self._one(path, reference["campaign_activity_id"], include=set(INCLUDED))
            for campaign in campaigns
            for reference in campaign.get("campaign_activities", [])
            if reference["campaign_activity_id"] not in self.account.unreadable
        ]

    def _stats(self, campaign_id: str) -> Record:
        answer = self._one("/reports/stats/email_campaigns/<campaign_ids>", campaign_id)
        result: Record = answer["results"][0]
        return result


def _by_key(records: list[Record], key: str) -> Rows:
    copies = json.loads(json.dumps(records))
    return {(record[key],): record for record in copies}
