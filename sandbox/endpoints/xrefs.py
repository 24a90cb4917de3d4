"""Cross-references: ids of the old API (V2) and the records that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.endpoints.campaigns import CAMPAIGNS
from sandbox.endpoints.contacts import CONTACTS
from sandbox.server.parameters import ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.account import Record
    from sandbox.server.routing import Call


@CONTACTS.get(
    "/contacts/contact_id_xrefs",
    privilege="contacts:read",
    parameters={"sequence_ids": ids(500)},
    required=("sequence_ids",),
)
def contact_id_xrefs(call: Call) -> Record:
    """Look up contacts."""
    found = _found(call.account.v2_contact_ids, call.query["sequence_ids"])
    return {"xrefs": [{"sequence_id": old, "contact_id": new} for old, new in found]}


@CONTACTS.get(
    "/contact_lists/list_id_xrefs",
    privilege="contacts:lists:read",
    parameters={"sequence_ids": ids(500)},
    required=("sequence_ids",),
)
def list_id_xrefs(call: Call) -> Record:
    """Look up contact lists."""
    found = _found(call.account.v2_list_ids, call.query["sequence_ids"])
    return {"xrefs": [{"sequence_id": old, "list_id": new} for old, new in found]}


@CAMPAIGNS.get(
    "/emails/campaign_id_xrefs",
    privilege="campaign:read",
    parameters={"v2_email_campaign_ids": ids(50)},
    required=("v2_email_campaign_ids",),
)
def campaign_id_xrefs(call: Call) -> Record:
    """Look up campaigns and their primary activities."""
    found = _found(call.account.v2_campaign_ids, call.query["v2_email_campaign_ids"])
    return {
        "xrefs": [
            {
                "v2_email_campaign_id": old,
                "campaign_id": new,
                "campaign_activity_id": call.account.activity(new, "primary_email")[
                    "campaign_activity_id"
                ],
            }
            for old, new in found
        ]
    }


def _found(known: Mapping[str, str], requested: Iterable[str]) -> list[tuple[str, str]]:
    """Return known ids in ascending order (documented); skip unknown ones (assumed)."""
    return [(old, known[old]) for old in sorted(requested) if old in known]
