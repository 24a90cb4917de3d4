"""The troubleshooting page has every message of the tap, and each message names its section."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.messages import messages
from support.tap import TapCommand

from sandbox import Fault, Sandbox
from tap_constantcontact.help_topics import TOPICS, topic, with_topic

PAGE = (Path(__file__).parent.parent / "docs/guides/troubleshooting.md").read_text("utf-8")
ITEM = re.compile(r"^- (.*?)(?=^- |^#|\n\n|\Z)", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^### (.*?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)

# As a text in the code it could belong to any setting; see the messages that are composed below.
_WITH_A_GAP = "Invalid ….…: … (must be …)"


def documented(text: str = PAGE) -> list[str]:
    """Return the messages that the items of a text begin with, before what it says of them."""
    heads = (re.split(r"(?<=`): ", item)[0] for item in ITEM.findall(text))
    return [" ".join(each.split()) for head in heads for each in re.findall("`([^`]+)`", head)]


def sections() -> dict[str, list[str]]:
    """Return the messages of each section, by the anchor that the site gives its heading."""
    return {
        re.sub(r"[^\w\s-]", "", title).strip().lower().replace(" ", "-"): documented(text)
        for title, text in SECTION.findall(PAGE)
    }


def test_troubleshooting_page_has_every_message_once() -> None:
    assert sorted(documented()) == sorted(messages())


def test_troubleshooting_items_explain_their_messages() -> None:
    items = ITEM.findall(PAGE)
    assert items
    explained = {item: item.rpartition("`: ")[2].rstrip() for item in items}
    assert [item for item, text in explained.items() if not text.endswith((".", ":"))] == []


def test_every_message_is_in_a_section() -> None:
    assert sorted(each for own in sections().values() for each in own) == sorted(messages())


def test_every_message_names_its_section() -> None:
    wrong = {
        message: (topic(message), anchor)
        for anchor, own in sections().items()
        for message in own
        if topic(message) != anchor and message != _WITH_A_GAP
    }
    assert wrong == {}


def test_every_section_is_named_by_a_message() -> None:
    assert sorted(TOPICS) == sorted(sections())


def test_every_word_of_a_topic_is_in_a_message_of_its_section() -> None:
    own = sections()
    general = {"Invalid custom_streams", "Invalid stream_maps"}  # a gap in the messages
    unused = [
        word
        for anchor, words in TOPICS.items()
        for word in {*words} - general
        if not any(word in message for message in own[anchor])
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Daily quota reached: 10,000 requests (daily_quota). Progress is saved", "daily-quota"),
        ("Invalid stream_maps.tags.name: 3 (must be a string)", "stream-maps"),
        ("Invalid custom_streams.0.name: 3 (must be a string)", "custom-stream-declaration"),
        ("The token endpoint returned 401. Check client_id and client_secret", "client-secret"),
        ("GET /x: 400 there is no token (y). The API rejects this request", "rejected-request-400"),
        ("GET /x: 500 Did you mean y?. Retries failed; the next run", "429-and-5xx"),
        ("GET /x: 403 Invalid state. Requires the scope y", "permission-denied-403"),
    ],
)
def test_composed_message_names_the_most_specific_section(message: str, expected: str) -> None:
    assert with_topic(message) == f"{message} [docs: troubleshooting#{expected}]"


def test_topic_is_appended_once() -> None:
    once = with_topic("Unexpected KeyError at tap.py:1")
    assert with_topic(f"contacts was not read: {once}") == f"contacts was not read: {once}"


def test_other_texts_get_no_topic() -> None:
    assert with_topic("Beginning full_table sync of 'contacts'") == (
        "Beginning full_table sync of 'contacts'"
    )


def test_failure_ends_with_its_section(tap: TapCommand) -> None:
    run = tap.run({"start_date": "2026-01-01"})
    assert run.status == 1
    assert run.log.splitlines()[-1].endswith("[docs: troubleshooting#missing-credentials]")


def test_warning_about_a_skipped_stream_ends_with_its_section(
    tap: TapCommand, sandbox: Sandbox
) -> None:
    sandbox.fail("/events", Fault.FORBIDDEN)
    run = tap.sync(sandbox, "account", "events")
    (warning,) = (line for line in run.log.splitlines() if "events is skipped" in line)
    assert warning.endswith("[docs: troubleshooting#permission-denied-403]")


@pytest.mark.parametrize(
    "text",
    [
        "The token endpoint returned no access token. Check auth_url",
        "…: skipping one item: …",
        "The API's daily quota is exhausted",
        "Invalid …: … (must be …)",
    ],
)
def test_messages_are_found_however_they_are_told(text: str) -> None:
    assert text in messages()
