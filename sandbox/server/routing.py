"""How an endpoint of the API is declared: its path, what it needs, what it accepts, how it pages.

An endpoint is a function that gets a `Call` and gives back the body of the answer or, if it is a
list that comes in pages, a `Listing` of everything that meets the filters. Checking parameters,
cutting pages and writing next links happens here, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.server.errors import BARE, ApiError
from sandbox.server.parameters import whole

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
    """What an endpoint answers from.

    Attributes:
        account: The account; it is locked while the endpoint answers.
        options: The sandbox's options.
        query: The parameters of the request, checked and converted.
    """

    account: Account
    options: Options
    query: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What an endpoint gives back if the status of its answer is not 200."""

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

    def answer(
        self,
        account: Account,
        options: Options,
        path: str,
        query: Mapping[str, str],
        ids: Mapping[str, str],
    ) -> Any:
        """Answer a request.

        Args:
            account: What to answer from.
            options: The sandbox's options.
            path: The path of the request, for its next link.
            query: The query parameters as sent.
            ids: What the placeholders of the path stand for.

        Returns:
            The body of the answer, or a `Reply`.

        Raises:
            ApiError: If the request is wrong.
        """
        if self.paging is None:
            return self.function(Call(account, options, self._checked(query)), **ids)
        first, position = self._asked(self.paging, query)
        call = Call(account, options, self._checked(first))
        listing: Listing | Reply = self.function(call, **ids)
        if isinstance(listing, Reply):
            return listing
        limit = call.query.get("limit", self.paging.default)
        return self.paging.page(listing, first, position, limit, path)

    def _asked(self, paging: Paging, query: Mapping[str, str]) -> tuple[dict[str, str], Any]:
        try:
            return paging.asked(query)
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
    """Leave some properties of a record out."""
    return {name: value for name, value in record.items() if name not in names}


ENDPOINTS: dict[str, Endpoint] = {}
"""All endpoints, by their path below /v3."""


@dataclass(frozen=True)
class Service:
    """A part of the API that has one OAuth scope and speaks of errors in one voice.

    Attributes:
        name: What its error keys begin with.
        scope: The OAuth scope that its endpoints need; None = any token will do.
        bare_errors: Its errors are bare objects instead of arrays.
        for_partners: It takes the key and the tokens of a partner, and no others.
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
        """Declare that the function below answers GET requests.

        Args:
            path: The path below /v3, with placeholders as Flask writes them.
            privilege: What the user must hold (`x-authorization-privileges` of the contract).
            parameters: The query parameters and their checks; paging brings `limit` with it.
            required: Those of them that have to be sent.
            paging: How the list is cut into pages, if it is.
        """
        accepted = dict(parameters or {})
        if paging is not None:
            accepted["limit"] = whole(1, paging.most)

        def declare(function: Function) -> Function:
            ENDPOINTS[path] = Endpoint(
                path, self, function, self.scope, privilege, accepted, required, paging
            )
            return function

        return declare

    def error(self, status: int, kind: str, message: str) -> ApiError:
        """Make an error of this service."""
        key = kind if status in BARE else f"{self.name}.{kind}"
        return ApiError(status, key, message, bare=self.bare_errors)

    def invalid(self, name: str) -> ApiError:
        """Make the error for a parameter that is unknown, or whose value is."""
        return self.error(400, "validation.error", f"{name} does not have a valid value")

    def find(self, records: Mapping[str, T], id_: str, name: str) -> T:
        """Look a record up.

        Raises:
            ApiError: 404, if there is none.
        """
        if id_ in records:
            return records[id_]
        fault = "was not found" if UUID.fullmatch(id_) else "is in an invalid format"
        raise self.error(404, "not_found", f"{name} {fault}.")
