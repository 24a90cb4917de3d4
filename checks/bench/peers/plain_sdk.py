"""A stream as the SDK's template creates it, with defaults. `python plain_sdk.py --config …`."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import BaseHATEOASPaginator

SCHEMA = Path(__file__).parents[3] / "schemas" / "contacts.json"


class NextLink(BaseHATEOASPaginator):
    """Follows the link to the next page."""

    def get_next_url(self, response):  # noqa: ANN001, ANN201
        """Return the link."""
        return response.json()["_links"].get("next", {}).get("href")


class Contacts(RESTStream):
    """Contacts."""

    name = "contacts"
    path = "/contacts"
    primary_keys = ("contact_id",)
    records_jsonpath = "$.contacts[*]"
    schema = json.loads(SCHEMA.read_text("utf-8"))

    @property
    def url_base(self) -> str:
        """The base URL of the API."""
        return self.config["api_url"]

    def get_new_paginator(self):  # noqa: ANN201
        """Return a paginator that follows the links."""
        return NextLink()

    def get_url_params(self, context, next_page_token):  # noqa: ANN001, ANN201
        """Return the parameters of a page."""
        return (
            dict(parse_qsl(urlsplit(next_page_token.geturl()).query))
            if next_page_token
            else {"limit": 500}
        )


class PlainTap(Tap):
    """The tap."""

    name = "tap-plain"
    config_jsonschema = th.PropertiesList(th.Property("api_url", th.StringType)).to_dict()

    def discover_streams(self) -> list:
        """Return the one stream."""
        return [Contacts(self)]


PlainTap.cli()
