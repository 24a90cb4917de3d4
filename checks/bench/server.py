"""A server that responds immediately: pages are prepared, except for their ids and times.

It runs as its own process, `python -m checks.bench.server CONTACTS CAMPAIGNS`, and prints its port.
It has the endpoints of contacts, of campaigns and of their reports, and checks nothing.

Contacts were created over five years, the 500 of a page in the same hour.
"""

from __future__ import annotations

import json
import socketserver
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 500
ROWS_OF_A_REPORT = 20
_NEWEST = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
_FIVE_YEARS_OF_HOURS = 5 * 365 * 24
_HOUR = timedelta(hours=1)
# Placeholders that are replaced for each page, of the same length as their values.
_GROUP, _CREATED = "%GROUP%%", "%THIS HOUR%%%"


def contact(number: int) -> dict[str, Any]:
    """Generate a contact of 1.2 KB. Some have an address, a note or SMS.

    Args:
        number: Its position on its page.
    """

    def made(name: str) -> str:
        return f"{_GROUP}-{number:04d}-4000-8000-{name:0>12}"

    created = f"{_CREATED}:{number * 7 // 60:02d}:{number * 7 % 60:02d}Z"
    updated = f"{_CREATED}:{59 - number % 50}:{number % 60:02d}Z"
    by = {"created_at": created, "updated_at": updated}
    sources = {"create_source": "Account", "update_source": "Contact"}
    row: dict[str, Any] = {
        "contact_id": made("0"),
        "email_address": {
            "address": f"maria.{_GROUP}.{number}@example.com",
            "permission_to_send": "implicit",
            "created_at": created,
            "updated_at": updated,
            "opt_in_source": "Account",
            "opt_in_date": created,
            "confirm_status": "off",
        },
        "first_name": "Maria" if number % 4 else "Ольга",
        "last_name": "Fischer",
        "job_title": "Head of Sales",
        "company_name": "Fischer & Co.",
        "birthday_month": 1 + number % 12,
        "birthday_day": 1 + number % 28,
        "anniversary": "2012-11-15",
        "custom_fields": [
            {
                "custom_field_id": made("1"),
                "value": "Skoda Octavia" if number % 8 else "Two lines,\nwith an emoji 🌿",
            },
        ],
        "phone_numbers": [
            {"phone_number_id": made("3"), "phone_number": "555", "kind": "home", **by, **sources}
        ],
        "street_addresses": [],
        "list_memberships": [made("5"), made("6")],
        "taggings": [made("7")],
        "notes": [],
        **sources,
        **by,
    }
    if number % 4 == 0:
        row["street_addresses"] = [
            {
                "street_address_id": made("4"),
                "kind": "home",
                "street": "1 Main Street",
                "city": "Springfield",
                "postal_code": "12345",
                "country": "United States",
                **by,
            }
        ]
    if number % 3 == 0:
        note = {"note_id": made("8"), "created_at": updated, "content": "Called, calls back."}
        row["notes"] = [note]
    if number % 7 == 0:
        consent = {"sms_consent_permission": "explicit", "opt_in_date": created, **by}
        row["sms_channel"] = {
            "sms_channel_id": made("9"),
            "sms_address": "7815550100",
            "sms_channel_consents": [consent],
        }
    return row


class Account:
    """The content of the responses. Bodies are bytes that take hardly any time."""

    def __init__(self, contacts: int, campaigns: int) -> None:
        """Prepare the pages.

        Args:
            contacts: Number of contacts, in full pages.
            campaigns: Number of campaigns, each with one activity that was sent.
        """
        self.pages = contacts // PAGE
        self.campaigns = campaigns
        self._step = max(1, _FIVE_YEARS_OF_HOURS // max(1, self.pages)) * _HOUR
        rows = [contact(number) for number in range(PAGE)]
        self._rows = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()

    def respond(self, target: str) -> bytes:
        """Return the body of a response."""
        url = urlsplit(target)
        path = url.path.removeprefix("/v3/")
        params = {name: values[0] for name, values in parse_qs(url.query).items()}
        if path == "contacts":
            return self._contacts(params)
        return json.dumps(self._campaigns(path, int(params.get("cursor", 0)))).encode()

    def _contacts(self, params: dict[str, str]) -> bytes:
        """Return a page of the contacts that were created in a period, newest first."""
        first, last = int(params.get("first", 0)), int(params.get("last", self.pages))
        if "first" not in params:
            if "created_before" in params:
                first = max(0, self._page_before(params["created_before"]))
            if "created_after" in params:
                last = min(last, self._page_before(params["created_after"]))
            if {"updated_after", "optout_after"} & params.keys():
                last = first
        more = first + 1 < last
        link = {"next": {"href": f"/v3/contacts?limit=500&first={first + 1}&last={last}"}}
        rest = {"contacts_count": max(0, last - first) * PAGE, "_links": link if more else {}}
        rows = self._page(first) if first < last else b"[]"
        return b'{"contacts":' + rows + b"," + json.dumps(rest).encode()[1:]

    def _page_before(self, moment: str) -> int:
        """Return the first page whose contacts were created before a moment."""
        return (_NEWEST - datetime.fromisoformat(moment.replace("Z", "+00:00"))) // self._step + 1

    def _page(self, number: int) -> bytes:
        created = (_NEWEST - number * self._step).isoformat()[: len(_CREATED)]
        return self._rows.replace(_GROUP.encode(), b"%08d" % number).replace(
            _CREATED.encode(), created.encode()
        )

    def _campaigns(self, path: str, cursor: int) -> Any:  # noqa: PLR0911 - a table of endpoints
        parts = path.split("/")
        match parts:
            case ["emails"]:
                return self._listed("campaigns", cursor, _campaign)
            case ["emails", "activities", activity]:
                return _activity(activity)
            case ["emails", campaign]:
                return _campaign(int(campaign[-12:]))
            case ["reports", "summary_reports", _]:
                return self._listed("bulk_email_campaign_summaries", cursor, _summary)
            case ["reports", "stats", kind, ids]:
                name = "campaign_id" if kind == "email_campaigns" else "campaign_activity_id"
                return {"results": [{name: id_, "stats": _COUNTS} for id_ in ids.split(",")]}
            case ["reports", "email_reports", activity, "links"]:
                return {"link_click_counts": []}
            case ["reports", "email_reports", activity, "tracking", kind]:
                return {"tracking_activities": list(_report(activity, kind))}
        return {}

    def _listed(self, name: str, cursor: int, make: Any) -> dict[str, Any]:
        end = min(cursor + PAGE, self.campaigns)
        link = {"next": {"href": f"?limit=500&cursor={end}"}} if end < self.campaigns else {}
        return {name: [make(number) for number in range(cursor, end)], "_links": link}


_COUNTS = {"em_sends": 20, "em_opens": 20, "em_opens_uu": 20, "em_clicks": 20, "em_bounces": 20}


def _id(kind: str, number: int) -> str:
    return f"{kind:0>8}-0000-4000-8000-{number:012d}"


def _campaign(number: int) -> dict[str, Any]:
    moment = f"{(_NEWEST + number * _HOUR).isoformat()[:19]}.000Z"
    activity = {"campaign_activity_id": _id("a", number), "role": "primary_email"}
    return {
        "campaign_id": _id("c", number),
        "name": f"Spring is here #{number}",
        "current_status": "Done",
        "type": "NEWSLETTER",
        "type_code": 10,
        "created_at": moment,
        "updated_at": moment,
        "campaign_activities": [activity],
    }


def _summary(number: int) -> dict[str, Any]:
    sent = f"{(_NEWEST + number * _HOUR).isoformat()[:19]}.000Z"
    counts = {"sends": 20, "opens": 20, "clicks": 20, "bounces": 20}
    return {"campaign_id": _id("c", number), "last_sent_date": sent, "unique_counts": counts}


def _activity(activity: str) -> dict[str, Any]:
    return {
        "campaign_activity_id": activity,
        "campaign_id": _id("c", int(activity[-12:])),
        "role": "primary_email",
        "subject": "Spring is here",
        "html_content": "<html>" + 40 * "<p>Some words about spring.</p>" + "</html>",
    }


def _report(activity: str, kind: str) -> Iterator[dict[str, Any]]:
    for number in range(ROWS_OF_A_REPORT):
        yield {
            "contact_id": _id("d", number),
            "campaign_activity_id": activity,
            "tracking_activity_type": kind,
            "email_address": f"maria.{number}@example.com",
            "created_time": f"2024-05-01T10:{number:02d}:00.000Z",
            "url_id": "1",
            "link_url": "https://example.com/spring",
        }


class _Connection(socketserver.StreamRequestHandler):
    """Responds to the requests of a connection until it is closed."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Read a request's first line and headers, and send the response in one piece."""
        while line := self.rfile.readline():
            while self.rfile.readline() not in {b"\r\n", b""}:
                pass
            target = line.split()[1].decode()
            body = self.server.account.respond(target)  # type: ignore[attr-defined]
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"Date: {formatdate(usegmt=True)}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            self.wfile.write(head.encode() + body)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main() -> None:
    """Serve until the process is terminated."""
    with _Server(("127.0.0.1", 0), _Connection) as server:
        server.account = Account(*map(int, sys.argv[1:]))  # type: ignore[attr-defined]
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
