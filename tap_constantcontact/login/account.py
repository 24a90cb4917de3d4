"""Whose account a token is for, what it may do, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import requests

from tap_constantcontact.auth import claims_of
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Forbidden, Refused
from tap_constantcontact.login.scopes import OFFLINE_ACCESS, Rights, streams_of_account
from tap_constantcontact.streams.account import Account, AccountUserPrivileges
from tap_constantcontact.tap import TapConstantContact

# A refresh token dies when it was unused for so long (seen: the vendor's support).
_UNUSED = timedelta(days=180)
_MINUTE = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True)
class SignIn:
    """A token that the API takes.

    Attributes:
        account: name and id of its account; nothing where it may not be read.
        rights: what it may do.
        ends: when the access token ends, where it says so.
        begins: when it was given, where it says so.
    """

    account: str
    rights: Rights
    ends: datetime | None
    begins: datetime | None


def signed_in(tap: TapConstantContact, *, with_privileges: bool) -> SignIn:
    """Ask the API whose token the settings hold, in a request or two.

    Args:
        tap: a tap with a login; its token is replaced where it has ended.
        with_privileges: whether to ask for the privileges of the user too.

    Raises:
        FatalAPIError: the token is not taken; the message says why.
        RetriableAPIError: the API fails.
    """
    account = _account(tap)
    privileges = _privileges(tap) if with_privileges else None
    claims = claims_of(_access_token(tap))
    scopes = claims.get("scp")  # decoded from a token in the guide
    return SignIn(
        account=account,
        rights=Rights(frozenset(scopes) if isinstance(scopes, list) else None, privileges),
        ends=_moment(claims.get("exp")),
        begins=_moment(claims.get("iat")),
    )


def report(tap: TapConstantContact, sign_in: SignIn) -> Iterable[str]:
    """Yield what a sign-in is good for, a line each.

    Args:
        tap: the tap that it was found out with.
        sign_in: what was found out.
    """
    rights = sign_in.rights
    scopes = "not told" if rights.scopes is None else " ".join(sorted(rights.scopes))
    ends = f"{sign_in.ends:{_MINUTE}}" if sign_in.ends else "an end that it does not tell"
    yield f"Account        {sign_in.account or 'not told: that needs the scope account_read'}"
    yield f"Scopes         {scopes or 'none'}"
    yield f"Access token   until {ends}"
    if "refresh_token" in tap.config:
        yield f"Refresh token  {_life_of_refresh_token(sign_in)}"
    streams = streams_of_account(tap)
    lacking = {stream.name: rights.lacking(stream) for stream in streams}
    readable = [name for name, what in lacking.items() if not what]
    yield f"Streams        {len(readable)} of {len(streams)} may be read"
    for what in sorted(set(filter(None, lacking.values()))):
        yield f"  without {what}: not {', '.join(n for n, w in lacking.items() if w == what)}"
    if rights.scopes is None or rights.privileges is None:
        yield "  as far as is known: --test of the tap reads a record of each"


def _life_of_refresh_token(sign_in: SignIn) -> str:
    if sign_in.rights.scopes is not None and OFFLINE_ACCESS not in sign_in.rights.scopes:
        return f"none: that needs the scope {OFFLINE_ACCESS}"
    unused = f"unless it is unused for {_UNUSED.days} days"
    if sign_in.begins is None:
        return f"goes on, {unused}"
    return f"goes on, {unused}: without a run, until {sign_in.begins + _UNUSED:%Y-%m-%d}"


def _account(tap: TapConstantContact) -> str:
    """Return the name and the id of the account, or nothing where the token may not read them."""
    try:
        summary = _stream(tap, Account).details.get(Account.path)
    except Forbidden:
        return ""
    name = summary.get("organization_name") or "without a name"
    return f"{name} ({summary.get('encoded_account_id')})"


def _privileges(tap: TapConstantContact) -> frozenset[str] | None:
    """Return the privileges of the user, or None where they cannot be read."""
    try:
        rows = _stream(tap, AccountUserPrivileges).details.get(AccountUserPrivileges.path)
    except Refused:
        return None
    return frozenset(str(row.get("privilege_name")) for row in rows)


def _stream(tap: TapConstantContact, stream: type[ConstantContactStream]) -> ConstantContactStream:
    return tap.streams[vars(stream)["name"]]


def _access_token(tap: TapConstantContact) -> str:
    signed = tap.api.login(requests.Request("GET", tap.api.url).prepare())
    return str(signed.headers.get("Authorization", "")).removeprefix("Bearer ")


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, (int, float)):
        return None
    return datetime.fromtimestamp(value, timezone.utc)
