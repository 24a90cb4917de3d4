"""Rows that move between pages while they are read: a key comes once, whatever the API returns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.fake_server import FakeServer
from support.tap import STREAMS, TapCommand

WARNING = "was read before"


def in_pages(server: FakeServer, path: str, key: str, *pages: list[dict[str, Any]]) -> None:
    """Let a server return pages, each with a link to the next one."""
    for number, rows in enumerate(pages):
        links = {"next": {"href": f"{path}/page{number + 1}"}} if pages[number + 1 :] else {}
        server[f"{path}/page{number}" if number else path] = {key: rows, "_links": links}


@pytest.mark.parametrize(
    ("stream", "place", "column"),
    [
        ("contact_tags", "/v3/contact_tags tags", "tag_id"),
        (
            "email_campaign_summaries",
            "/v3/reports/summary_reports/email_campaign_summaries bulk_email_campaign_summaries",
            "campaign_id",
        ),
    ],
)
def test_row_that_moves_to_the_next_page_comes_once(
    tap: TapCommand, fake_server: FakeServer, stream: str, place: str, column: str
) -> None:
    path, key = place.split()
    in_pages(
        fake_server,
        path,
        key,
        [{column: "a"}, {column: "b"}],
        [{column: "b"}, {column: "c"}],
        [{column: "a"}, {column: "d"}],
    )
    run = tap.run(fake_server.settings, select=[stream])
    assert run.status == 0, run.log
    assert run.keys(stream, column) == ["a", "b", "c", "d"]
    assert run.log.count(WARNING) == 1


def test_children_of_a_row_that_moves_are_read_once(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    events = [{"event_id": each, "default_track": {"track_id": "t"}} for each in "abc"]
    in_pages(fake_server, "/v3/events", "records", events[:2], events[1:])
    for event in events:
        path = f"/v3/events/{event['event_id']}"
        fake_server[path] = event
        in_pages(
            fake_server,
            f"{path}/tracks/t/registrations",
            "records",
            [{"registration_id": "1"}, {"registration_id": "2"}],
            [{"registration_id": "2"}, {"registration_id": "3"}],
        )
    run = tap.run(fake_server.settings, select=["events", "event_registrations"])
    assert run.status == 0, run.log
    assert run.keys("events", "event_id") == ["a", "b", "c"]
    keys = [(row["event_id"], row["registration_id"]) for row in run.records["event_registrations"]]
    assert keys == [(event, number) for event in "abc" for number in "123"]


def test_segment_that_moves_is_read_once(tap: TapCommand, fake_server: FakeServer) -> None:
    segments = [{"segment_id": each} for each in (1, 2, 3)]
    in_pages(fake_server, "/v3/segments", "segments", segments[:2], segments[1:])
    requested = []

    def contacts() -> dict[str, Any]:
        requested.append(1)
        return {"contacts": [{"contact_id": "x"}, {"contact_id": "x"}, {"contact_id": "y"}]}

    fake_server["/v3/contacts"] = contacts
    run = tap.run(fake_server.settings, select=["segment_contacts"])
    assert run.status == 0, run.log
    keys = [(row["segment_id"], row["contact_id"]) for row in run.records["segment_contacts"]]
    assert keys == [(segment, contact) for segment in (1, 2, 3) for contact in "xy"]
    assert len(requested) == 3


def test_reports_on_landing_pages_have_each_contact_once(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    for page in ("p", "q"):
        in_pages(
            fake_server,
            f"/v3/reports/landing_pages/campaign_details/{page}/p_unique_contact_opens",
            "tracking_activities",
            [{"contact_id": "1"}, {"contact_id": "2"}],
            [{"contact_id": "2"}, {"contact_id": "3"}],
        )
    settings = {**fake_server.settings, "landing_page_activity_ids": ["p", "q"]}
    run = tap.run(settings, select=["landing_page_unique_opens"])
    assert run.status == 0, run.log
    keys = [
        (row["campaign_activity_id"], row["contact_id"])
        for row in run.records["landing_page_unique_opens"]
    ]
    assert keys == [(page, contact) for page in "pq" for contact in "123"]


def test_custom_stream_has_each_key_once(tap: TapCommand, fake_server: FakeServer) -> None:
    in_pages(fake_server, "/v3/things", "things", [{"id": 1}, {"id": 2}], [{"id": "2"}, {"id": 3}])
    stream = {
        "name": "things",
        "path": "/things",
        "records_path": "things",
        "primary_keys": ["id"],
    }
    settings = {**fake_server.settings, "custom_streams": [stream]}
    catalog = json.loads("\n".join(tap.run(settings, "--discover").lines))
    catalog["streams"] = [each for each in catalog["streams"] if each["tap_stream_id"] == "things"]
    path = tap.folder / "given.json"
    path.write_text(json.dumps(catalog))
    run = tap.run(settings, "--catalog", str(path))
    assert run.keys("things", "id") == ["1", "2", "3"]


def test_a_changed_row_of_an_incremental_stream_comes_again(
    tap: TapCommand, fake_server: FakeServer
) -> None:
    """The bookmark has passed its change, so that no later run would bring it."""
    times = ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z")
    old, new = ({"segment_id": 1, "name": "s", "edited_at": time} for time in times)
    in_pages(fake_server, "/v3/segments", "segments", [old], [new])
    fake_server["/v3/segments/1"] = new
    run = tap.run(fake_server.settings, select=["segments"])
    assert run.records["segments"][-1]["edited_at"] == times[1]


@pytest.mark.parametrize("name", STREAMS)
def test_keys_are_remembered_where_they_can_repeat(name: str) -> None:
    """Rows of reports have numbers that tell them apart; incremental streams may have newer rows.

    Streams that are incremental because a run reads a part of them in full are no exception.
    """
    stream = STREAMS[name]
    is_report = name in ("email_unique_opens", "email_did_not_opens", "email_links")
    is_report |= name == "email_campaign_send_history" or name.startswith("event")
    expected = "occurrence" not in stream.primary_keys and (not stream.replication_key or is_report)
    assert stream.has_keys_once is expected
