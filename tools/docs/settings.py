"""docs/reference/settings.md: every setting, from what --about says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tap_constantcontact.settings.schema import SETTINGS

_HEAD = """\
# Settings

You need `client_id`, `refresh_token` and, unless your application uses PKCE, `client_secret`.
[Sign in](../get-started/sign-in.md) explains how to get them. All other settings are optional.
Settings come from a JSON file, from [environment variables](command-line.md#environment-variables)
such as `TAP_CONSTANTCONTACT_START_DATE`, or from [Meltano](../guides/meltano.md) or
[Airbyte](../guides/airbyte.md).

The SDK adds [`stream_maps`, `flattening_enabled`](../guides/stream-maps.md) and a few more;
`tap-constantcontact --about` lists them all.

`make docs` generates this page from `tap_constantcontact/settings/schema.py`.
"""
#: The settings in the order of the page.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Login": (
        *("client_id", "client_secret", "refresh_token", "access_token"),
        *("token_store", "token_store_key", "api_url", "auth_url", "user_agent"),
    ),
    "Start and limits": (
        *("start_date", "requests_per_second", "max_parallel_requests", "max_requests"),
        *("daily_quota", "limits_url", "on_quota_exceeded"),
    ),
    "Contacts": ("contact_status", "contacts_include", "contacts_sweep_days"),
    "Campaigns and events": (
        *("campaign_status", "event_status", "events_settle_days", "events_sweep_days"),
        *("engagement_lookback_days", "engagement_rereads_days", "skip_old_reports"),
        "links_without_clicks",
    ),
    "Reports on contacts": (
        *("contact_ids", "contact_lists", "contact_tags", "contact_activity_types"),
        *("report_start", "report_end"),
    ),
    "IDs you have to provide": (
        *("landing_page_activity_ids", "v2_contact_ids", "v2_list_ids", "v2_email_campaign_ids"),
    ),
    "Partner": (
        *("partner_api_key", "partner_client_id", "partner_client_secret", "partner_auth_url"),
    ),
    "Streams of your own": ("custom_streams",),
    "Quick look, several accounts, unknown fields": (
        *("max_records_per_stream", "add_account_id", "keep_unknown_fields"),
    ),
}
_INTRODUCTIONS = {
    "Partner": (
        "Partner settings are used in addition to an account login, and partner requests have "
        "[limits of their own](../concepts/other-streams.md#partners)."
    ),
}
_CAMPAIGNS = "../concepts/campaigns-and-reports.md"
_CONTACTS = "../concepts/contacts.md"
#: What has more on a setting.
_MORE = {
    "client_id": "[Sign in](../get-started/sign-in.md) says where it is.",
    "refresh_token": (
        "See [Sign in](../get-started/sign-in.md) and [Tokens](../concepts/tokens.md)."
    ),
    "token_store": "See [Tokens](../concepts/tokens.md).",
    "token_store_key": "See [Tokens in Redis](../concepts/tokens.md#in-redis).",
    "start_date": "See [Start over](state.md#start-over) for a later change.",
    "requests_per_second": "See [Rate limits](../concepts/rate-limits.md).",
    "max_parallel_requests": "See [Prefetching](../concepts/prefetching.md).",
    "max_requests": (
        "It ends as `on_quota_exceeded` says; with `wait` it ends successfully, because waiting "
        "can't restore a per-run budget. See [Runs that end "
        "early](../concepts/rate-limits.md#runs-that-end-early)."
    ),
    "daily_quota": "See [Rate limits](../concepts/rate-limits.md).",
    "limits_url": "Install it with `pip install '.[redis]'`.",
    "on_quota_exceeded": "See [Exit codes](command-line.md#exit-codes).",
    "contacts_sweep_days": (
        f"See [Contacts]({_CONTACTS}) and [Reports on single "
        f"contacts]({_CONTACTS}#reports-on-single-contacts)."
    ),
    "campaign_status": "`email_campaign_summaries` includes all.",
    "events_settle_days": "See [Events](../concepts/events.md).",
    "events_sweep_days": "See [Events](../concepts/events.md).",
    "engagement_lookback_days": (
        f"See [How far a report is read]({_CAMPAIGNS}#how-far-a-report-is-read)."
    ),
    "engagement_rereads_days": f"See [Late rows]({_CAMPAIGNS}#late-rows).",
    "skip_old_reports": f"See [Selection]({_CAMPAIGNS}#selection-start_date-and-full_table).",
    "landing_page_activity_ids": (
        "See [Ids that are settings](../concepts/other-streams.md#ids-that-are-settings)."
    ),
    "custom_streams": "See [Custom streams](../guides/custom-streams.md).",
    "add_account_id": "See [Several accounts](../guides/several-accounts.md).",
}


def markdown() -> str:
    """Return the content of docs/reference/settings.md."""
    properties = SETTINGS.to_dict()["properties"]
    lines = [_HEAD]
    for group, names in GROUPS.items():
        lines += [f"## {group}", ""]
        if introduction := _INTRODUCTIONS.get(group):
            lines += [introduction, ""]
        for name in names:
            lines += _section(name, properties[name])
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {name}", "")
    yield " ".join(filter(None, (schema["description"], _MORE.get(name))))
    yield from ("", " · ".join(_facts(schema)), "")


def _facts(schema: Mapping[str, Any]) -> Iterator[str]:
    items = schema.get("items", {})
    choices = schema.get("enum") or items.get("enum")
    kind = _kind(schema)
    yield f"list of {_kind(items)}s" if kind == "array" else kind
    if choices:
        yield f"{'any' if kind == 'array' else 'one'} of {_value(choices)}"
    if "minimum" in schema:
        yield f"at least {schema['minimum']}"
    default = schema.get("default")
    if default is not None:
        yield "default: " + ("all" if default == choices else _value(default))
    if schema.get("secret") or schema.get("writeOnly"):
        yield "secret"


def _value(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return ", ".join(f"`{each if isinstance(each, str) else json.dumps(each)}`" for each in values)


def _kind(schema: Mapping[str, Any]) -> str:
    kinds: str | list[str] = schema["type"]
    listed = [kinds] if isinstance(kinds, str) else kinds
    return next(kind for kind in listed if kind != "null")
