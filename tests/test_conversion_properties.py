"""Properties of conversion, whatever the API sends and whatever a schema declares."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import jsonschema
from hypothesis import example, given
from hypothesis import strategies as st

from tap_constantcontact.api.responses import without_unstorable as storable
from tap_constantcontact.output.conversion import converter
from tap_constantcontact.timestamps import format_timestamp, parse_timestamp

# What these properties are about, under the names that they use.


class Converted(NamedTuple):
    """What became of a record, and the paths that were reported."""

    record: Any
    invalid: set[str]
    unknown: set[str]


def convert(schema: dict[str, Any], value: Any) -> Converted:
    invalid, unknown = set[str](), set[str]()
    convert_value = converter(
        schema,
        invalid=lambda path, _: invalid.add(path),
        unknown=lambda path, _: unknown.add(path),
    )
    return Converted(convert_value(copy.deepcopy(value)), invalid, unknown)


# The properties.

NAMES = st.sampled_from(["id", "created_at", "first_name", "firstName", "opens", "items", "x1"])
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["", "7", "1.50", "true", "2024-10-30T18:56:35Z", "2015-03-17T11:13:28-04:00", "2025-02-30"]
)
NUMBERS = (
    st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
    | st.sampled_from([Decimal("1E+3"), Decimal("3.0")])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


def types(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


COLUMNS = st.sampled_from(["id", "created_at", "first_name", "opens", "items", "x1"])
SCHEMAS = st.recursive(
    st.sampled_from([types(kind) for kind in ("string", "integer", "number", "boolean")])
    | st.sampled_from(
        [
            types("string", format="date-time"),
            types("array"),
            types("object"),
            types("object", properties={}, additionalProperties=True),
        ]
    ),
    lambda inner: (
        st.builds(lambda items: types("array", items=items), inner)
        | st.builds(
            lambda properties: types("object", properties=properties),
            st.dictionaries(COLUMNS, inner, max_size=4),
        )
    ),
    max_leaves=6,
)
RECORD_SCHEMAS = st.builds(
    lambda properties: types("object", properties=properties),
    st.dictionaries(COLUMNS, SCHEMAS, max_size=5),
)
RECORDS = st.dictionaries(NAMES, JSON, max_size=6)


def as_json(value: Any) -> Any:
    """Return a value as jsonschema takes it: with floats, and no decimals."""
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


@given(schema=RECORD_SCHEMAS, record=RECORDS)
def test_converted_records_are_valid_against_their_schema(
    schema: dict[str, Any], record: dict[str, Any]
) -> None:
    jsonschema.Draft202012Validator(schema).validate(as_json(convert(schema, record).record))


@given(schema=RECORD_SCHEMAS, record=RECORDS)
def test_conversion_of_converted_records_changes_nothing(
    schema: dict[str, Any], record: dict[str, Any]
) -> None:
    once = convert(schema, record).record
    assert convert(schema, once) == (once, set(), set())


@given(schema=RECORD_SCHEMAS, record=RECORDS)
def test_conversion_keeps_or_reports_every_property(
    schema: dict[str, Any], record: dict[str, Any]
) -> None:
    """Other names for the same column aside: `firstName` is kept as `first_name`."""
    record = {name: value for name, value in record.items() if name != "firstName"}
    converted, invalid, unknown = convert(schema, record)
    for name, value in record.items():
        if name not in schema["properties"]:
            assert name in unknown
        elif value is not None and value != "" and converted[name] is None:
            assert name in invalid
    assert converted.keys() == record.keys() & schema["properties"].keys()


@given(value=st.integers() | st.decimals(allow_nan=False, allow_infinity=False))
def test_conversion_of_numbers_keeps_their_value(value: Any) -> None:
    assert convert(types("number"), value).record == value
    assert convert(types("number"), str(value)).record == value


@given(value=NUMBERS)
def test_conversion_to_integers_keeps_the_value_or_reports_it(value: Any) -> None:
    converted, invalid, _ = convert(types("integer"), value)
    assert (converted is None) == bool(invalid)
    assert converted == value or converted is None
    assert invalid or value == int(value)


@given(value=st.decimals(allow_nan=False, allow_infinity=False))
def test_conversion_of_numbers_to_texts_keeps_their_digits(value: Decimal) -> None:
    assert convert(types("string"), value).record == str(value)


@given(text=TEXTS)
def test_conversion_of_texts_keeps_every_character(text: str) -> None:
    assert convert(types("string"), text) == (text, set(), set())


MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is drawn
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 4, 14 * 4).map(
        lambda quarters: timezone(timedelta(minutes=15 * quarters))
    ),
)


@given(moment=MOMENTS)
@example(moment=datetime(2024, 1, 1, tzinfo=timezone.utc))
def test_conversion_of_timestamps_keeps_the_moment(moment: datetime) -> None:
    for text in {moment.isoformat(), moment.isoformat().replace("+00:00", "Z")}:
        converted, invalid, _ = convert(types("string", format="date-time"), text)
        assert not invalid
        assert converted.endswith("Z")
        assert parse_timestamp(converted) == moment
        assert converted == format_timestamp(moment)


@given(one=MOMENTS, other=MOMENTS)
def test_timestamps_sort_as_their_moments(one: datetime, other: datetime) -> None:
    """Those of the API have milliseconds at most."""
    one, other = (
        each.replace(microsecond=each.microsecond // 1000 * 1000) for each in (one, other)
    )
    assert (format_timestamp(one) < format_timestamp(other)) == (one < other)


@given(text=st.text(max_size=30))
def test_parsing_of_timestamps_returns_a_moment_or_refuses(text: str) -> None:
    try:
        moment = parse_timestamp(text)
    except ValueError:
        return
    assert moment.tzinfo is not None


@given(value=JSON | st.text(st.characters(codec=None), max_size=10))
def test_storable_values_have_no_nul_and_keep_all_else(value: Any) -> None:
    kept = storable(value)
    assert storable(kept) == kept
    if isinstance(value, str):
        assert kept == "".join(
            char for char in value if char != "\0" and not "\ud800" <= char <= "\udfff"
        )
        kept.encode("utf-8")
