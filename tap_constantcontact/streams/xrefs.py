"""V3 ids for ids of the V2 API, which settings name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import StreamNotes

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context


class Xrefs(ConstantContactStream):
    """V3 ids for V2 ids, many in each request.

    Attributes:
        setting: The setting with the V2 ids.
        ids_param: The query parameter for them.
        ids_per_request: The maximum number of ids in a request (contract).
    """

    records_key = "xrefs"
    primary_keys = ("sequence_id",)
    setting: ClassVar[str]
    ids_param: ClassVar[str] = "sequence_ids"
    ids_per_request: ClassVar[int] = 500
    selected_by_default = False
    notes = StreamNotes(cost="1 for 500 ids")

    @override
    def request_contexts(self, context: Context | None) -> Iterator[Context]:
        """Yield the V2 ids of the setting, many for each request."""
        ids = list(dict.fromkeys(self.config.get(self.setting, [])))
        for start in range(0, len(ids), self.ids_per_request):
            some = ",".join(ids[start : start + self.ids_per_request])
            yield {"params": {self.ids_param: some}}


class ContactIdXrefs(Xrefs):
    """The contact that a V2 id stands for (getContactIdXrefs)."""

    name = "contact_id_xrefs"
    path = "/contacts/contact_id_xrefs"
    setting = "v2_contact_ids"
    scopes = ("contact_data",)
    privileges = ("contacts:read",)
    notes = StreamNotes(reads="all ids in `v2_contact_ids`, in every run")


class ListIdXrefs(Xrefs):
    """The contact list that a V2 id stands for (getListIdXrefs)."""

    name = "list_id_xrefs"
    path = "/contact_lists/list_id_xrefs"
    setting = "v2_list_ids"
    scopes = ("contact_data",)
    privileges = ("contacts:lists:read",)
    notes = StreamNotes(reads="all ids in `v2_list_ids`, in every run")


class CampaignIdXrefs(Xrefs):
    """The campaign that a V2 id stands for (retrieveXrefMappingsUsingGET)."""

    name = "campaign_id_xrefs"
    path = "/emails/campaign_id_xrefs"
    primary_keys = ("v2_email_campaign_id",)
    setting = "v2_email_campaign_ids"
    ids_param = "v2_email_campaign_ids"
    ids_per_request = 50
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    notes = StreamNotes(
        reads="all ids in `v2_email_campaign_ids`, in every run", cost="1 for 50 ids"
    )
