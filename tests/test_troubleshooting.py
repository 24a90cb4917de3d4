"""docs/troubleshooting.md has every message of the tap, and none that it does not have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from messages import messages

PAGE = (Path(__file__).parent.parent / "docs" / "troubleshooting.md").read_text("utf-8")
ITEM = re.compile(r"^- (.*?)(?=^- |^#|\n\n|\Z)", re.MULTILINE | re.DOTALL)


def documented() -> list[str]:
    """Return the messages that the items of the page begin with, before what it says of them."""
    heads = (re.split(r"(?<=`): ", item)[0] for item in ITEM.findall(PAGE))
    return [" ".join(text.split()) for head in heads for text in re.findall("`([^`]+)`", head)]


def test_every_message_is_there_once() -> None:
    assert sorted(documented()) == sorted(messages())


@pytest.mark.parametrize(
    "text",
    [
        "The token endpoint gave no access token; check the setting auth_url",
        "…: one is left out: …",
        "The API's daily quota is exhausted",
        "Setting … is …, but must be …",
    ],
)
def test_messages_are_found_however_they_are_told(text: str) -> None:
    assert text in messages()


@pytest.mark.parametrize("item", ITEM.findall(PAGE), ids=lambda item: item[:40])
def test_each_says_what_causes_it(item: str) -> None:
    _, _, explained = item.rpartition("`: ")
    assert explained.rstrip().endswith((".", ":"))
