"""Streams that the setting custom_streams declares, for endpoints without a class."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from singer_sdk.exceptions import FatalAPIError
from typing_extensions import override

from tap_constantcontact.api.responses import body_of, request_line
from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.exceptions import Forbidden, Refused
from tap_constantcontact.incremental.start_date import starting_point, with_overlap
from tap_constantcontact.schema import key_of, with_added
from tap_constantcontact.settings.custom_streams import SINCE, WHOLE_RECORD, Declaration, schema_of

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_constantcontact.services import Services
    from tap_constantcontact.tap import TapConstantContact


class CustomStream(ConstantContactStream):
    """A stream that is declared in the settings. It gets its name from there."""

    def __init__(
        self, tap: TapConstantContact, services: Services, declaration: Declaration
    ) -> None:
        """Make a stream.

        Args:
            tap: The tap.
            services: What the streams of a run share.
            declaration: A validated item of the setting custom_streams.
        """
        self.name = declaration["name"]
        self.path = declaration["path"]
        self.scopes = tuple(declaration.get("scopes", ()))
        self.requires = f"the permissions that the vendor's reference names for {self.path}"
        self._declaration = declaration
        super().__init__(tap, services)
        self.row_key = tuple(declaration["primary_keys"])
        self.primary_keys = key_of(self.row_key, self.config)
        self.replication_key = declaration.get("replication_key")

    @cached_property
    @override
    def schema(self) -> dict[str, Any]:
        """The declared schema, or the whole record as one column."""
        is_whole = "schema" not in self._declaration
        return with_added(schema_of(self._declaration), self.config, is_whole=is_whole)

    @override
    def read(self, context: Context | None) -> Iterator[Record]:
        """Yield the records of all pages.

        Raises:
            FatalAPIError: The API rejects the declared request.
        """
        try:
            yield from super().read(context)
        except Forbidden:
            raise
        except Refused as refusal:
            message = f"{refusal}. Check path and params of {self.name} in custom_streams"
            raise FatalAPIError(message) from refusal

    @override
    def request_contexts(self, context: Context | None) -> list[Context]:
        """Return the declared parameters. Omit those with {since} if there is no such time."""
        params = {
            name: _text(value).replace(SINCE, self.since)
            for name, value in self._declaration.get("params", {}).items()
            if self.since or SINCE not in _text(value)
        }
        return [{"params": params}]

    @cached_property
    def since(self) -> str:
        """Where the run starts: the bookmark or start_date minus an overlap, or ""."""
        return with_overlap(starting_point(self))

    @override
    def parse_response(self, response: requests.Response) -> Iterator[Record]:
        """Yield the records of a response.

        Raises:
            FatalAPIError: The response does not match the declaration.
        """
        found: Any = body_of(response)
        for name in filter(None, self._declaration.get("records_path", "").split(".")):
            if found in (None, {}, []):
                return
            if not isinstance(found, dict) or name not in found:
                has = ", ".join(found) if isinstance(found, dict) else _kind_of(found)
                self._fail(response, f"the response has no {name}, but {has}", "records_path")
            found = found[name]
        for row in found if isinstance(found, list) else filter(None, [found]):
            if not isinstance(row, dict):
                self._fail(response, "the records are not JSON objects", "records_path")
            if missing := [key for key in self.row_key if key not in row]:
                what = f"a record has no {', '.join(missing)}, but {', '.join(row)}"
                self._fail(response, what, "primary_keys")
            if self.replication_key and self.replication_key not in row:
                self.records.report(
                    f"a record has no {self.replication_key}; check replication_key"
                )
            yield row

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return the record of a row, or None if it has not changed since the bookmark."""
        if "schema" not in self._declaration:
            columns = filter(None, [*self.row_key, self.replication_key])
            row = {**{name: row.get(name) for name in columns}, WHOLE_RECORD: row}
        record = super().post_process(row, context)
        if record and self.replication_key and self.since:
            changed_at = record[self.replication_key]
            return record if not changed_at or changed_at >= self.since else None
        return record

    def _fail(self, response: requests.Response, what: str, part: str) -> NoReturn:
        """Raise an error about a part of the declaration."""
        where = request_line(response)
        message = f"{where}: {what}. Check {part} of {self.name} in custom_streams"
        raise FatalAPIError(message)


def _kind_of(value: Any) -> str:
    return "an array" if isinstance(value, list) else "a value without properties"


def _text(value: str | float) -> str:
    """Return a query parameter as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
