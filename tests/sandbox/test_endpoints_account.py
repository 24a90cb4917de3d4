"""The account and its owner."""

from __future__ import annotations

from sandbox_client import (
    Client,
)

pytest_plugins = ["sandbox_fixtures"]


def test_account_emails_filters_select_rows(client: Client) -> None:
    def ids(**query: str) -> list[int]:
        return [row["email_id"] for row in client.json("/account/emails", **query)]

    assert ids() == [1, 2, 3]
    assert ids(confirm_status="CONFIRMED") == ids(confirm_status="C") == [1, 2]
    assert ids(confirm_status="UNCONFIRMED") == [3]
    assert ids(role_code="BILLING") == ids(role_code="B") == [1]
    assert ids(role_code="OTHER") == [2]
    assert ids(email_address="news@example.com") == [2]
