"""Social profiles, connections and hashtag groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.notes import StreamNotes

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class SocialProfiles(ConstantContactStream):
    """A profile on a social network (getSocialProfilesUsingGET)."""

    name = "social_profiles"
    path = "/social/profiles"
    params = {"include": "accessible"}
    primary_keys = ("profile_id",)
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    selected_by_default = False
    notes = StreamNotes(cost="1 for each page", limitations="deleted ones: their rows stay")


class SocialConnections(ConstantContactStream):
    """A connection to an account on a social network (getSocialConnectionsUsingGET)."""

    name = "social_connections"
    path = "/social/connections"
    records_key = "connections"
    primary_keys = ("network", "network_account_id")
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    selected_by_default = False
    notes = StreamNotes(cost="1 for each page", limitations="deleted ones: their rows stay")

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Copy the key from account_info to the top level."""
        info = row.get("account_info")
        if isinstance(info, dict):
            row = {**{key: info.get(key) for key in self.row_key}, **row}
        return super().post_process(row, context)


class SocialHashtagGroups(ConstantContactStream):
    """A group of hashtags (getSocialHashtagGroupsUsingGET)."""

    name = "social_hashtag_groups"
    path = "/social/hashtags/groups"
    records_key = "hashtag_groups"
    params = {"limit": 5}
    primary_keys = ("hashtag_group_id",)
    scopes = ("campaign_data",)
    privileges = ("campaign:read",)
    selected_by_default = False
    notes = StreamNotes(limitations="deleted ones: their rows stay")
