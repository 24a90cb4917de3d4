"""Generate social profiles, connections and groups of hashtags."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.account import Account, Record

NETWORKS = ("facebook", "instagram", "tiktok")
HASHTAGS = ("coffee", "Boston_eats", "brunch", "2025", "café", "bakery", "music", "team")


def add_social(account: Account) -> None:
    """Connect the owner to social networks, and keep some hashtags."""
    for number, network in enumerate(NETWORKS):
        person = _account_info(network, f"{1000 + number}")
        account.social_connections.append(_connection(person))
        account.social_profiles.append(_profile(account, network, person))
    for number, name in enumerate(HASHTAGS):
        account.hashtag_groups.append(
            {
                "hashtag_group_id": account.new_id(),
                "hashtag_group_name": f"All about {name}",
                "hashtag_names": list(HASHTAGS[: number + 1]),
            }
        )


def _account_info(network: str, id_: str) -> Record:
    return {
        "display_name": "Lola Zang",
        "image_url": f"https://{network}.example.com/{id_}.jpg",
        "network": network,
        "network_account_id": id_,
        "username": "lolazang",
        # Facebook and Instagram have none (documented).
        **({"account_url": f"https://{network}.example.com/lola"} if network == "tiktok" else {}),
    }


def _connection(person: Record) -> Record:
    status: Record = {
        "has_token": True,
        "is_active_user": True,
        "rate_limited": False,
        "token_has_scopes": True,
        "token_is_valid": True,
    }
    if person["network"] == "instagram":
        status.update(error="The token has expired.", status=401, token_is_valid=False)
    return {"account_info": person, "connection_status": status}


def _profile(account: Account, network: str, person: Record) -> Record:
    # Facebook has no handles, and only TikTok has settings (documented).
    flags = ("comment_disabled", "duet_disabled", "stitch_disabled")
    content = {**dict.fromkeys(flags, False), "max_video_post_duration_sec": 600}
    return {
        "accessible": network != "instagram",
        "account_info": person,
        "connected": True,
        "handle": None if network == "facebook" else "cafeole",
        "image_url": f"https://{network}.example.com/cafeole.jpg",
        "name": "Café Olé",
        "network": network,
        "network_profile_id": f"{account.rng.getrandbits(50)}",
        "network_user_id": person["network_account_id"],
        "profile_id": account.new_id(),
        **({"settings": {"content": content}} if network == "tiktok" else {}),
        "url": f"https://www.{network}.example.com/cafeole",
    }
