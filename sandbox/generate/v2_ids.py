"""Generate the ids that older contacts, lists and campaigns had in the old API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.account import Account


def add_v2_ids(account: Account) -> None:
    """Give the older half of all records an id of the old API."""
    account.v2_contact_ids = _older_half(account.contacts, 1_775_000_000)
    account.v2_list_ids = _older_half(account.lists, 1_995_000_000)
    account.v2_campaign_ids = _older_half(account.campaigns, 1_100_567_546_598)


def _older_half(ids: Collection[str], start: int) -> dict[str, str]:
    half = list(ids)[: (len(ids) + 1) // 2]
    return {str(start + 7 * number): id_ for number, id_ in enumerate(half)}
