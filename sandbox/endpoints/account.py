"""The account and its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.options import PRIVILEGES
from sandbox.server.parameters import choice, choices, text
from sandbox.server.routing import JsonResponse, Service, without

if TYPE_CHECKING:
    from sandbox.account import Record
    from sandbox.server.routing import Call

ACCOUNT = Service("accounts.api", "account_read")
USER = Service("accounts.api", None)

EXTRA_FIELDS = ("physical_address", "company_logo")


@USER.get("/account/user/privileges")
def user_privileges(call: Call) -> list[Record]:
    """List all privileges of the user, whether this API uses them or not (documented)."""
    return [
        {"privilege_id": number, "privilege_name": name}
        for number, name in enumerate(PRIVILEGES, start=30)
        if name in call.options.privileges
    ]


@ACCOUNT.get(
    "/account/summary",
    privilege="account:read",
    parameters={"extra_fields": choices(*EXTRA_FIELDS)},
)
def summary(call: Call) -> Record:
    """Show the account."""
    excluded = set(EXTRA_FIELDS) - call.query.get("extra_fields", set())
    if not call.options.company_logo:
        excluded |= {"company_logo"}
    return without(call.account.summary, excluded)


@ACCOUNT.get("/account/summary/company_logo", privilege="account:read")
def company_logo(call: Call) -> Record | JsonResponse:
    """Show the logo of the account; 204 without a body if it has none (documented)."""
    if not call.options.company_logo:
        return JsonResponse(204, None)
    logo: Record = ACCOUNT.find(call.account.summary, "company_logo", "company_logo")
    return logo


@ACCOUNT.get("/account/summary/physical_address", privilege="account:read")
def physical_address(call: Call) -> Record:
    """Show the address of the account; 404 if it has none (assumed)."""
    return ACCOUNT.find(call.account.summary, "physical_address", "physical_address")


@ACCOUNT.get(
    "/account/emails",
    privilege="account:read",
    parameters={
        "confirm_status": choice("CONFIRMED", "C", "UNCONFIRMED", "U"),
        "role_code": choice(
            *("CONTACT", "C", "BILLING", "B", "JOURNALING", "J", "REPLY_TO", "R", "OTHER", "O")
        ),
        "email_address": text,
    },
)
def emails(call: Call) -> list[Record]:
    """List the email addresses of the owner, by at most one filter (documented)."""
    if len(call.query) > 1:
        raise ACCOUNT.invalid(" and ".join(call.query))
    return [email for email in call.account.emails if _fits(email, call)]


def _fits(email: Record, call: Call) -> bool:
    # A single letter is short for the word that begins with it (documented).
    return (
        email["confirm_status"].startswith(call.query.get("confirm_status", ""))
        and any(role.startswith(call.query.get("role_code", "")) for role in [*email["roles"], ""])
        and call.query.get("email_address", email["email_address"]) == email["email_address"]
    )
