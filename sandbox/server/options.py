"""The options of a sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.account.rules import Rules

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
class Options(Rules):
    """The size of the accounts, the limits of the API keys, and the behavior of the API.

    Attributes:
        accounts: How many accounts are served. Each has its own data, as its seed is one more than
            that of the account before, and its own sign-in.
        api_keys: How many API keys the accounts share: the first account signs in with the first
            key, the second with the second, and so on in turn.
        profile: What the account is like: `varied`, with every kind of record in a few rows, or
            `cafe`, eighteen months of a café: 60 campaigns with typical rates, in place of
            `campaigns` and `audience`.
        contacts: How many contacts the account starts with.
        campaigns: How many email campaigns the account starts with.
        audience: How many contacts an email is offered to, who do as little with it as those of
            real accounts; 0 = few in large accounts, who do more of everything.
        seed: Equal seeds (with equal sizes and `now`) generate equal accounts.
        now: The time on the account's clock when it starts. Default: the real time. Tokens and
            limits always use the real time.
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one.
        requests_per_second: Maximum requests of an API key in any one second; 0 = no limit.
        token_requests_per_minute: Maximum requests of an API key to the token endpoint in any one
            minute; 0 = no limit.
        daily_quota: Maximum requests of an API key in a UTC day; 0 = no limit.
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
        contacts_count: Whether the count of contacts is that of the filter (assumed), or of all.
        deleting_moves_updated_at: Deleting a contact changes its `updated_at` (assumed).
        unsubscribing_moves_updated_at: Unsubscribing changes the `updated_at` of a contact
            (observed: it does not).
        memberships_move_updated_at: Leaving a list changes the `updated_at` of a contact (assumed:
            it does not).
        editing_moves_created_at: Editing a contact changes its `created_at` (assumed: it does not).
        sending_moves_updated_at: Sending a campaign changes its `updated_at` (assumed).
        sms_counts_settle: Only the newest SMS campaign still has new clicks (assumed).
        sms_channel_unasked: The SMS channel of a contact comes without being included (assumed).
        sms_count_name: The name of the SMS count of a list (assumed).
        sms_lists: Accept a request for SMS lists (assumed, also for accounts without SMS).
        ab_test_conflict: Return 409 for the A/B tests of campaigns.
        pkce_with_secret: Accept a PKCE challenge from an application with a secret (inferred).
        campaigns_cursors: What the next links of campaigns hold: a position (inferred), or what
            the last row is sorted by.
        removed_campaigns_listed: List removed campaigns (observed).
        last_sent_date: Which send the summaries of campaigns tell the date of: the last one
            (documented) or the first.
        unlisted_opens: Leave out every fifth open of the reports on opens, though it is counted.
        uncounted_forwards: Leave forwards out of all counters.
        reports_order: Sort tracking reports newest first (documented) or oldest first. The latter
            needs offsets as `tracking_cursors`.
        report_seconds: Write the times of reports with seconds, instead of whole minutes
            (inferred).
        default_events: Which events are listed if no status is requested: all that are not deleted
            (assumed), or only active ones.
        event_metrics: Count registrations in the list of events (documented).
        partner_grant: The grant by which a partner gets a token (assumed).
        refresh_token_grace: Accept the previous refresh token as well (observed: it is void).
        invalid_grant_status: The status of the response to a refresh token that is void.
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
        contract_version: The version of the contract that is published.
        partner_api_key: The API key of a partner with client accounts; "" = no partner.
    """

    accounts: int = 1
    api_keys: int = 1
    profile: Literal["varied", "cafe"] = "varied"
    contacts: int = 500
    campaigns: int = 24
    audience: int = 0
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
    contacts_count: Literal["filter", "all"] = "filter"
    sms_channel_unasked: bool = True
    sms_count_name: str = "sms_membership_count"
    sms_lists: bool = True
    ab_test_conflict: bool = False
    pkce_with_secret: bool = True
    campaigns_cursors: Literal["position", "keyset"] = "position"
    removed_campaigns_listed: bool = True
    last_sent_date: Literal["last", "first"] = "last"
    unlisted_opens: bool = False
    uncounted_forwards: bool = False
    reports_order: Literal["newest", "oldest"] = "newest"
    report_seconds: bool = False
    default_events: Literal["all", "active"] = "all"
    event_metrics: bool = True
    partner_grant: str = "client_credentials"
    refresh_token_grace: bool = False
    invalid_grant_status: int = 400
    sms_channel_include: bool = False
    nested_tag_links: bool = False
    dotted_stats: bool = False
    text_counts: bool = False
    partial_stats: bool = False
    partial_rankings: bool = False
    company_logo: bool = True
    segment_polls: int = 1
    event_links: Literal["both", "cursor", "links"] = "both"
    contract_version: str = "3.0.193"
    partner_api_key: str = "8f1d7c52-partner"
