"""Generate email campaigns, and send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, HOUR, day, stamp_ms
from sandbox.generate import sample_values
from sandbox.generate.sampling import between, chance, sample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.account import Account, Record

CAMPAIGN_STATUSES = (
    "Done", "Draft", "Done", "Removed", "Done", "Scheduled",
    "Done", "Done", "Error", "Done", "Executing", "Done",
)  # fmt: skip
CAMPAIGN_TYPES = {  # by type_code
    10: "NEWSLETTER",
    26: "CUSTOM_CODE_EMAIL",
    11: "ANNOUNCEMENT",
    22: "SALE_PROMOTION",
    57: "AB_TEST",
}
AB_TEST = 57


def add_campaign(
    account: Account, created: int, status: str = "Draft", *, resend: bool = False
) -> str:
    """Add a campaign, and send it if its status says so.

    Args:
        account: The account to add it to.
        created: When it was created; it is sent, scheduled or removed soon after.
        status: Its status, in the spelling of campaigns (Done, not DONE).
        resend: Whether it is resent to contacts who did not open it.

    Returns:
        The `campaign_id`.
    """
    number = len(account.campaigns)
    subject = sample_values.SUBJECTS[number % len(sample_values.SUBJECTS)]
    name = f"{subject} #{number + 1}"  # unique in an account (documented)
    if account.ideas:
        name = subject = account.ideas.pop(0)
    roles = ("primary_email", "permalink", "resend")[: 3 if resend else 2]
    type_code = list(CAMPAIGN_TYPES)[number % len(CAMPAIGN_TYPES)]
    campaign = create_campaign(account, created, name, subject, type_code, roles=roles)
    _add_ab_test_and_resend(account, campaign, number)
    _apply_status(account, campaign["campaign_id"], status, created, resend=resend)
    return str(campaign["campaign_id"])


def create_campaign(
    account: Account,
    created: int,
    name: str,
    subject: str,
    type_code: int,
    *,
    roles: Iterable[str] = ("primary_email", "permalink"),
) -> Record:
    """Add the draft of a campaign, with an activity for each role.

    Args:
        account: The account to add it to.
        created: When it was created.
        name: Its name, unique in an account (documented).
        subject: The subject of its emails.
        type_code: One of `CAMPAIGN_TYPES`.
        roles: The roles of its activities.
    """
    campaign: Record = {
        "campaign_activities": [],
        "campaign_id": account.new_id(),
        "created_at": stamp_ms(created),
        "current_status": "Draft",
        "name": name,
        "type": CAMPAIGN_TYPES[type_code],
        "type_code": type_code,
        "updated_at": stamp_ms(created),
    }
    account.campaigns[campaign["campaign_id"]] = campaign
    for role in roles:
        _add_activity(account, campaign, role, subject)
    return campaign


def _apply_status(
    account: Account, campaign_id: str, status: str, created: int, *, resend: bool
) -> None:
    last = account.now() - HOUR
    at = between(account.rng, created, min(created + 3 * DAY, last))
    if status == "Done":
        account.send_campaign(campaign_id, at)
        if len(account.campaigns) % 4 == 3:  # noqa: PLR2004 - every fourth is later sent to more lists
            account.send_to_all_lists(campaign_id, min(at + DAY, last))
        if resend:
            account.resend_campaign(campaign_id, min(at + 4 * DAY, last))
    elif status != "Draft":
        account.set_status(campaign_id, status, at)
    if status == "Scheduled":
        _schedule(account, campaign_id)


def _add_ab_test_and_resend(account: Account, campaign: Record, number: int) -> None:
    """Give the primary activity of a draft its A/B test and resend."""
    primary_id = campaign["campaign_activities"][0]["campaign_activity_id"]
    if campaign["type_code"] == AB_TEST:
        account.ab_tests[primary_id] = {
            "alternative_subject": f"Or: {campaign['name']}",
            "test_size": 20,
            "winner_wait_duration": 24,
        }
    if number % 2:  # the delay is in days or in minutes (documented)
        account.resends[primary_id] = {
            "resend_subject": f"Again: {campaign['name']}",
            **({"delay_minutes": 1000} if number % 4 == 1 else {"delay_days": 3}),
            "resend_request_id": "DRAFT",
            "resend_status": "DRAFT",
        }


def _schedule(account: Account, campaign_id: str) -> None:
    primary = account.activity(campaign_id, "primary_email")
    at = account.now() + 3 * DAY
    # A plain date is valid as well (documented).
    text = stamp_ms(at) if len(account.campaigns) % 4 == 2 else day(at)  # noqa: PLR2004
    account.schedules[primary["campaign_activity_id"]] = text


def _add_activity(account: Account, campaign: Record, role: str, subject: str) -> None:
    number = len(account.activities)
    activity_id = account.new_id()
    reference = {"campaign_activity_id": activity_id, "role": role}
    activity = {**reference, "campaign_id": campaign["campaign_id"]}
    format_type = (5, 4, 1)[number // 2 % 3]
    if format_type == 4:  # noqa: PLR2004 - the fourth generation editor keeps documents
        activity["document_id"] = reference["document_id"] = account.new_id()
    activity.update(_content(account, subject, format_type))
    campaign["campaign_activities"].append(reference)
    account.activities[activity_id] = activity
    if role == "permalink" and number % 4 == 1:
        account.unreadable.add(activity_id)


def _content(account: Account, subject: str, format_type: int) -> Record:
    rng = account.rng
    email_list_ids = [id_ for id_, kinds in account.list_channels.items() if "email" in kinds]
    unfinished = chance(rng, 0.2)
    content: Record = {
        "contact_list_ids": sample(rng, email_list_ids, 4),
        "segment_ids": [],
        "current_status": "DRAFT",
        "format_type": format_type,
        "from_email": "news@example.com",
        # Null in some drafts (observed); sending fills them in.
        "from_name": None if unfinished else "Café Olé",
        "reply_to_email": "owner@example.com",
        "subject": None if unfinished else subject,
        "physical_address_in_footer": {
            "address_line1": "123 Maple Street",
            "address_line2": "Unit 1",
            "address_line3": "In the yard",
            "address_optional": "Beside the fire station",
            "city": "Boston",
            "country_code": "US",
            "country_name": "United States",
            "organization_name": "Café Olé",
            "postal_code": "02451",
            "state_code": "MA",
            "state_name": "Massachusetts",
        },
    }
    if format_type in (1, 5):  # only custom code emails have HTML content (documented)
        content["html_content"] = f"<html><body>[[trackingImage]]<p>{subject}</p></body></html>"
    if format_type == 1:  # only legacy ones have properties; booleans are texts (documented)
        content["document_properties"] = {
            "letter_format": "XHTML",
            "style_content": ".white{color: #ffffff;}",
            "text_content": "<Text><Greeting/></Text>",
            "greeting_salutation": "Dear",
            "greeting_name_type": "F",
            "greeting_secondary": "Greetings!",
            "permission_reminder_enabled": "true",
            "permission_reminder": "You get this because you asked for it.",
            "view_as_webpage_enabled": "false",
            "view_as_webpage_text": "Having trouble?",
            "view_as_webpage_link_name": "See it as a web page",
            "subscribe_link_enabled": "true",
            "subscribe_link_name": "Subscribe",
            "forward_email_link_enabled": "true",
            "forward_email_link_name": "Forward",
        }
    else:
        content["preheader"] = "You don't want to miss this."
    return content
