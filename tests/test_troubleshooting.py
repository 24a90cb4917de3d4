"""docs/guides/troubleshooting.md has every message of the tap, and none that it does not have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.messages import messages

PAGE = (Path(__file__).parent.parent / "docs" / "guides" / "troubleshooting.md").read_text("utf-8")
ITEM = re.compile(r"^- (.*?)(?=^- |^#|\n\n|\Z)", re.MULTILINE | re.DOTALL)


def documented() -> list[str]:
    """Return the messages that the items of the page begin with, before what it says of them."""
    heads = (re.split(r"(?<=`): ", item)[0] for item in ITEM.findall(PAGE))
    return [" ".join(text.split()) for head in heads for text in re.findall("`([^`]+)`", head)]


def test_troubleshooting_page_has_every_message_once() -> None:
    assert sorted(documented()) == sorted(messages())


def test_troubleshooting_items_explain_their_messages() -> None:
    items = ITEM.findall(PAGE)
    assert items
    explained = {item: item.rpartition("`: ")[2].rstrip() for item in items}
    assert [item for item, text in explained.items() if not text.endswith((".", ":"))] == []


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
