"""The codec of the change log: what the state holds of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from singer_sdk.exceptions import ConfigurationError

from tap_constantcontact.incremental.change_log import ChangeLog
from tap_constantcontact.incremental.change_log_codec import (
    VERSION,
    PackedCampaigns,
    pack_campaign,
    pack_id,
    unpack_campaign,
    unpack_id,
)
from tap_constantcontact.incremental.change_log_entries import (
    ActivityEntry,
    CampaignEntry,
    Change,
    ExpectedRows,
    Previous,
    ReadHours,
    UncomparedActivity,
)
from tap_constantcontact.incremental.counters import Counters

UUID = "4bc885c8-565d-4fb4-afe1-5457a12c7c70"
PACKED_UUID = "S8iFyFZdT7Sv4VRXoSx8cA"
COUNTERS = Counters(100, 50, 20, 3, 2, 1, 498_000)
NEW = ActivityEntry(Change(1, 498_100), COUNTERS)
CHANGED = ActivityEntry(
    Change(3, 498_124),
    COUNTERS,
    ExpectedRows(7, 2),
    previous=Previous(1, ReadHours(*[24] * 6)),
)
# Opens have changed; a change before that one was an hour earlier, and it was not clicks.
OPENED = CHANGED.changed(Change(4, 498_124), COUNTERS._replace(opens=51))
OPENED_AGAIN = OPENED.changed(Change(5, 498_125), COUNTERS._replace(opens=52))
CAMPAIGNS = {
    "one counter changed": CampaignEntry({UUID: OPENED}),
    "one counter changed again": CampaignEntry({UUID: OPENED_AGAIN}),
    "all streams have read the change": CampaignEntry({UUID: OPENED_AGAIN.pruned()}),
    "even empty reports are read": CampaignEntry(
        {UUID: CHANGED.changed_in_full(Change(4, 498_124), COUNTERS, reads_empty=True)}
    ),
    "one activity": CampaignEntry({UUID: CHANGED}),
    "several activities": CampaignEntry({UUID: NEW, "1103": CHANGED}, COUNTERS),
    "all rows are expected": CampaignEntry({UUID: ActivityEntry.first(Change(1, 2), COUNTERS)}),
    "no activity": CampaignEntry({}, COUNTERS),
    "not compared": CampaignEntry(dict.fromkeys((UUID, "1103"), UncomparedActivity(498_100))),
    "named without activities": CampaignEntry(),
    "an activity called all": CampaignEntry({"all": NEW}),
}

STATE = {
    "campaigns": {
        PACKED_UUID: {PACKED_UUID: [3, 498124, 100, 50, 20, 3, 2, 1, 498000, 7, 2, 1, 63, 24]},
        "=7": {
            "all": [200, 100, 40, 6, 4, 2, 498000],
            "=71": [1, 498100, 100, 50, 20, 3, 2, 1, 0, 0, 0],
            "=72": [2, 498100, 100, 50, 20, 3, 2, 1, 0, 5, 0],
        },
        "=8": {"=81": [498110], "=82": [498110]},
    },
    "last_number": 3,
}


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("campaign", CAMPAIGNS.values(), ids=CAMPAIGNS)
def test_campaign_comes_back_unchanged(campaign: CampaignEntry) -> None:
    back = unpack_campaign(through_json(pack_campaign(campaign)))
    assert back == campaign
    assert [*back.activities] == [*campaign.activities]  # the first one's counters may count


@pytest.mark.parametrize(
    "id_", [UUID, UUID.upper(), UUID.replace("-", ""), "1103", "x" * 22, "=", "", "all", "é"]
)
def test_id_comes_back_unchanged(id_: str) -> None:
    assert unpack_id(pack_id(id_)) == id_


def test_uuid_is_packed_into_22_characters() -> None:
    assert pack_id(UUID) == PACKED_UUID
    assert {len(pack_id(str(uuid4()))) for _ in range(100)} == {22}


def test_state_is_read() -> None:
    campaigns = PackedCampaigns(through_json(STATE))
    several = {
        "71": ActivityEntry(Change(1, 498_100), COUNTERS._replace(sent=0)),
        "72": ActivityEntry(Change(2, 498_100), COUNTERS._replace(sent=0), ExpectedRows(5, 0)),
    }
    assert dict(campaigns) == {
        UUID: CampaignEntry({UUID: CHANGED}),
        "7": CampaignEntry(several, Counters(200, 100, 40, 6, 4, 2, 498_000)),
        "8": CampaignEntry(dict.fromkeys(("81", "82"), UncomparedActivity(498_110))),
    }


def test_state_of_an_earlier_release_is_read() -> None:
    """It has number and hour of the change before: all reports were read at each change."""
    state = through_json(STATE)
    state["campaigns"][PACKED_UUID][PACKED_UUID][-3:] = [1, 498_100]
    assert PackedCampaigns(state)[UUID] == CampaignEntry({UUID: CHANGED})


def test_what_all_streams_have_read_takes_little_room() -> None:
    packed = pack_campaign(CampaignEntry({UUID: OPENED_AGAIN.pruned()}))[PACKED_UUID]
    assert packed == [5, 498125, *OPENED_AGAIN.counters, 9, 2, 0, 2, 2, 0, 2]


def test_state_gets_a_version_and_nothing_else() -> None:
    state = through_json(STATE)
    campaigns = PackedCampaigns(state)
    for campaign_id, campaign in dict(campaigns).items():
        campaigns[campaign_id] = campaign
    assert state == {**STATE, "version": VERSION}


@pytest.mark.parametrize("version", [VERSION + 1, 0, None, "1"])
def test_state_of_another_version_is_refused(version: Any) -> None:
    state = {**STATE, "version": version}
    with pytest.raises(ConfigurationError, match=r"Invalid state: .* version .* Install the"):
        ChangeLog(state)


def test_campaigns_are_packed_into_the_state_when_they_are_set() -> None:
    state: dict[str, Any] = {}
    campaigns = PackedCampaigns(state)
    campaigns[UUID] = CAMPAIGNS["one activity"]
    assert state == {
        "version": VERSION,
        "campaigns": {
            PACKED_UUID: {PACKED_UUID: [3, 498124, *COUNTERS, 7, 2, 1, 63, 24]},
        },
    }
    assert (len(campaigns), [*campaigns]) == (1, [UUID])
    del campaigns[UUID]
    assert state["campaigns"] == {}
    assert UUID not in campaigns


def test_only_the_campaign_that_is_set_is_packed_again() -> None:
    state = through_json(STATE)
    campaigns = PackedCampaigns(state)
    before = {key: id(packed) for key, packed in state["campaigns"].items()}
    campaigns[UUID] = campaigns[UUID].with_entries({UUID: CHANGED.pruned()})
    after = {key: id(packed) for key, packed in state["campaigns"].items()}
    assert [key for key in before if before[key] != after[key]] == [PACKED_UUID]


def test_campaign_that_the_state_holds_anew_is_unpacked_again() -> None:
    state = through_json(STATE)
    campaigns = PackedCampaigns(state)
    assert campaigns[UUID] is campaigns[UUID]
    state["campaigns"][PACKED_UUID] = pack_campaign(CampaignEntry({UUID: NEW}))
    assert campaigns[UUID] == CampaignEntry({UUID: NEW})
    state.clear()
    assert UUID not in campaigns
