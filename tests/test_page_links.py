"""Links to pages, predicted from the first one: used only if they are right."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from itertools import islice
from typing import Any
from urllib.parse import quote

import pytest
import requests
from support.fake_server import FakeServer
from support.sandboxes import MakeSandbox
from support.tap import TapCommand

from tap_constantcontact.api.page_links import LinkedPages, later_links

URL = "https://api.cc.email/v3/contacts"


def link(query: str, safe: str = "=") -> str:
    return f"{URL}?cursor={quote(b64encode(query.encode()).decode(), safe=safe)}"


def numbered(*numbers: int) -> list[str]:
    return [link(f"limit=500&next={number}") for number in numbers]


@pytest.mark.parametrize("safe", ["=", ""])
@pytest.mark.parametrize(
    ("query", "later"),
    [
        ("limit=500&next=2", ["limit=500&next=3", "limit=500&next=4"]),
        ("limit=5&next=2&status%5B%5D=all", ["limit=5&next=3&status%5B%5D=all"]),
        ("limit=500&next=9", ["limit=500&next=10", "limit=500&next=11"]),
    ],
)
def test_pages_are_counted_on(query: str, later: list[str], safe: str) -> None:
    predicted = islice(later_links(link(query, safe)), len(later))
    assert [*predicted] == [link(each, safe) for each in later]


@pytest.mark.parametrize(
    "url",
    [
        link("limit=1&next=11a7c5ae-2e1c-11e9-b210-d663bd873d93"),
        link("limit=1&next_page=2"),
        f"{link('limit=500&next=2')}&limit=500",
        f"{URL}?next=7zDEe3DhD5gUiwRFsvWKKZlZO1j6-YihH2hyVWD8GaW7JnzXbHFP8Tou212KoU20mOjvM6pdWwyc",
        f"{URL}?limit=1&next=MQ**",
        URL,
    ],
    ids=["keyset", "another name", "more parameters", "encrypted", "bare number", "no cursor"],
)
def test_other_links_predict_nothing(url: str) -> None:
    assert not [*islice(later_links(url), 1)]


def page(next_url: str | None) -> requests.Response:
    response = requests.Response()
    response._content = json.dumps({"next": next_url}).encode()
    return response


@pytest.fixture
def pages() -> LinkedPages:
    return LinkedPages(
        lambda response: response.json()["next"], lambda url: requests.Request("GET", url).prepare()
    )


class TestLinkedPages:
    """One wrong prediction in a run ends them."""

    def test_one_is_predicted_until_it_has_turned_out_right(self, pages: LinkedPages) -> None:
        second, *rest = numbered(2, 3, 4, 5, 6)
        first = [*pages.after_first(second, 5)]
        assert [each.url for each in first] == [second, rest[0]]
        assert [each.url for each in first[0].then(page(rest[0]))] == rest[1:]
        assert not [*first[1].then(page(rest[1]))]
        assert [each.url for each in pages.after_first(second, 5)] == [second, *rest]

    def test_wrong_one_is_the_last(self, pages: LinkedPages) -> None:
        (second, third) = pages.after_first(numbered(2)[0], 5)
        (other,) = second.then(page(link("limit=500&next=7")))
        assert other.url == link("limit=500&next=7")
        assert not [*third.then(page(None))]
        (following,) = other.then(page(link("limit=500&next=12")))
        assert following.url == link("limit=500&next=12")
        assert [each.url for each in pages.after_first(numbered(2)[0], 5)] == numbered(2)

    def test_pages_beyond_the_announced_ones_are_followed(self, pages: LinkedPages) -> None:
        second, third = pages.after_first(numbered(2)[0], 2)
        assert not [*second.then(page(third.url))]
        (fourth,) = third.then(page(numbered(4)[0]))
        (fifth,) = fourth.then(page(numbered(5)[0]))
        assert (fourth.url, fifth.url) == (*numbered(4), *numbered(5))

    def test_last_page_comes_before_the_announced_one(self, pages: LinkedPages) -> None:
        """The count does not follow the filter, or contacts were deleted meanwhile."""
        second, third = pages.after_first(numbered(2)[0], 50)
        later = second.then(page(third.url))
        fourth, fifth = (next(iter(later)) for _ in "12")
        assert not [*third.then(page(None))]
        assert not [*later]
        assert [each.url for each in fourth.then(page(fifth.url))] == [fifth.url]

    def test_another_list_does_not_prove_them_again(self, pages: LinkedPages) -> None:
        second, third = pages.after_first(numbered(2)[0], 5)
        other, following = pages.after_first(link("limit=9&next=2"), 5)
        assert [*second.then(page(link("limit=500&next=7")))]
        assert [each.url for each in other.then(page(following.url))] == [following.url]
        assert [each.url for each in pages.after_first(third.url, 5)] == [third.url]


def test_pages_are_in_flight_together(tap: TapCommand, fake_server: FakeServer) -> None:
    """The pages after the third respond only when all of them have been requested."""
    together = threading.Barrier(3)

    def respond(number: int) -> Any:
        rows = [{"contact_id": f"{number}-{row}"} for row in range(500)]
        href = numbered(number + 1)[0].removeprefix("https://api.cc.email")
        links = {"next": {"href": href}} if number < 6 else {}
        if number > 3:
            try:
                together.wait(timeout=10)
            except threading.BrokenBarrierError:
                return 500, {}
        return {"contacts_count": 3_000, "contacts": rows, "_links": links}

    fake_server["/v3/contacts"] = lambda: respond(1)
    for number in range(2, 7):
        path = link(f"limit=500&next={number}", safe="").removeprefix("https://api.cc.email")
        fake_server[path] = lambda number=number: respond(number)
    run = tap.run(fake_server.settings, select=["contacts"])
    assert run.status == 0, run.log
    assert len({*run.keys("contacts", "contact_id")}) == 3_000
    assert "Backing off" not in run.log


@pytest.mark.parametrize("cursors", ["page", "keyset"])
def test_predicted_pages_cost_no_request(
    tap: TapCommand, make_sandbox: MakeSandbox, cursors: str
) -> None:
    sandbox = make_sandbox(contacts=4_000, contacts_cursors=cursors)
    run = tap.sync(sandbox, "contacts")
    assert run.status == 0, run.log
    assert len({*run.keys("contacts", "contact_id")}) == 4_000
    paths = [request.path for request in sandbox.requests if request.method == "GET"]
    assert paths.count("/v3/contacts") == 8
