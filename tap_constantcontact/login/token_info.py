"""Which account a token belongs to, what it is allowed to do, and when it expires."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import requests

from tap_constantcontact.auth import parse_claims
from tap_constantcontact.exceptions import Forbidden, Refused
from tap_constantcontact.login.scopes import OFFLINE_ACCESS, GrantedPermissions, account_streams
from tap_constantcontact.streams.account import Account, AccountUserPrivileges
from tap_constantcontact.tap import TapConstantContact

# A refresh token expires after so long without use (observed: the vendor's support).
_MAX_UNUSED = timedelta(days=180)
_MINUTE = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True)
class TokenInfo:
    """A token that the API accepts.

    Attributes:
        account: Name and ID of its account; empty if the token isn't allowed to read them.
        granted: What it is allowed to do.
        expires_at: When the access token expires, if known.
        issued_at: When it was issued, if known.
    """

    account: str
    granted: GrantedPermissions
    expires_at: datetime | None
    issued_at: datetime | None


def fetch_token_info(tap: TapConstantContact, *, with_privileges: bool) -> TokenInfo:
    """Request the account, and return what is known about the token in the settings.

    Args:
        tap: A tap with a login; an expired access token is refreshed.
        with_privileges: Whether to request the user's privileges too.

    Raises:
        FatalAPIError: The token is not accepted; the message says why.
        RetriableAPIError: The API failed.
    """
    account = _fetch_account(tap)
    privileges = _fetch_privileges(tap) if with_privileges else None
    claims = parse_claims(_access_token(tap))
    scopes = claims.get("scp")  # found by decoding the token in the vendor's guide
    granted_scopes = frozenset(scopes) if isinstance(scopes, list) else None
    return TokenInfo(
        account=account,
        granted=GrantedPermissions(granted_scopes, privileges),
        expires_at=_datetime(claims.get("exp")),
        issued_at=_datetime(claims.get("iat")),
    )


def report(tap: TapConstantContact, token: TokenInfo) -> Iterable[str]:
    """Yield the lines of a report on a token.

    Args:
        tap: The tap that the token belongs to.
        token: The token.
    """
    granted = token.granted
    scopes = "unknown" if granted.scopes is None else " ".join(sorted(granted.scopes))
    valid = f"valid until {token.expires_at:{_MINUTE}}" if token.expires_at else "valid"
    yield f"Account        {token.account or 'unknown (requires the scope account_read)'}"
    yield f"Scopes         {scopes or 'none'}"
    yield f"Access token   {valid}"
    if "refresh_token" in tap.config:
        yield f"Refresh token  {_refresh_token_validity(token)}"
    streams = account_streams(tap)
    missing = {stream.name: granted.missing_for(stream) for stream in streams}
    readable = [name for name, permission in missing.items() if not permission]
    yield f"Streams        {len(readable)} of {len(streams)} can be read"
    for permission in sorted(set(filter(None, missing.values()))):
        names = [name for name, required in missing.items() if required == permission]
        yield f"  requires {permission}: {', '.join(names)}"
    if granted.scopes is None or granted.privileges is None:
        yield "  not all permissions are known: tap-constantcontact --test tries each stream"


def _refresh_token_validity(token: TokenInfo) -> str:
    scopes = token.granted.scopes
    if scopes is not None and OFFLINE_ACCESS not in scopes:
        return f"none (requires the scope {OFFLINE_ACCESS})"
    expiry = f"expires after {_MAX_UNUSED.days} days without use"
    if token.issued_at is None:
        return f"valid; {expiry}"
    return f"valid; {expiry}, on {token.issued_at + _MAX_UNUSED:%Y-%m-%d} if no run uses it"


def _fetch_account(tap: TapConstantContact) -> str:
    """Return name and ID of the account; empty if the token isn't allowed to read them."""
    try:
        summary = tap.stream(Account).details.get(Account.path)
    except Forbidden:
        return ""
    name = summary.get("organization_name") or "without a name"
    return f"{name} ({summary.get('encoded_account_id')})"


def _fetch_privileges(tap: TapConstantContact) -> frozenset[str] | None:
    """Return the user's privileges; None if they can't be read."""
    try:
        rows = tap.stream(AccountUserPrivileges).details.get(AccountUserPrivileges.path)
    except Refused:
        return None
    return frozenset(str(row.get("privilege_name")) for row in rows)


def _access_token(tap: TapConstantContact) -> str:
    signed = tap.api.login(requests.Request("GET", tap.api.url).prepare())
    return str(signed.headers.get("Authorization", "")).removeprefix("Bearer ")


def _datetime(timestamp: Any) -> datetime | None:
    if not isinstance(timestamp, (int, float)):
        return None
    return datetime.fromtimestamp(timestamp, timezone.utc)
