"""A small client of the sandbox: it logs in, sends requests, and follows next links."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import requests
from typing_extensions import Self

from sandbox import Sandbox
from sandbox.endpoints.account import EXTRA_FIELDS
from sandbox.endpoints.campaigns import INCLUDED
from sandbox.endpoints.contacts import SUB_RESOURCES

CONTACTS_INCLUDE = ",".join(SUB_RESOURCES)
ACTIVITIES_INCLUDE = ",".join(INCLUDED)
ACCOUNT_INCLUDE = ",".join(EXTRA_FIELDS)
TRACKING = "/reports/email_reports/{sent}/tracking/"
LANDING_PAGES = "/reports/landing_pages/campaign_details/{page}/"
CONTACT_REPORTS = "/reports/contact_reports/{reader}/"
ALL_TYPES = {"tracking_activities_list": "em_sends,em_opens,em_clicks"}
USUAL = {"contacts": 60, "campaigns": 12, "seed": 7, "requests_per_second": 0}


class Client:
    """A sandbox, and a session that is logged in to it."""

    def __init__(self, **options: Any) -> None:
        self.sandbox = Sandbox(**{**USUAL, **options})
        self.session = requests.Session()
        self.partner_headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.sandbox.start()
        if not self.sandbox.options.public_client:
            self.log_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.sandbox.stop()

    def log_in(self) -> requests.Response:
        response = self.refresh(self.sandbox.refresh_token)
        token = response.json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"
        return response

    def refresh(self, refresh_token: str, **kwargs: Any) -> requests.Response:
        settings = self.sandbox.settings
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        kwargs.setdefault("auth", (settings["client_id"], settings.get("client_secret", "")))
        form.update(kwargs.pop("form", {}))
        return requests.post(settings["auth_url"], data=form, timeout=5, **kwargs)

    def get(self, path: str, **query: Any) -> requests.Response:
        """Request a path below /v3, or a link as it came."""
        headers = self.partner_login() if "/partner/" in path else {}
        url = path
        if not path.startswith("http"):
            url = self.sandbox.url + ("" if path.startswith("/v3/") else "/v3") + path
        return self.session.get(url, params=query, headers=headers, timeout=5)

    def partner_login(self) -> dict[str, str]:
        if not self.partner_headers:
            settings = self.sandbox.partner_settings
            response = requests.post(
                settings["partner_auth_url"],
                data={"grant_type": "client_credentials"},
                auth=(settings["partner_client_id"], settings["partner_client_secret"]),
                timeout=5,
            )
            self.partner_headers = {
                "Authorization": f"Bearer {response.json()['access_token']}",
                "x-api-key": settings["partner_api_key"],
            }
        return self.partner_headers

    def json(self, path: str, **query: Any) -> Any:
        response = self.get(path, **query)
        # Automations response 209, the contract says.
        assert response.status_code == (209 if path == "/automations/workflows" else 200), (
            response.text
        )
        return response.json()

    def get_all(self, path: str, records: str, **query: Any) -> list[dict[str, Any]]:
        body = self.json(path, **query)
        rows: list[dict[str, Any]] = body[records]
        while href := next_href(body):
            body = self.json(href)
            rows += body[records]
        return rows


def next_href(body: dict[str, Any]) -> str | None:
    href: str | None = ((body.get("_links") or {}).get("next") or {}).get("href")
    return href


def error_of(response: requests.Response) -> tuple[int, str]:
    body = response.json()
    return response.status_code, (body[0] if isinstance(body, list) else body)["error_key"]


def claims_of(response: requests.Response) -> dict[str, Any]:
    payload = response.json()["access_token"].split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims


def filled(client: Client, path: str) -> str:
    """Return a path with the ids of records that have many events."""
    account = client.sandbox.account
    sent = max(account.engagement, key=lambda id_: len(account.engagement[id_].opens))
    event = next(id_ for id_, rows in account.registrations.items() if rows)
    return path.format(
        sent=sent,
        page=next(iter(account.landing_pages)),
        reader=Counter(e.contact_id for e in account.engagement[sent].opens).most_common()[0][0],
        event=event,
        track=account.events[event]["default_track"]["track_id"],
    )


def stats_path(*ids: str) -> str:
    return "/reports/stats/email_campaigns/" + ",".join(ids)
