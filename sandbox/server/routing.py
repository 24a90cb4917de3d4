"""How an endpoint of the API is declared: path, permissions, parameters and paging.

An endpoint is a function that takes a `Call` and returns the body of the response or, for a list
with pages, a `Listing` of all rows that meet the filters. Checks of parameters, pages and next
links are here, once for all endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.server.errors import BARE, ApiError
from sandbox.server.parameters import integer

if TYPE_CHECKING:
    from sandbox.account import Account
    from sandbox.server.options import Options
    from sandbox.server.paging import Listing, Paging
    from sandbox.server.parameters import Check

T = TypeVar("T")
Function = Callable[..., Any]

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Call:
    """The input of an endpoint.

    Attributes:
        account: The account; it is locked while the endpoint runs.
        options: The sandbox's options.
        query: The parameters of the request, checked and converted.
    """

    account: Account
    options: Options
    query: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JsonResponse:
    """What an endpoint returns if the status of its response is not 200."""

    status: int
    body: Any


@dataclass(frozen=True)
class Endpoint:
    """One GET endpoint, as declared with `Service.get`."""

    path: str
    service: Service
    function: Function
    scope: str | None
    privilege: str | None
    parameters: Mapping[str, Check]
    required: tuple[str, ...]
    paging: Paging | None

    def respond(
        self,
        account: Account,
        options: Options,
        path: str,
        query: Mapping[str, str],
        ids: Mapping[str, str],
    ) -> Any:
        """Return the response to a request.

        Args:
            account: The account to read.
            options: The sandbox's options.
            path: The path of the request, for its next link.
            query: The query parameters as sent.
            ids: The values of the placeholders in the path.

        Returns:
            The body of the response, or a `JsonResponse`.

        Raises:
            ApiError: If the request is invalid.
        """
        if self.paging is None:
            return self.function(Call(account, options, self._checked(query)), **ids)
        paging = self.paging.chosen(options)
        first, position = self._requested_page(paging, query)
        call = Call(account, options, self._checked(first))
        listing: Listing | JsonResponse = self.function(call, **ids)
        if isinstance(listing, JsonResponse):
            return listing
        limit = call.query.get("limit", paging.default)
        return paging.page(listing, first, position, limit, path)

    def _requested_page(
        self, paging: Paging, query: Mapping[str, str]
    ) -> tuple[dict[str, str], Any]:
        try:
            return paging.requested_page(query)
        except ValueError as error:
            raise self.service.invalid(paging.parameter) from error

    def _checked(self, query: Mapping[str, str]) -> dict[str, Any]:
        for name in self.required:
            if name not in query:
                raise self.service.invalid(name)
        return {name: self._check(name, value) for name, value in query.items()}

    def _check(self, name: str, value: str) -> Any:
        try:
            return self.parameters[name](value)
        except (KeyError, ValueError) as error:
            raise self.service.invalid(name) from error


def without(record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return a record without some of its properties."""
    return {name: value for name, value in record.items() if name not in names}


ENDPOINTS: dict[str, Endpoint] = {}
"""All endpoints, by their path below /v3."""


@dataclass(frozen=True)
class Service:
    """A part of the API with one OAuth scope and one form of errors.

    Attributes:
        name: The prefix of its error keys.
        scope: The OAuth scope that its endpoints require; None = any token.
        bare_errors: Its errors are bare objects instead of arrays.
        for_partners: It accepts only the key and the tokens of a partner.
    """

    name: str
    scope: str | None
    bare_errors: bool = False
    for_partners: bool = False

    def get(
        self,
        path: str,
        *,
        privilege: str | None = None,
        parameters: Mapping[str, Check] | None = None,
        required: tuple[str, ...] = (),
        paging: Paging | None = None,
    ) -> Callable[[Function], Function]:
        """Declare the decorated function as a GET endpoint.

        Args:
            path: The path below /v3, with Flask's placeholders.
            privilege: The privilege it requires (`x-authorization-privileges` of the contract).
            parameters: The query parameters and their checks; paging adds `limit`.
            required: The parameters that a request must have.
            paging: How the list is divided into pages, if it is.
        """
        accepted = dict(parameters or {})
        if paging is not None:
            accepted["limit"] = integer(1, paging.max_limit)

        def declare(function: Function) -> Function:
            ENDPOINTS[path] = Endpoint(
                path, self, function, self.scope, privilege, accepted, required, paging
            )
            return function

        return declare

    def error(self, status: int, kind: str, message: str) -> ApiError:
        """Build an error of this service."""
        key = kind if status in BARE else f"{self.name}.{kind}"
        return ApiError(status, key, message, bare=self.bare_errors)

    def invalid(self, name: str) -> ApiError:
        """Build the error for an unknown parameter or an invalid value."""
        return self.error(400, "validation.error", f"{name} does not have a valid value")

    def find(self, records: Mapping[str, T], id_: str, name: str) -> T:
        """Return a record by its id.

        Raises:
            ApiError: 404, if there is no such record.
        """
        if id_ in records:
            return records[id_]
        fault = "was not found" if UUID.fullmatch(id_) else "is in an invalid format"
        raise self.error(404, "not_found", f"{name} {fault}.")
