"""Compare the schemas with the properties that the vendor's contract documents: `make contract`.

The contract is not part of the project: CONTRACT names a copy of it; by default the published one
is downloaded.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import requests
import yaml

PUBLISHED = "https://api.cc.email/v3/swagger.yaml"
SCHEMAS = Path(__file__).parent.parent / "schemas"

#: The definitions of each stream's records. Several are merged; a dot leads to the items of a
#: property.
DEFINITIONS = {
    "account": ["Customer"],
    "account_emails": ["AccountEmails"],
    "account_user_privileges": ["UserPrivilegesResource"],
    "automations": ["AutomationFlowSummaryDto", "AutomationCampaign"],
    "bulk_activities": ["Activity"],
    "campaign_id_xrefs": ["CrossReference"],
    "contact_activity_details": ["ContactTrackingActivity"],
    "contact_activity_summaries": ["CampaignActivitySummary"],
    "contact_counts": ["ContactsCounts"],
    "contact_custom_fields": ["CustomField"],
    "contact_id_xrefs": ["ContactXref"],
    "contact_lists": ["ContactList"],
    "contact_open_click_rates": ["ContactOpenAndClickRates"],
    "contact_sms_engagement_history": ["SmsEngagementHistory"],
    "contact_tags": ["Tag"],
    "contacts": ["ContactResource"],
    "email_bounces": ["BouncesTrackingActivity"],
    "email_campaign_ab_tests": ["ABTestData"],
    "email_campaign_activities": ["EmailCampaignActivity"],
    "email_campaign_activity_stats": ["CampaignActivityStatsResultGenericStatsEmailActivity"],
    "email_campaign_previews": ["EmailCampaignActivityPreview"],
    "email_campaign_resends": ["ResendToNonOpeners"],
    "email_campaign_schedules": ["EmailScheduleResponse"],
    "email_campaign_send_history": ["EmailSendHistory"],
    "email_campaign_stats": ["CampaignStatsResultGenericStatsEmailPercentsEmail"],
    "email_campaign_summaries": ["BulkEmailCampaignSummary"],
    "email_campaigns": ["EmailCampaign"],
    "email_clicks": ["ClicksTrackingActivity"],
    "email_did_not_opens": ["DidNotOpensTrackingActivity"],
    "email_forwards": ["ForwardsTrackingActivity"],
    "email_links": ["EmailLinkClickCount"],
    "email_opens": ["OpensTrackingActivity"],
    "email_optouts": ["OptoutsTrackingActivity"],
    "email_sends": ["SendsTrackingActivity"],
    "email_unique_opens": ["OpensTrackingActivity"],
    "event_registration_details": ["DetailedRegistrationDto"],
    "event_registrations": ["RegistrantInformationLiteDto"],
    "events": ["EventListingDto", "EventDto"],
    "landing_page_contact_opens": ["PContactOpenTrackingActivity"],
    "landing_page_unique_adds": ["PContactAddTrackingActivity"],
    "landing_page_unique_clicks": ["PContactClickTrackingActivity"],
    "landing_page_unique_opens": ["PContactOpenTrackingActivity"],
    "landing_page_unique_sms_optins": ["PContactSMSOptInTrackingActivity"],
    "landing_page_unique_updates": ["PContactUpdateTrackingActivity"],
    "list_id_xrefs": ["ListXref"],
    "partner_account_plans": ["PlanTiersObject"],
    "partner_accounts": ["PartnerAccount.site_owner_list"],
    "partner_webhook_subscriptions": ["WebhooksSubscriptionCollection"],
    "segment_contacts": ["ContactResource"],
    "segments": ["SegmentDetail"],
    "sms_campaign_summaries": ["BulkCampaignSummary"],
    "social_connections": ["ConnectionDto"],
    "social_hashtag_groups": ["HashtagGroupDto"],
    "social_profiles": ["ProfileDto"],
}
_ACTIVITY = ("campaign_activity_id", "campaign_id")  # the rows are its sub-resources
_CHANGED = ("campaign_updated_at",)
_DEVICE = ("device_type",)  # observed for adds, assumed for the others
_WINDOW = ("report_start", "report_end")  # the requested window
#: Columns that the definitions lack.
OWN = {
    "contact_activity_details": (
        *("occurrence", "device_type"),
        *("link_url", "url_id", "bounce_code"),  # tracking reports have them, so these may too
    ),
    "contact_activity_summaries": ("contact_id", *_WINDOW),
    "contact_counts": ("counted_at",),
    "contact_lists": ("channel_types", "sms_membership_count"),  # the name is an assumption
    "contact_open_click_rates": _WINDOW,
    "contacts": ("last_changed_at",),
    "email_bounces": ("campaign_id", "occurrence"),
    "email_campaign_ab_tests": (*_ACTIVITY, *_CHANGED),
    "email_campaign_activities": _CHANGED,
    "email_campaign_previews": ("campaign_id", *_CHANGED),
    "email_campaign_resends": (*_ACTIVITY, *_CHANGED),
    "email_campaign_schedules": _ACTIVITY,
    "email_campaign_send_history": _ACTIVITY,
    "email_clicks": ("campaign_id", "occurrence"),
    "email_did_not_opens": ("campaign_id",),
    "email_forwards": ("campaign_id", "occurrence"),
    "email_links": (*_ACTIVITY, "counted_at"),
    "email_opens": ("campaign_id", "occurrence"),
    "email_optouts": ("campaign_id", "occurrence"),
    "email_sends": ("campaign_id", "occurrence"),
    "email_unique_opens": ("campaign_id",),
    "event_registration_details": ("event_id",),
    "event_registrations": ("event_id",),
    "landing_page_contact_opens": ("occurrence",),
    "landing_page_unique_adds": _DEVICE,
    "landing_page_unique_sms_optins": _DEVICE,
    "landing_page_unique_updates": _DEVICE,
    "partner_account_plans": ("encoded_account_id",),
    "segment_contacts": ("segment_id",),
    "social_connections": ("network", "network_account_id"),
}


def load(source: str | None) -> dict[str, Any]:
    """Return the contract in a file, or the published one."""
    if source:
        text = Path(source).read_text("utf-8")
    else:
        response = requests.get(PUBLISHED, timeout=60)
        response.raise_for_status()
        text = response.text
    contract: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return contract


def documented(stream: str, definitions: dict[str, Any]) -> set[str]:
    """Return the paths of all properties that the contract documents for a stream."""
    found: set[str] = set()
    for name in DEFINITIONS[stream]:
        start, _, inner = name.partition(".")
        definition = definitions[start]
        found |= paths(
            definition["properties"][inner]["items"] if inner else definition, definitions
        )
    return found


def in_schema(stream: str) -> set[str]:
    """Return the paths of all properties of a stream's schema, except those of the tap itself."""
    schema = json.loads((SCHEMAS / f"{stream}.json").read_text("utf-8"))
    return paths(schema, {}) - set(OWN.get(stream, ()))


def paths(schema: dict[str, Any], definitions: dict[str, Any], path: str = "") -> set[str]:
    """Return the paths of the properties of a schema, as columns are named.

    A recursive definition has no paths: its values are kept as they are. Links are skipped.
    """
    if "$ref" in schema:
        definition = definitions[schema["$ref"].split("/")[-1]]
        recursive = json.dumps(schema["$ref"]) in json.dumps(definition)
        return set() if recursive else paths(definition, definitions, path)
    found: set[str] = set()
    for part in [*schema.get("allOf", []), *([schema["items"]] if "items" in schema else [])]:
        found |= paths(part, definitions, path)
    for name, inner in schema.get("properties", {}).items():
        if name != "_links":
            column = path + re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
            found |= {column} | paths(inner, definitions, f"{column}.")
    return found


def main() -> int:
    """Print what is missing on either side, and return an exit status."""
    try:
        definitions = load(os.environ.get("CONTRACT"))["definitions"]
    except (OSError, requests.RequestException) as error:
        print(f"Can't read the contract: {type(error).__name__}. Set CONTRACT to a copy of it.")
        return 1
    differ = 0
    for stream in sorted(DEFINITIONS):
        vendor, ours = documented(stream, definitions), in_schema(stream)
        for where, missing in (("schema", vendor - ours), ("contract", ours - vendor)):
            for path in sorted(missing):
                print(f"{stream}: {path} is not in the {where}")
        differ += vendor != ours
    print(f"{differ} of {len(DEFINITIONS)} schemas differ from the contract.")
    return min(differ, 1)


if __name__ == "__main__":
    sys.exit(main())
