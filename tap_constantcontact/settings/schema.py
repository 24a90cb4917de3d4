"""The tap's settings: what they are, what is accepted, and what is wrong with those given."""

from __future__ import annotations

from singer_sdk import typing as th

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
# The six of the contract. `sms_channel` was a legal value until 2024-11 and comes by itself now
# (guess): it can be asked for, and is dropped where the API refuses it.
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

SETTINGS = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="API key of your application. Needed with refresh_token.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Secret of your application; leave it out for a PKCE application.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description=(
            "Refresh token of the account, from a sign-in with the scope offline_access. A token "
            "that rotates is kept up to date in token_store."
        ),
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description=(
            "An access token for a quick try without client_id and refresh_token; it ends within "
            "a day. Not used when refresh_token is set."
        ),
    ),
    th.Property(
        "token_store",
        th.StringType,
        title="Token store",
        description=(
            "File in which tokens are kept between runs, one file for each account. Default: a "
            "file in $XDG_STATE_HOME/tap-constantcontact, else ~/.local/state/tap-constantcontact."
        ),
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description=(
            "Where the first run begins: contacts, segments, campaigns and SMS campaigns that last "
            "changed before, and older rows of tracking reports, are left out. A date "
            "(2026-01-31), a timestamp (2026-01-31T08:00:00Z), or a time before now in hours, days "
            "or weeks (-12h, -30d, -4w). Later runs go on from their state."
        ),
        examples=["2026-01-31", "-30d"],
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=API_URL,
        title="API URL",
        description="Address of the API.",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        default=AUTH_URL,
        title="Token URL",
        description="Address that gives access tokens.",
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
        title="Requests a second",
        description=(
            "The most requests in any second, of the same runs as in daily_quota; the API allows "
            "an API key 4."
        ),
    ),
    th.Property(
        "max_parallel_requests",
        th.IntegerType(minimum=1),
        default=8,
        title="Requests at a time",
        description=(
            "How many requests may wait for their answers at a time. 1 asks for one after the "
            "other; rows and states are the same."
        ),
    ),
    th.Property(
        "max_requests",
        th.IntegerType(minimum=1),
        title="Requests a run",
        description="The most requests of one run; it ends early when they are used up.",
    ),
    th.Property(
        "daily_quota",
        th.IntegerType(minimum=1),
        default=10000,
        title="Requests a day",
        description=(
            "The most requests in one UTC day of all runs with this client_id that keep their "
            "tokens in the same folder, or share limits_url. The API allows an API key 10,000, "
            "shared by everything that uses it."
        ),
    ),
    th.Property(
        "limits_url",
        th.StringType,
        secret=True,
        title="Limits URL",
        description=(
            "Address of a Redis (redis://…) through which several machines keep to the limits of "
            "one client_id together. Needs the extra: tap-constantcontact[redis]."
        ),
    ),
    th.Property(
        "on_quota_exceeded",
        th.StringType,
        allowed_values=["fail", "stop", "wait"],
        default="fail",
        title="When the quota is used up",
        description=(
            "fail: end with exit status 75. stop: end with success. wait: sleep until the quota "
            "is new at 00:00 UTC. State is written before the run ends, and the next one goes on."
        ),
    ),
    th.Property(
        "contact_status",
        th.StringType,
        default="all",
        title="Contact status",
        description=(
            f"Which contacts to read: {', '.join(CONTACT_STATUSES)}; several with commas between."
        ),
    ),
    th.Property(
        "contacts_include",
        th.ArrayType(th.StringType(allowed_values=[*CONTACT_INCLUDES, "sms_channel"])),
        default=list(CONTACT_INCLUDES),
        title="Parts of a contact",
        description=(
            "Sub-resources that contacts come with. sms_channel comes by itself, and can be asked "
            "for where the API takes it."
        ),
    ),
    th.Property(
        "contacts_sweep_days",
        th.IntegerType(minimum=0),
        default=1,
        title="Days between contact sweeps",
        description=(
            "How often all contacts are read, since no filter of the API shows every change, and "
            "rounds of the streams of each contact begin: 0 means in every run. A sweep costs a "
            "request for 450 contacts, a round one or more for each contact."
        ),
    ),
    th.Property(
        "campaign_status",
        th.ArrayType(th.StringType(allowed_values=[*CAMPAIGN_STATUSES])),
        title="Campaign status",
        description=(
            "Statuses of the e-mail campaigns to read, and whose activities and reports to read. "
            "Default: all."
        ),
    ),
    th.Property(
        "event_status",
        th.ArrayType(th.StringType(allowed_values=[*EVENT_STATUSES])),
        title="Event status",
        description="Statuses of the events to read, with their registrations. Default: all.",
    ),
    th.Property(
        "engagement_lookback_days",
        th.IntegerType(minimum=1),
        default=1,
        title="Lookback of engagement",
        description=(
            "How many days before what is known the reports on an activity that has moved are "
            "read again, for rows that come late; email_bounces at least 7."
        ),
    ),
    th.Property(
        "engagement_rereads_days",
        th.ArrayType(th.IntegerType(minimum=1)),
        default=[7, 30],
        title="Re-reads of engagement",
        description=(
            "How many days after its last send the reports on a campaign are read to their ends "
            "once more."
        ),
    ),
    th.Property(
        "links_without_clicks",
        th.BooleanType,
        default=True,
        title="Links without clicks",
        description="Whether email_links has links that nobody has clicked.",
    ),
    th.Property(
        "contact_ids",
        th.ArrayType(th.StringType),
        title="Contacts",
        description=(
            "Contacts that the streams of each contact (contact_activity_details and others) are "
            "read for. Default: all."
        ),
    ),
    th.Property(
        "contact_lists",
        th.ArrayType(th.StringType),
        title="Contact lists",
        description=(
            "Contact lists, by their ids, whose contacts the streams of each contact are read for."
        ),
    ),
    th.Property(
        "contact_tags",
        th.ArrayType(th.StringType),
        title="Contact tags",
        description=(
            "Contact tags, by their ids, whose contacts the streams of each contact are read for."
        ),
    ),
    th.Property(
        "contact_activity_types",
        th.ArrayType(th.StringType(allowed_values=[*ACTIVITY_TYPES])),
        default=list(ACTIVITY_TYPES),
        title="Types of contact activities",
        description="What contact_activity_details has.",
    ),
    th.Property(
        "report_start",
        th.StringType,
        default="-365d",
        title="Start of reports on contacts",
        description=(
            "Where contact_activity_summaries and contact_open_click_rates begin: a date, a "
            "timestamp, or a time before now. At most five years before report_end."
        ),
    ),
    th.Property(
        "report_end",
        th.StringType,
        title="End of reports on contacts",
        description="Where they end, in the same forms. Default: now.",
    ),
    th.Property(
        "landing_page_activity_ids",
        th.ArrayType(th.StringType),
        title="Landing pages",
        description=(
            "Campaign activity ids of landing pages, for the streams of landing pages; no request "
            "of the API lists them."
        ),
    ),
    th.Property(
        "v2_contact_ids",
        th.ArrayType(th.StringType),
        title="V2 contact ids",
        description="Contact ids of the V2 API, for the stream contact_id_xrefs.",
    ),
    th.Property(
        "v2_list_ids",
        th.ArrayType(th.StringType),
        title="V2 list ids",
        description="Contact list ids of the V2 API, for the stream list_id_xrefs.",
    ),
    th.Property(
        "v2_email_campaign_ids",
        th.ArrayType(th.StringType),
        title="V2 campaign ids",
        description="Campaign ids of the V2 API, for the stream campaign_id_xrefs.",
    ),
    th.Property(
        "partner_api_key",
        th.StringType,
        secret=True,
        title="Partner API key",
        description="Key of a technology partner, for the streams of partners.",
    ),
    th.Property(
        "partner_client_id",
        th.StringType,
        title="Partner client ID",
        description="Client ID of the partner; needed with partner_api_key.",
    ),
    th.Property(
        "partner_client_secret",
        th.StringType,
        secret=True,
        title="Partner client secret",
        description="Client secret of the partner; needed with partner_api_key.",
    ),
    th.Property(
        "partner_auth_url",
        th.StringType,
        default=PARTNER_AUTH_URL,
        title="Partner token URL",
        description="Address that gives a partner's access tokens.",
    ),
    th.Property(
        "custom_streams",
        th.ArrayType(
            th.ObjectType(
                th.Property(
                    "name",
                    th.StringType,
                    required=True,
                    title="Name",
                    description="Name of the stream: small letters, digits and _.",
                ),
                th.Property(
                    "path",
                    th.StringType,
                    required=True,
                    title="Path",
                    description="Path of the endpoint below api_url, such as /contact_lists.",
                ),
                th.Property(
                    "records_path",
                    th.StringType,
                    title="Records path",
                    description=(
                        "Property of an answer that holds the records, with points between the "
                        "names where it lies deeper. Default: the answer is the record, or the "
                        "array of them."
                    ),
                ),
                th.Property(
                    "primary_keys",
                    th.ArrayType(th.StringType),
                    required=True,
                    title="Primary keys",
                    description="Properties that tell records apart.",
                ),
                th.Property(
                    "replication_key",
                    th.StringType,
                    title="Replication key",
                    description=(
                        "Property with the time of a record's last change: runs then bring what "
                        "has changed since the last one."
                    ),
                ),
                th.Property(
                    "params",
                    th.CustomType(
                        {
                            "type": ["object", "null"],
                            "additionalProperties": {"type": ["string", "integer", "boolean"]},
                        }
                    ),
                    title="Parameters",
                    description=(
                        "Query parameters of the first page. One with {since} is sent when there "
                        "is a bookmark or a start_date, with the time in place of it."
                    ),
                ),
                th.Property(
                    "schema",
                    th.CustomType(
                        {
                            "type": ["object", "null"],
                            "properties": {"properties": {"type": "object"}},
                            "required": ["properties"],
                        }
                    ),
                    title="Schema",
                    description=(
                        "JSON Schema of a record, whose properties become columns. Default: the "
                        "keys, and the whole record in the column record."
                    ),
                ),
                th.Property(
                    "scopes",
                    th.ArrayType(th.StringType),
                    title="Scopes",
                    description="Scopes that the endpoint needs, for the sign-in and for messages.",
                ),
                additional_properties=False,
            )
        ),
        title="Custom streams",
        description=(
            "Endpoints that the tap has no stream of yet, each with a name, a path and the keys of "
            "its records."
        ),
    ),
    th.Property(
        "max_records_per_stream",
        th.IntegerType(minimum=1),
        title="Records a stream",
        description=(
            "The most records of each stream, for a quick look. Bookmarks do not claim the rest."
        ),
    ),
    th.Property(
        "keep_unknown_fields",
        th.BooleanType,
        default=False,
        title="Keep unknown fields",
        description=(
            "Whether properties that a schema does not know are kept, in the column _extra. They "
            "are named at the end of a run in any case."
        ),
    ),
)
