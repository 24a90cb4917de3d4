"""The check of the image reads the Dockerfile as an engine does."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.image.container import Container, StepFailed
from checks.image.dockerfile import assignments, instructions

DOCKERFILE = """\
# A comment.
FROM python:3.13-slim-trixie

env A="one two" B=three
LABEL a="1" \\
    # between
    b="2"
RUN echo a && \\
    echo b
COPY one folder/
WORKDIR /work
ENTRYPOINT ["/bin/a", "b"]
"""


def test_instructions_are_read_across_lines_without_comments() -> None:
    assert [*instructions(DOCKERFILE)] == [
        ("FROM", "python:3.13-slim-trixie"),
        ("ENV", 'A="one two" B=three'),
        ("LABEL", 'a="1" b="2"'),
        ("RUN", "echo a && echo b"),
        ("COPY", "one folder/"),
        ("WORKDIR", "/work"),
        ("ENTRYPOINT", '["/bin/a", "b"]'),
    ]


def test_assignments_have_no_quotes() -> None:
    assert assignments('A="one two" B=three c.d=""') == {"A": "one two", "B": "three", "c.d": ""}


@pytest.fixture
def container(tmp_path: Path) -> Container:
    (tmp_path / "root" / "etc" / "ssl" / "certs").mkdir(parents=True)
    (tmp_path / "one").write_text("1")
    return Container(tmp_path / "root", tmp_path)


def test_files_are_copied_into_the_working_folder(container: Container, tmp_path: Path) -> None:
    container.build("WORKDIR /work\nCOPY one two/\nCOPY one ./\n")
    assert (tmp_path / "root/work/two/one").read_text() == "1"
    assert (tmp_path / "root/work/one").read_text() == "1"


def test_entrypoint_and_user_are_those_of_the_dockerfile(container: Container) -> None:
    container.build('USER airbyte\nENTRYPOINT ["/bin/a"]\n')
    assert (container.user, container.entrypoint) == ("airbyte", ["/bin/a"])


def test_instruction_that_the_check_does_not_know_is_refused(container: Container) -> None:
    with pytest.raises(StepFailed, match="doesn't know HEALTHCHECK"):
        container.build("HEALTHCHECK CMD true\n")
