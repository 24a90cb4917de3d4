"""What `make tutorial` takes from the page, and how it compares output."""

from __future__ import annotations

import pytest

from checks.tutorial import PAGE, Step, agrees, steps


def test_steps_are_commands_with_their_output() -> None:
    page = "Text.\n\n```console\n$ one\nfirst\nsecond\n$ two\n```\n\n```sql\nselect 1\n```\n"
    assert steps(page) == [Step("one", ["first", "second"]), Step("two", [])]


def test_page_begins_with_the_sandbox_and_ends_with_the_report() -> None:
    commands = [step.command for step in steps(PAGE.read_text("utf-8"))]
    assert (commands[0], commands[-1]) == ("make sandbox", "make analytics")


@pytest.mark.parametrize(
    ("shown", "output", "expected"),
    [
        (["500 contacts"], "500 contacts\n", True),
        (["500 contacts"], "50 contacts\n", False),
        (["until … UTC"], "until 2026 UTC\n", True),
        (["first", "…"], "first\nsecond\nthird\n", True),
        (["first"], "first\nsecond\n", False),
        ([], "anything\n", True),
    ],
)
def test_output_agrees_with_what_is_shown(shown: list[str], output: str, *, expected: bool) -> None:
    assert agrees(shown, output) is expected
