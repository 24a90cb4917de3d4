"""What answers hold: digits and texts as they came, row by row, whatever form a body has."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_constantcontact.api.responses import ApiResponse, body_of, part_of, rows_of


def answer(body: bytes, kind: type[requests.Response] = requests.Response) -> requests.Response:
    response = kind()
    response.status_code = 200
    response.url = "https://api.example.com/v3/contacts"
    response.request = requests.Request("GET", response.url).prepare()
    response.raw = io.BytesIO(body)
    return response


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"rows": [{"id": 1}, {"id": 2}], "_links": {}}', [{"id": 1}, {"id": 2}]),
        (b'[{"id": 1}, {"id": 2}]', [{"id": 1}, {"id": 2}]),
        (b'{"rows": {"id": 1}}', [{"id": 1}]),
        (b'{"rows": []}', []),
        (b'{"rows": null}', []),
        (b"{}", []),
        (b"[]", []),
    ],
)
def test_rows_are_found_by_records_key_or_are_the_body(body: bytes, rows: Any) -> None:
    assert list(rows_of(answer(body), "rows")) == rows


def test_rows_can_be_the_body_itself() -> None:
    assert list(rows_of(answer(b'{"rows": [1]}'), None)) == [{"rows": [1]}]


@pytest.mark.parametrize("body", [b'{"rows": "none"}', b'{"rows": 5}', b'{"rows": [5]}'])
def test_rows_that_are_not_objects_are_an_error(body: bytes) -> None:
    with pytest.raises(FatalAPIError, match="GET /v3/contacts: the response has no records"):
        list(rows_of(answer(body), "rows"))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"rows": [{"id": 1}, {"id"', b'"text"', b"5"])
def test_invalid_json_is_noticed_before_the_first_row(body: bytes) -> None:
    with pytest.raises(RetriableAPIError, match="not a JSON object or array"):
        next(rows_of(answer(body), "rows"))


def test_rows_are_parsed_one_at_a_time() -> None:
    rows = rows_of(answer(b'{"rows": [{"id": 1}, "no row"]}'), "rows")
    assert next(rows) == {"id": 1}


@pytest.mark.parametrize(
    "digits", ["1.10", "0.1", "1E+400", "12345678901234567890.10", "4374642855454351379"]
)
def test_response_numbers_keep_their_digits(digits: str) -> None:
    (row,) = rows_of(answer(b'{"rows": [{"n": ' + digits.encode() + b"}]}"), "rows")
    assert str(row["n"]) == digits
    assert isinstance(row["n"], (int, Decimal))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb"a\u0000b", "ab"),
        (rb"a\ud83cb", "ab"),
        (rb"\\u0000", r"\u0000"),
        ("Jos\u00e9 \U0001f389".encode(), "Jos\u00e9 \U0001f389"),
        (rb"\ud83c\udf89", "\U0001f389"),
        (b"a\xffb", "a\ufffdb"),
    ],
)
def test_response_texts_lose_characters_that_databases_refuse(sent: bytes, kept: str) -> None:
    body = b'{"rows": [{"first": {"' + sent + b'": ["' + sent + b'"]}}, {"id": 2}]}'
    rows = [{"first": {kept: [kept]}}, {"id": 2}]
    assert list(rows_of(answer(body), "rows")) == rows
    assert part_of(answer(body), "rows") == rows
    assert body_of(answer(body)) == {"rows": rows}


def test_responses_in_other_encodings_are_parsed() -> None:
    body = '{"rows": [{"name": "Jos\u00e9"}]}'.encode("utf-16")
    assert list(rows_of(answer(body), "rows")) == [{"name": "Jos\u00e9"}]


class CountedReads(io.BytesIO):
    """A body that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize(("kind", "reads"), [(requests.Response, 60), (ApiResponse, 2)])
def test_a_response_of_the_api_is_read_in_large_pieces(
    kind: type[requests.Response], reads: int
) -> None:
    response = answer(b"", kind)
    response.raw = body = CountedReads(b"x" * 600_000)
    assert len(response.content) == 600_000
    assert body.reads in (reads, reads + 1)
