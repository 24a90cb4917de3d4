"""The options of a sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SCOPES = ("account_read", "contact_data", "campaign_data", "offline_access")

PRIVILEGES = (
    "account:read",
    "campaign:read",
    "contacts:lists:read",
    "contacts:read",
    "contacts:write",
    "customer-journey:read",
    "ui:campaign:metrics",
    # Real users hold more privileges than reading takes; no endpoint here requires these.
    "account:update",
    "campaign:create",
    "campaign:send",
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The size of the account, the limits of the API key, and the behavior of the API.

    Attributes:
        contacts: How many contacts the account starts with.
        campaigns: How many email campaigns the account starts with.
        seed: Equal seeds (with equal sizes and `now`) generate equal accounts.
        now: The time on the account's clock when it starts. Default: the real time. Tokens and
            limits always use the real time.
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one.
        requests_per_second: Maximum requests in any one second; 0 = no limit.
        token_requests_per_minute: Maximum requests to the token endpoint in any one minute;
            0 = no limit.
        daily_quota: Maximum requests in a UTC day; 0 = no limit.
        retry_after: Send a `Retry-After` header with 429 (the API documents none).
        token_lifetime: Seconds until an access token expires.
        expires_in: How the token response writes `expires_in`.
        long_lived_tokens: Repeat the same refresh token instead of rotating it.
        public_client: Use a PKCE client, without a secret.
        scopes: The scopes of the access token, and the maximum that a sign-in is granted.
        device_interval: Minimum seconds between a device's requests for tokens.
        device_needs_secret: Require the client secret in the device flow too (documented: not
            required).
        privileges: The privileges of the user who signed in.
        latency: Delay each response by a random time between these two, in seconds.
        clock_skew: Seconds by which the API's clock is ahead of the real time (negative: behind):
            in the `Date` header and in all timestamps, those of tokens included.
        stats_lag: Seconds by which the counters of stats and summaries lag behind the reports.
        contacts_cursors: What the next links of contacts hold: the number of a page (inferred), or
            the id of a contact, in a list sorted by id.
        tracking_cursors: What the next links of tracking reports hold: what the last row is sorted
            by (inferred), or an offset.
        contacts_order: Sort contacts newest first, oldest first, or last updated first; the true
            order is not documented.
        inclusive_dates: Which date filters of contacts include the given moment: those that end
            in `_after`, those in `_before`, both or none; the real behavior is not documented.
        deleting_moves_updated_at: Deleting a contact changes its `updated_at` (assumed).
        sms_channel_include: Accept `include=sms_channel`, as builds up to 2024-11 did.
        nested_tag_links: Write the next link of tags as `_links.next.next.href`, the second form
            that the contract declares.
        dotted_stats: Write keys of stats as `em_opens.all.mobile`, as one guide page does.
        text_counts: Write the counts of campaign summaries as strings, as one guide page does.
        partial_stats: Name unknown campaigns in the `errors` of a stats response, instead of
            returning 404 for all.
        partial_rankings: Leave out parts of the rankings of campaigns: an entry in `errors` instead
            of `bottom`, an array that is null, and numbers as strings.
        company_logo: Whether the account has a logo.
        segment_polls: How many requests for the contacts of a segment return 202 before it is
            evaluated.
        event_links: Where events and registrations link to the next page: in `next_cursor`, in
            `_links` or in both; the other is null.
        partner_api_key: The API key of a partner with client accounts; "" = no partner.
    """

    contacts: int = 500
    campaigns: int = 24
    seed: int = 1
    now: datetime | None = None
    host: str = "127.0.0.1"
    port: int = 0
    requests_per_second: int = 4
    token_requests_per_minute: int = 60
    daily_quota: int = 10_000
    retry_after: bool = False
    token_lifetime: float = 86_400
    expires_in: Literal["number", "string", "absent"] = "number"
    long_lived_tokens: bool = False
    public_client: bool = False
    scopes: tuple[str, ...] = SCOPES
    device_interval: float = 5
    device_needs_secret: bool = False
    privileges: tuple[str, ...] = PRIVILEGES
    latency: tuple[float, float] = (0.0, 0.0)
    clock_skew: float = 0.0
    stats_lag: int = 0
    contacts_cursors: Literal["page", "keyset"] = "page"
    tracking_cursors: Literal["keyset", "offset"] = "keyset"
    contacts_order: Literal["newest", "oldest", "updated"] = "newest"
    inclusive_dates: Literal["none", "after", "before", "both"] = "none"
    deleting_moves_updated_at: bool = True
    sms_channel_include: bool = False
    nested_tag_links: bool = False
    dotted_stats: bool = False
    text_counts: bool = False
    partial_stats: bool = False
    partial_rankings: bool = False
    company_logo: bool = True
    segment_polls: int = 1
    event_links: Literal["both", "cursor", "links"] = "both"
    partner_api_key: str = "8f1d7c52-partner"
