"""Generate events and registrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.account.clock import DAY, HOUR, seconds, stamp, stamp_ms
from sandbox.generate.sampling import between

if TYPE_CHECKING:
    from sandbox.account import Account, Record

EVENTS = (  # name, status, days from now
    ("Spring tasting", "COMPLETE", -300),
    ("Bread baking class", "COMPLETE", -120),
    ("Soirée jazz 🎷", "CANCELLED", -60),
    ("Summer party", "ACTIVE", 14),
    ("Open house", "ACTIVE", 40),
    ("Reunion", "DRAFT", 90),
    ("Test event", "DELETED", -200),
)
MAX_REGISTRATIONS = 12
PRICE = 25.0
REGISTRATION_STATUSES = ("REGISTERED", "REGISTERED", "REGISTERED", "PENDING", "CANCELED")
PAYMENTS = {"REGISTERED": "PAID", "PENDING": "PENDING", "CANCELED": "REFUNDED"}


def add_events(account: Account, last: int) -> None:
    """Add events of every status, and registrations for those that were published."""
    for name, status, days in EVENTS:
        event_id = add_event(account, name, status, account.now() + days * DAY)
        if status in ("COMPLETE", "ACTIVE"):
            _add_registrations(account, event_id, last + min(0, days) * DAY)
        if status == "COMPLETE":
            check_in(account, event_id)


def add_event(
    account: Account,
    name: str,
    status: str,
    starts: int,
    *,
    title: str = "",
    created: int = 0,
) -> str:
    """Add an event without registrations.

    Args:
        account: The account to add it to.
        name: Its name.
        status: Its status.
        starts: When it starts; it lasts three hours.
        title: Its title; "" = the name, with a year.
        created: When it was created; 0 = about a year earlier.

    Returns:
        The `event_id`.
    """
    event_id = account.new_id()
    created = created or min(starts, account.now() - HOUR) - 330 * DAY
    moments = {"create_time": stamp_ms(created), "last_update_time": stamp_ms(created + DAY)}
    account.registrations[event_id] = {}
    account.events[event_id] = {
        "description": f"{name} at the Café Olé.",
        "title": title or f"{name} 2025",
        "name": name,
        "event_id": event_id,
        "campaign_id": event_id,  # they are the same (documented)
        "event_start": stamp(starts),
        "event_end": stamp(starts + 3 * HOUR),
        "event_type": "FOOD_AND_DRINK",
        "eso": "001wQREZJ98vGM_rGt-fbtpGw==",
        "contact": _organizer(moments),
        **moments,
        **_milestones(status, created),
        "address": _address(moments),
        "currency_type": "USD",
        "default_track": _track(account, moments, starts),
        "display_contact_flag": True,
        "display_end_time_flag": True,
        "display_on_calendar_flag": False,
        "display_time_zone_flag": True,
        "event_calendar_url": "https://events.example.com/ev/calendar/001wQREZJ98vGM",
        "event_metadata": {
            "items_enabled": True,
            "paid_event": True,
            "promo_codes_enabled": True,
        },
        "event_code": f"EVENT{len(account.events)}",
        "event_promotions": [
            {
                "assoc_activity_sub_type": "EMAIL_INVITATION",
                "campaign_activity_id": account.new_id(),
                "document_id": account.new_id(),
                "ext_id": account.new_id(),
                "default": True,
            }
        ],
        "event_settings": {
            "event_requires_payments": True,
            "item_configured": True,
            "online_payment_configured": True,
            "payment_configured": True,
            "promo_code_configured": True,
            "ticket_configured": True,
        },
        "event_widget_url": "https://events.example.com/widget/myevents.js",
        "failed_campaign_activities": [],
        "location_type": "PHYSICAL",
        "notify_owner_on_reg": True,
        "online_meeting": _online_meeting(moments),
        "registration_url": f"https://events.example.com/ev/reg/{event_id[:7]}",
        "status": status,
        "time_zone": "US/Eastern",
        "time_zone_abbreviation": "EST",
    }
    return event_id


def add_registration(account: Account, event_id: str, contact_id: str, at: int) -> str:
    """Let a contact register for an event.

    Returns:
        The `registration_id`.
    """
    registration_id = account.new_id()
    status = account.rng.choice(REGISTRATION_STATUSES)
    account.registrations[event_id][registration_id] = {
        "registration_id": registration_id,
        "contact_id": contact_id,
        "checkedIn_tickets": 0,
        "checkin_status": "NOT_CHECKED_IN",
        "eligible_checkin_tickets": 1,
        "registration_date": stamp_ms(at),
        "registration_status": status,
        "display_physical_tickets": True,
        "contact": _contact_fields(account.contacts[contact_id]),
        "tickets": [
            {
                "editable": False,
                "order_ticket_key": registration_id[:6],
                "price": PRICE,
                "ticket_name": "General Admission",
                "fields": [
                    {
                        **_field(1, "Menu", "CUSTOM_MENU", "vegan"),
                        "field_type": "SINGLE_SELECT",
                        "choices": ["vegan", "surprise me"],
                    }
                ],
            }
        ],
        "order_summary": _order(account, event_id, registration_id, status, at),
    }
    return registration_id


def _add_registrations(account: Account, event_id: str, until: int) -> None:
    """Let contacts register for an event, up to a given time."""
    contacts = account.contacts.values()
    known = [row["contact_id"] for row in contacts if row["created_at"] <= stamp(until)]
    count = min(MAX_REGISTRATIONS, len(known) // 3)
    for contact_id in account.rng.sample(known, count):
        since = max(until - 300 * DAY, seconds(account.contacts[contact_id]["created_at"]))
        add_registration(account, event_id, contact_id, between(account.rng, since, until))


def check_in(account: Account, event_id: str) -> None:
    """Check in registered contacts, except every fourth."""
    registrations = account.registrations[event_id].values()
    starts = seconds(account.events[event_id]["event_start"])
    holding = [row for row in registrations if row["registration_status"] == "REGISTERED"]
    for number, registration in enumerate(holding):
        if number % 4 != 3:  # noqa: PLR2004 - every fourth stays at home
            registration.update(checkedIn_tickets=1, checkin_status="CHECKED_IN")
            registration["tickets"][0]["checked_in_time"] = stamp_ms(starts)


def set_registration_status(registration: Record, status: str) -> None:
    """Change the status of a registration and its payment. It has no date of change."""
    registration["registration_status"] = status
    registration["order_summary"]["payment_status"] = PAYMENTS[status]


def _milestones(status: str, created: int) -> Record:
    milestones = {} if status == "DRAFT" else {"active_time": stamp_ms(created + DAY)}
    if status in ("CANCELLED", "DELETED"):
        milestones[f"{status.lower()}_time"] = stamp_ms(created + 9 * DAY)
    return milestones


def _organizer(moments: Record) -> Record:
    return {
        **moments,
        "email_address": "owner@example.com",
        "from_email_address": "news@example.com",
        "name": "Lola Zang",
        "organization_name": "Café Olé",
        "phone_number": "508 111 1212",
    }


def _online_meeting(moments: Record) -> Record:
    return {
        **moments,
        "enabled_flag": False,
        "instructions": "The link comes by email.",
        "label": "Join",
        "provider_type": "ZOOM",
        "url": "https://meet.example.com/abc-defg-hij",
    }


def _address(moments: Record) -> Record:
    return {
        "address_type": "EVENT",
        "line1": "123 Maple Street",
        "line2": "Unit 1",
        "city": "Boston",
        "country": "United States",
        "country_code": "US",
        **moments,
        "latitude": 42.629368,
        "longitude": -71.27594,
        "location_name": "Café Olé",
        "postal_code": "02451",
        "state": "Massachusetts",
        "state_code": "MA",
    }


def _track(account: Account, moments: Record, starts: int) -> Record:
    return {
        "campaign_activity_id": account.new_id(),
        "conf_email_campaign_activity_id": account.new_id(),
        **moments,
        "items_header": "Items",
        "media_assets": [
            {
                **moments,
                "external_id": "123456",
                "external_url": "https://files.example.com/banner.jpg",
                "internal_id": "ACCOUNT.IMAGE.7",
                "media_type": "BNR",
            }
        ],
        "overall_ticket_capacity": 100,
        "platform_fee_scope_type": "OWNER",
        "promo_codes": [_promo_code(moments, starts), _old_promo_code(moments, starts)],
        "reg_manually_closed_flag": False,
        "registration_end_time": stamp(starts),
        "registration_type": "TICKET",
        "restrict_to_single_ticket_flag": False,
        "tickets_header": "Tickets",
        "track_id": f"{account.rng.getrandbits(30):06x}"[:6],
        "items": [_item(moments, starts)],
    }


def _promo_code(moments: Record, starts: int) -> Record:
    return {
        "name": "WIN95",
        "start_time": moments["create_time"],
        "end_time": stamp_ms(starts),
        "description": "For regulars",
        "discount_code_scope": "ORDER_TOTAL",
        "discount_code_type": "PERCENT",
        "discount_percent": 20,
        "id": "123456",
        "items": [
            {
                "associated": True,
                "display_item_on_promo_redemption": True,
                "hidden_flag": False,
                "item_id": "ITEM123",
                "name": "T-shirt",
            }
        ],
        "paused_flag": False,
        "quantity_available": 500,
        "quantity_total": 500,
        "quantity_used": 0,
        "status": "AVAILABLE",
        "status_labels": [_label()],
        "tickets": [
            {
                "associated": False,
                "display_ticket_on_promo_redemption": True,
                "hidden_flag": False,
                "name": "General Admission",
                "ticket_id": "TICKET1",
                "ticket_type": "PAID",
            }
        ],
        "time_limit_flag": True,
    }


def _old_promo_code(moments: Record, starts: int) -> Record:
    """Return a deleted code that takes off an amount."""
    code = _promo_code(moments, starts)
    del code["discount_percent"]
    return {
        **code,
        "name": "TEN",
        "discount_code_type": "AMOUNT",
        "discount_amount": 10.0,
        "id": "123457",
        "deleted_time": moments["last_update_time"],
    }


def _item(moments: Record, starts: int) -> Record:
    counts = {"quantity_total": 100, "quantity_remaining": 60, "quantity_sold": 40}
    return {
        **moments,
        "deleted_time": moments["last_update_time"],
        "start_time": moments["create_time"],
        "end_time": stamp_ms(starts),
        "item_id": "ITEM123",
        "display_order": 1,
        "name": "T-shirt",
        "description": "With the cat.",
        "price": 15.5,
        **counts,
        "limit_per_order": 2,
        "show_remaining_flag": False,
        "paused_flag": False,
        "deletable_flag": True,
        "media_internal_id": "rqla5y1",
        "media_url": "https://files.example.com/shirt.jpg",
        "time_limit_flag": False,
        "hidden_flag": False,
        "status_labels": [_label()],
        "attributes": [
            {
                **moments,
                "deleted_time": moments["last_update_time"],
                "attribute_id": "attr123",
                "display_order": 1,
                "name": "Size L",
                **counts,
                "paused_flag": False,
                "status_labels": [_label()],
            }
        ],
    }


def _label() -> Record:
    return {"label": "Available", "label_key": "status_label.available"}


def _contact_fields(contact: Record) -> list[Record]:
    """Return the contact form of a registration: an array of fields (documented)."""
    fields = (
        ("First Name", "CONTACT_FIRST_NAME", contact.get("first_name")),
        ("Last Name", "CONTACT_LAST_NAME", contact.get("last_name")),
        (
            "Email Address",
            "CONTACT_EMAIL_ADDRESS",
            contact.get("email_address", {}).get("address"),
        ),
    )
    return [
        _field(order, label, name, value)
        for order, (label, name, value) in enumerate(fields, start=1)
        if value
    ]


def _field(order: int, label: str, name: str, value: str) -> Record:
    return {
        "display_order": order,
        "field_label": label,
        "field_name": name,
        "field_type": "TEXT",
        "label_key": f"registration.field.label.{name.lower()}",
        "field_value": value,
    }


def _order(account: Account, event_id: str, registration_id: str, status: str, at: int) -> Record:
    event = account.events[event_id]
    return {
        "details": [
            {
                "amount": f"${PRICE:.2f}",
                "amount_unformatted": PRICE,
                "line_item_type": "TICKET",
                "name": "General Admission",
            }
        ],
        "number": registration_id[-10:],
        "payment_method": "STRIPE",
        "payment_status": PAYMENTS[status],
        "payment_time": stamp_ms(at),
        "payment_transaction_id": account.new_id(),
        "tickets_link": f"{event['registration_url']}/registrations/{registration_id}/tickets",
        "tickets_text": f"Your tickets for {event['name']}.",
        "title": event["title"],
    }
