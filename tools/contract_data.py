"""What the project knows of the vendor's contract, as `make contract` compares it."""

from __future__ import annotations

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
    "email_campaign_performance": ["CampaignPerformanceStats"],
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
_DEVICE = ("device_type",)  # observed in a response (adds), or in the tables of others
_WINDOW = ("report_start", "report_end")  # the requested window
#: Columns that the definitions lack: of the tap itself, of older builds of the contract, and
#: observed.
OWN = {
    "contact_activity_details": (
        *("occurrence", "device_type"),
        *("link_url", "url_id", "bounce_code"),  # tracking reports have them, so these may too
    ),
    "contact_activity_summaries": ("contact_id", *_WINDOW),
    "contact_counts": ("counted_at",),
    "contact_sms_engagement_history": ("history_details.source_ip",),  # until 3.0.16 (2025-01)
    "contact_lists": ("channel_types", "sms_membership_count"),  # the name is an assumption
    "contact_open_click_rates": _WINDOW,
    "contacts": ("last_changed_at",),
    "email_bounces": ("campaign_id", "occurrence"),
    "email_campaign_ab_tests": (*_ACTIVITY, *_CHANGED),
    "email_campaign_activities": (*_CHANGED, "template_id"),  # until 3.0.172 (2026-07)
    "email_campaign_performance": (*("ranking", "measure", "rank"), *("start_at", "end_at")),
    "email_campaign_previews": ("campaign_id", *_CHANGED),
    "email_campaign_resends": (*_ACTIVITY, *_CHANGED),
    "email_campaign_schedules": _ACTIVITY,
    "email_campaign_send_history": _ACTIVITY,
    "email_clicks": ("campaign_id", "occurrence"),
    "email_did_not_opens": ("campaign_id",),
    "email_forwards": ("campaign_id", "occurrence", *_DEVICE),
    "email_links": (*_ACTIVITY, "counted_at"),
    "email_opens": ("campaign_id", "occurrence"),
    "email_optouts": ("campaign_id", "occurrence", *_DEVICE),
    "email_sends": ("campaign_id", "occurrence"),
    "email_unique_opens": ("campaign_id",),
    "event_registration_details": ("event_id",),
    "event_registrations": ("event_id",),
    "events": ("payment_configuration",),  # 3.0.105 (2025-11)
    "landing_page_contact_opens": ("occurrence",),
    "landing_page_unique_adds": _DEVICE,
    "landing_page_unique_sms_optins": _DEVICE,
    "landing_page_unique_updates": _DEVICE,
    "partner_account_plans": ("encoded_account_id",),
    "segment_contacts": ("segment_id",),
    "sms_campaign_summaries": ("unique_counts.bounces",),  # 3.0.2400 (2024-04)
    "social_connections": ("network", "network_account_id"),
}

#: The query parameters of each GET: those that the tap sends, and those that it has no use for.
PARAMETERS = {
    "/account/emails": "confirm_status email_address role_code",
    "/account/summary": "extra_fields",
    "/activities": "limit state",
    "/automations/workflows": "channel created_from goals name sort_direction",
    "/contact_custom_fields": "limit",
    "/contact_lists": (
        "channel_type include_count include_membership_count include_sms_membership_count "
        "limit name status"
    ),
    "/contact_lists/list_id_xrefs": "sequence_ids",
    "/contact_lists/{list_id}": "include_membership_count",
    "/contact_tags": "include_count limit",
    "/contact_tags/{tag_id}": "include_count",
    "/contacts": (
        "created_after created_before email include include_count limit lists optout_after "
        "optout_before segment_id sms_status status tags updated_after updated_before"
    ),
    "/contacts/contact_id_xrefs": "sequence_ids",
    "/contacts/counts": "include",
    "/contacts/{contact_id}": "include",
    "/emails": "after_date before_date limit",
    "/emails/activities/{campaign_activity_id}": "include",
    "/emails/campaign_id_xrefs": "v2_email_campaign_ids",
    "/events": "event_status limit next prev search_text sort_by sort_order",
    "/events/{event_id}": "include",
    "/events/{event_id}/tracks/{track_id}/registrations": (
        "limit next page_size payment_status prev registration_status search_text sort_by "
        "sort_order"
    ),
    "/partner/accounts": "account_type limit offset",
    "/reports/contact_reports/{contact_id}/activity_details": (
        "include_campaign_activity_names limit tracking_activities_list tracking_activity_type"
    ),
    "/reports/contact_reports/{contact_id}/activity_summary": "end start",
    "/reports/contact_reports/{contact_id}/open_and_click_rates": "end start",
    "/reports/email_reports/campaign_performance": "count end_at filter start_at",
    "/reports/email_reports/{campaign_activity_id}/links": "no_clicks",
    "/reports/email_reports/{campaign_activity_id}/tracking/bounces": "bounce_code limit",
    "/reports/email_reports/{campaign_activity_id}/tracking/clicks": "limit url_id",
    "/reports/email_reports/{campaign_activity_id}/tracking/didnotopens": "limit",
    "/reports/email_reports/{campaign_activity_id}/tracking/forwards": "limit",
    "/reports/email_reports/{campaign_activity_id}/tracking/opens": "limit",
    "/reports/email_reports/{campaign_activity_id}/tracking/optouts": "limit",
    "/reports/email_reports/{campaign_activity_id}/tracking/sends": "limit",
    "/reports/email_reports/{campaign_activity_id}/tracking/unique_opens": "limit",
    "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_contact_opens": (
        "contacts_filter limit"
    ),
    "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_adds": (
        "contacts_filter limit"
    ),
    "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_clicks": (
        "contacts_filter limit"
    ),
    "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_opens": (
        "contacts_filter limit"
    ),
    "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_sms_optins": (
        "contacts_filter limit"
    ),
    "/reports/landing_pages/campaign_details/{campaign_activity_id}/p_unique_contact_updates": (
        "contacts_filter limit"
    ),
    "/reports/summary_reports/email_campaign_summaries": "limit",
    "/reports/summary_reports/sms_campaign_summaries": "end_at limit start_at",
    "/segments": "limit sort_by",
    "/social/hashtags/groups": "limit page",
    "/social/profiles": "include",
}
