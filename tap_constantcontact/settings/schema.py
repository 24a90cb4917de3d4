"""The tap's settings, as `--about`, Meltano and Airbyte show them."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_constantcontact.settings import choices
from tap_constantcontact.settings.custom_streams import DECLARATION

SETTINGS = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="API key of your application. Required with refresh_token.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Secret of your application. Leave it empty for a PKCE application.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description=(
            "Refresh token of the account, from a sign-in with the scope offline_access; "
            "tap-constantcontact-login gets it. Rotating tokens are kept up to date in token_store."
        ),
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description=(
            "Access token for a quick try without client_id and refresh_token. It expires within "
            "a day. Ignored if refresh_token is set."
        ),
    ),
    th.Property(
        "token_store",
        th.StringType,
        secret=True,
        title="Token store",
        description=(
            "File that keeps tokens between runs, or URL of a Redis server (redis:// or "
            "rediss://) for machines without persistent storage; several accounts can share it. "
            "Default: a file in $XDG_STATE_HOME/tap-constantcontact, or in "
            "~/.local/state/tap-constantcontact. Redis requires the extra: "
            "tap-constantcontact[redis]."
        ),
    ),
    th.Property(
        "token_store_key",
        th.StringType,
        secret=True,
        title="Token store key",
        description=(
            "Key that encrypts the tokens in Redis: 32 random bytes in URL-safe Base64. Of several "
            "keys, separated by commas, the first one encrypts, and all decrypt."
        ),
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description=(
            "Start of the first run. Contacts, segments, campaigns and SMS campaigns that were "
            "last changed before it are skipped, and so are older rows of tracking reports. A date "
            "(2026-01-31), a timestamp (2026-01-31T08:00:00Z), or a relative time in hours, days "
            "or weeks (-12h, -30d, -4w). Later runs resume from their state."
        ),
        examples=["2026-01-31", "-30d"],
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=choices.API_URL,
        title="API URL",
        description="Base URL of the API.",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        default=choices.AUTH_URL,
        title="Token URL",
        description="URL of the endpoint that issues access tokens.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header of every request. Default: the tap's name and version.",
    ),
    th.Property(
        "requests_per_second",
        th.IntegerType(minimum=1),
        default=4,
        title="Requests per second",
        description=(
            "Maximum requests per second, shared by the same runs as daily_quota. The API allows "
            "4 per API key."
        ),
    ),
    th.Property(
        "max_parallel_requests",
        th.IntegerType(minimum=1),
        default=8,
        title="Concurrent requests",
        description=(
            "Maximum number of concurrent requests. 1 sends one after the other. Records and "
            "state are the same either way."
        ),
    ),
    th.Property(
        "max_requests",
        th.IntegerType(minimum=1),
        title="Requests per run",
        description="Maximum requests per run. The run ends early when it reaches this budget.",
    ),
    th.Property(
        "daily_quota",
        th.IntegerType(minimum=1),
        default=10000,
        title="Requests per day",
        description=(
            "Maximum requests per UTC day, shared by all runs with this client_id that keep their "
            "tokens in the same folder or Redis server, or use the same limits_url. The API allows "
            "10,000 per API key, shared by everything that uses the key."
        ),
    ),
    th.Property(
        "limits_url",
        th.StringType,
        secret=True,
        title="Redis URL for shared limits",
        description=(
            "URL of a Redis server (redis:// or rediss://) through which several machines share "
            "the limits of one client_id. Default: the server of token_store, if it is one. "
            "Requires the extra: tap-constantcontact[redis]."
        ),
    ),
    th.Property(
        "on_quota_exceeded",
        th.StringType,
        allowed_values=["fail", "stop", "wait"],
        default="fail",
        title="When the quota is exhausted",
        description=(
            "fail: exit with status 75. stop: end successfully. wait: sleep until the quota "
            "resets at 00:00 UTC. State is saved before the run ends, and the next run resumes "
            "there."
        ),
    ),
    th.Property(
        "contact_status",
        th.StringType,
        default="all",
        title="Contact status",
        description=(
            "Statuses of the contacts to read, separated by commas: "
            f"{', '.join(choices.CONTACT_STATUSES)}."
        ),
    ),
    th.Property(
        "contacts_include",
        th.ArrayType(th.StringType(allowed_values=[*choices.CONTACT_INCLUDES, "sms_channel"])),
        default=list(choices.CONTACT_INCLUDES),
        title="Contact sub-resources",
        description=(
            "Sub-resources to read with each contact. sms_channel is returned automatically; "
            "request it only if the API accepts it."
        ),
    ),
    th.Property(
        "contacts_sweep_days",
        th.IntegerType(minimum=0),
        default=1,
        title="Days between contact sweeps",
        description=(
            "How often to sweep, that is, re-read all contacts to catch changes that no API filter "
            "exposes, and to start a new cycle of the per-contact streams. 0 means every run. A "
            "sweep costs one request per 450 contacts, a cycle one or more requests per contact."
        ),
    ),
    th.Property(
        "campaign_status",
        th.ArrayType(th.StringType(allowed_values=[*choices.CAMPAIGN_STATUSES])),
        title="Campaign status",
        description=(
            "Statuses of the email campaigns to read, along with their activities and reports: a "
            "list, in any case. Default: all."
        ),
    ),
    th.Property(
        "event_status",
        th.ArrayType(th.StringType(allowed_values=[*choices.EVENT_STATUSES])),
        title="Event status",
        description=(
            "Statuses of the events to read, along with their registrations: a list, in any case. "
            "Default: all."
        ),
    ),
    th.Property(
        "events_settle_days",
        th.IntegerType(minimum=0),
        default=30,
        title="Days until events settle",
        description=(
            "Read an event and its registrations in every run until this many days after its end: "
            "check-ins and payments don't show in the list of events."
        ),
    ),
    th.Property(
        "events_sweep_days",
        th.IntegerType(minimum=0),
        default=7,
        title="Days between event sweeps",
        description=(
            "How often to re-read all events and their registrations. In between, past events are "
            "read only if the list of events shows a change. 0 means every run."
        ),
    ),
    th.Property(
        "engagement_lookback_days",
        th.IntegerType(minimum=1),
        default=1,
        title="Engagement lookback in days",
        description=(
            "When an activity's counters change, re-read this many extra days of its reports to "
            "catch late rows. email_bounces uses at least 7."
        ),
    ),
    th.Property(
        "engagement_rereads_days",
        th.ArrayType(th.IntegerType(minimum=1)),
        default=[7, 30],
        title="Engagement re-reads in days",
        description=("Re-read a campaign's reports in full this many days after its last send."),
    ),
    th.Property(
        "skip_old_reports",
        th.BooleanType,
        default=False,
        title="Skip old reports",
        description=(
            "With start_date: don't read the reports on campaigns that were last sent more than 60 "
            "days before it until their counters change. Their links, send history, opens, clicks "
            "and other events are missing until then."
        ),
    ),
    th.Property(
        "links_without_clicks",
        th.BooleanType,
        default=True,
        title="Links without clicks",
        description="Include links without clicks in email_links.",
    ),
    th.Property(
        "contact_ids",
        th.ArrayType(th.StringType),
        title="Contact IDs",
        description=(
            "Restrict the per-contact streams (contact_activity_details and others) to these "
            "contact IDs. Default: all contacts."
        ),
    ),
    th.Property(
        "contact_lists",
        th.ArrayType(th.StringType),
        title="Contact list IDs",
        description="Restrict the per-contact streams to members of any of these contact lists.",
    ),
    th.Property(
        "contact_tags",
        th.ArrayType(th.StringType),
        title="Contact tag IDs",
        description="Restrict the per-contact streams to contacts with any of these tags.",
    ),
    th.Property(
        "contact_activity_types",
        th.ArrayType(th.StringType(allowed_values=[*choices.ACTIVITY_TYPES])),
        default=list(choices.ACTIVITY_TYPES),
        title="Contact activity types",
        description="Activity types to include in contact_activity_details.",
    ),
    th.Property(
        "report_start",
        th.StringType,
        default="-365d",
        title="Start of reports",
        description=(
            "Start of the period of contact_activity_summaries, contact_open_click_rates and "
            "email_campaign_performance: a date, a timestamp, or a relative time. At most five "
            "years before report_end."
        ),
    ),
    th.Property(
        "report_end",
        th.StringType,
        title="End of reports",
        description="End of that period, in the same formats. Default: the start of the run.",
    ),
    th.Property(
        "landing_page_activity_ids",
        th.ArrayType(th.StringType),
        title="Landing page activity IDs",
        description=(
            "Campaign activity IDs of the landing pages to read in the landing page streams. No "
            "endpoint of the API lists them."
        ),
    ),
    th.Property(
        "v2_contact_ids",
        th.ArrayType(th.StringType),
        title="V2 contact IDs",
        description="Contact IDs of the V2 API, for the stream contact_id_xrefs.",
    ),
    th.Property(
        "v2_list_ids",
        th.ArrayType(th.StringType),
        title="V2 list IDs",
        description="Contact list IDs of the V2 API, for the stream list_id_xrefs.",
    ),
    th.Property(
        "v2_email_campaign_ids",
        th.ArrayType(th.StringType),
        title="V2 campaign IDs",
        description="Campaign IDs of the V2 API, for the stream campaign_id_xrefs.",
    ),
    th.Property(
        "partner_api_key",
        th.StringType,
        secret=True,
        title="Partner API key",
        description="API key of a technology partner, for the partner streams.",
    ),
    th.Property(
        "partner_client_id",
        th.StringType,
        title="Partner client ID",
        description="Client ID of the partner. Required with partner_api_key.",
    ),
    th.Property(
        "partner_client_secret",
        th.StringType,
        secret=True,
        title="Partner client secret",
        description="Client secret of the partner. Required with partner_api_key.",
    ),
    th.Property(
        "partner_auth_url",
        th.StringType,
        default=choices.PARTNER_AUTH_URL,
        title="Partner token URL",
        description="URL of the endpoint that issues a partner's access tokens.",
    ),
    th.Property(
        "custom_streams",
        th.ArrayType(DECLARATION),
        title="Custom streams",
        description=(
            "Streams of your own for endpoints that the tap doesn't cover, each with a name, a "
            "path and primary keys."
        ),
    ),
    th.Property(
        "max_records_per_stream",
        th.IntegerType(minimum=1),
        title="Records per stream",
        description=("Maximum records per stream, for a quick look. Bookmarks are not advanced."),
    ),
    th.Property(
        "keep_unknown_fields",
        th.BooleanType,
        default=False,
        title="Keep unknown fields",
        description=(
            "Keep properties that the schema doesn't declare, in the column _extra. They are "
            "named in a warning at the end of the run in any case."
        ),
    ),
    th.Property(
        "add_account_id",
        th.BooleanType,
        default=False,
        title="Add the account's ID",
        description=(
            "Add the column account_id, the account's encoded_account_id, to every row and key, so "
            "that several accounts can share tables. Requires the scope account_read and one "
            "request per run. Run discovery again after a change."
        ),
    ),
)
