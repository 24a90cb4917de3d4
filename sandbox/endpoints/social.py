"""Social profiles, connections and hashtags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.parameters import choices, integer
from sandbox.server.routing import Service, without

if TYPE_CHECKING:
    from sandbox.account import Record
    from sandbox.server.routing import Call

SOCIAL = Service("social.api", "campaign_data")

HASHTAG_GROUPS_PATH = "/social/hashtags/groups"
MAX_GROUPS = 5
ACCESSIBLE = ("accessible", "settings")


@SOCIAL.get(
    "/social/profiles",
    privilege="campaign:read",
    parameters={"include": choices("accessible")},
)
def profiles(call: Call) -> list[Record]:
    """List profiles; whether they are accessible, and their settings, only if included."""
    excluded = () if "include" in call.query else ACCESSIBLE
    return [without(profile, excluded) for profile in call.account.social_profiles]


@SOCIAL.get("/social/connections", privilege="campaign:read")
def connections(call: Call) -> Record:
    """List the user's accounts on social networks."""
    return {"connections": call.account.social_connections}


@SOCIAL.get(
    HASHTAG_GROUPS_PATH,
    privilege="campaign:read",
    parameters={"limit": integer(1, MAX_GROUPS), "page": integer(0, 10**9)},
)
def hashtag_groups(call: Call) -> Record:
    """List groups of hashtags: the only list with numbered pages, from 0 (documented)."""
    groups = call.account.hashtag_groups
    limit, page = call.query.get("limit", MAX_GROUPS), call.query.get("page", 0)
    shown = groups[page * limit : (page + 1) * limit]
    href = f"/v3{HASHTAG_GROUPS_PATH}?limit={limit}&page={page + 1}"
    return {
        "hashtag_groups": shown,
        "page": {
            "page": page,
            "size": len(shown),
            "total_elements": len(groups),
            "total_pages": -(-len(groups) // limit),
        },
        "_links": {"next": {"href": href}} if (page + 1) * limit < len(groups) else {},
    }
