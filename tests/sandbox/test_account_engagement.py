"""Events of emails, and the counters computed from them."""

from __future__ import annotations

from collections import Counter

import pytest
from sandbox_accounts import LATER, NOW, counters, make, primary, rows, sent_campaign

from sandbox import Account
from sandbox.account.clock import HOUR, stamp_ms
from sandbox.account.engagement import (
    Engagement,
    Event,
    contacts_of,
    percents,
    stats,
    unique_counts,
)
from sandbox.server.expected import Rows, expected
from sandbox.server.options import PRIVILEGES, Options


@pytest.fixture
def account() -> Account:
    return make()


def test_events_follow_the_send_and_are_rounded_to_the_minute(account: Account) -> None:
    assert account.engagement
    for part in account.engagement.values():
        sent_to = contacts_of(part.sends)
        for kind in (part.opens, part.clicks, part.forwards, part.optouts, part.bounces):
            for event in kind:
                assert event.at % 60 == 0
                assert part.sends[0].at <= event.at <= NOW - HOUR
                assert event.contact_id in sent_to
        assert contacts_of(part.clicks) <= contacts_of(part.opens)
        assert contacts_of(part.bounces).isdisjoint(contacts_of(part.opens))
        assert {event.url_id for event in part.clicks} <= set(part.links)
        assert all(int(url_id) > 2**53 for url_id in part.links)


def test_counters_of_a_campaign_are_consistent(account: Account) -> None:
    for campaign_id in account.campaigns:
        parts = account.engagements(campaign_id)
        if not parts:
            continue
        counts, unique = stats(parts), unique_counts(parts)
        assert counts["em_sends"] >= counts["em_opens"] >= counts["em_clicks"]
        for total in ("em_opens_all", "em_clicks_all"):
            devices = [value for name, value in counts.items() if name.startswith(f"{total}_")]
            assert len(devices) == 5
            assert sum(devices) == counts[total]
        not_opened = counts["em_sends"] - counts["em_opens"] - counts["em_bounces"]
        assert counts["em_not_opened"] == max(0, not_opened)
        assert counts["em_opens_all"] == sum(len(part.opens) for part in parts)
        assert counts["em_clicks_all"] == sum(len(part.clicks) for part in parts)
        for kind in ("sends", "opens", "clicks", "forwards", "optouts", "bounces", "not_opened"):
            assert unique[kind] == counts[f"em_{kind}"]


def test_not_opened_is_never_negative() -> None:
    part = Engagement(0, {})
    part.sends = part.opens = part.bounces = [Event(0, "who bounced and opened a resend")]
    assert unique_counts([part])["not_opened"] == stats([part])["em_not_opened"] == 0


def test_activity_stats_equal_the_number_of_rows(account: Account) -> None:
    expected_rows = rows(account)
    kinds = ("sends", "opens", "clicks", "forwards", "optouts", "bounces", "did_not_opens")
    counted = {kind: Counter(key[0] for key in expected_rows[f"email_{kind}"]) for kind in kinds}
    unique_opens = Counter(key[0] for key in expected_rows["email_unique_opens"])
    for (id_,), row in expected_rows["email_campaign_activity_stats"].items():
        stats = row["stats"]
        assert stats["em_sends"] == counted["sends"][id_]
        assert stats["em_opens_all"] == counted["opens"][id_]
        assert stats["em_opens"] == unique_opens[id_]
        assert stats["em_clicks_all"] == counted["clicks"][id_]
        assert stats["em_not_opened"] == counted["did_not_opens"][id_]
        bounces = [count for name, count in stats.items() if name.startswith("em_bounces_")]
        assert stats["em_bounces"] == sum(bounces) == counted["bounces"][id_]


def test_unique_clicks_of_links_equal_the_contacts_who_clicked(account: Account) -> None:
    expected_rows = rows(account)
    clicks = {(key[0], key[2], key[1]) for key in expected_rows["email_clicks"]}
    counted = Counter(key[:2] for key in clicks)
    links = expected_rows["email_links"]
    assert {
        key: row["unique_clicks"] for key, row in links.items() if row["unique_clicks"]
    } == counted
    assert any(not row["unique_clicks"] for row in links.values())


def test_identical_rows_are_numbered_by_occurrence(account: Account) -> None:
    streams = rows(account)
    for name in ("email_opens", "email_clicks", "landing_page_contact_opens"):
        again = [key for key in streams[name] if key[-1] > 0]
        assert again, name
        assert all((*key[:-1], key[-1] - 1) in streams[name] for key in again)


def test_contact_reports_agree_with_email_reports(account: Account) -> None:
    streams = rows(account)
    types = Counter(key[2] for key in streams["contact_activity_details"])
    for type_, stream in (
        ("em_sends", "email_sends"),
        ("em_opens", "email_opens"),
        ("em_clicks", "email_clicks"),
        ("em_bounces", "email_bounces"),
        ("p_contact_open", "landing_page_contact_opens"),
        ("p_contact_add", "landing_page_unique_adds"),
    ):
        assert types[type_] == len(streams[stream]), type_
    summaries = streams["contact_activity_summaries"].values()
    assert sum(row["em_opens"] for row in summaries) == types["em_opens"]
    for (contact_id,), row in streams["contact_open_click_rates"].items():
        sent = sum(key[0] == contact_id for key in streams["contact_activity_summaries"])
        assert row["included_activities_count"] == sent
        assert 1 >= row["average_open_rate"] >= row["average_click_rate"] >= 0


def test_percents_follow_their_definitions() -> None:
    counts = dict.fromkeys(stats([]), 0)
    assert set(percents(counts).values()) == {0.0}
    counts.update(em_sends=210, em_bounces=10, em_opens=50, em_clicks=10, em_optouts=1)
    rates = percents(counts)
    assert (rates["bounce"], rates["open"], rates["click"], rates["unsubscribe"]) == (
        4.8,
        25,
        20,
        0.5,
    )


def test_stats_lag_delays_counters_but_not_reports(account: Account) -> None:
    campaign_id = sent_campaign(account)

    def rows_at(moment: int) -> dict[str, Rows]:
        account.now = lambda: moment
        return expected(account, PRIVILEGES, options=Options(stats_lag=300))

    before = rows_at(LATER)
    old = counters(before, campaign_id)
    account.add_events(campaign_id, "opens", 2)
    account.add_events(campaign_id, "clicks", at=LATER - HOUR)
    for moment, opens, clicks in ((LATER, 0, 0), (LATER + 299, 0, 0), (LATER + 300, 2, 1)):
        after = rows_at(moment)
        assert len(after["email_opens"]) == len(before["email_opens"]) + 2
        new = counters(after, campaign_id)
        assert new["em_opens_all"] - old["em_opens_all"] == opens
        assert new["em_clicks_all"] - old["em_clicks_all"] == clicks
        assert (new == old) == (not opens)
        summary = after["email_campaign_summaries"][(campaign_id,)]["unique_counts"]
        assert summary["opens"] == new["em_opens"]
        activity = after["email_campaign_activity_stats"][(primary(account, campaign_id),)]
        assert activity["stats"]["em_opens_all"] == new["em_opens_all"]
    refreshed = after["email_campaign_stats"][(campaign_id,)]["last_refresh_time"]
    assert refreshed == stamp_ms(LATER)
