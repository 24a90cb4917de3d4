"""The specification of the source, derived from the tap's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tap_constantcontact.airbyte.token_store import OWNER_PROPERTY
from tap_constantcontact.settings.choices import AUTH_URL
from tap_constantcontact.settings.schema import SETTINGS

#: The version of the Airbyte protocol.
_PROTOCOL = "0.3.2"
_DOCUMENTATION_URL = "https://developer.constantcontact.com/api_guide/server_flow.html"
_CONSENT_URL = "https://authz.constantcontact.com/oauth2/default/v1/authorize"
_SCOPE = "account_read contact_data campaign_data offline_access"
_REQUIRED = ["client_id", "refresh_token"]
# Where the source differs from the tap: a file on a container's disk keeps no tokens.
_OVERRIDES: Mapping[str, Mapping[str, Any]] = {
    "access_token": {
        "description": (
            "Access token from the same sign-in, used until it expires. Provide it with a rotating "
            "refresh token, so that the first check of a new source doesn't request tokens, which "
            "Airbyte would lose."
        )
    },
    "refresh_token": {
        "description": (
            "Refresh token of the account, from a sign-in with the scope offline_access. Rotating "
            "tokens are kept up to date here."
        )
    },
    "token_store": {"airbyte_hidden": True},
    "token_store_key": {"airbyte_hidden": True},
}
_OWNER_SCHEMA = {
    "type": "string",
    "title": "Owner of the access token",
    "description": "Stored with the access token to tell which refresh token it belongs to.",
    "airbyte_hidden": True,
}
_COPIED = ("title", "description", "default", "examples", "enum", "minimum")


def specification() -> dict[str, Any]:
    """Return the specification of the source."""
    properties = {
        name: {**_property(schema), "order": order, **_OVERRIDES.get(name, {})}
        for order, (name, schema) in enumerate(SETTINGS.to_dict()["properties"].items())
    }
    properties[OWNER_PROPERTY] = _OWNER_SCHEMA
    return {
        "documentationUrl": _DOCUMENTATION_URL,
        "protocol_version": _PROTOCOL,
        "supportsIncremental": True,
        "supported_destination_sync_modes": [],
        "connectionSpecification": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Constant Contact",
            "type": "object",
            "required": _REQUIRED,
            "additionalProperties": True,
            "properties": properties,
        },
        "advanced_auth": {
            "auth_flow_type": "oauth2.0",
            "oauth_config_specification": _oauth(),
        },
    }


def _property(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a setting as Airbyte's forms accept it: with one type, and Airbyte's secret flag."""
    declared = schema["type"]
    types = [declared] if isinstance(declared, str) else declared
    type_ = next(each for each in types if each != "null")
    converted = {name: schema[name] for name in _COPIED if name in schema}
    if type_ == "array":
        converted["items"] = _property(schema["items"])
    if type_ == "object":
        inner = schema.get("properties", {}).items()
        converted["properties"] = {name: _property(each) for name, each in inner}
        converted["required"] = schema.get("required", [])
        converted["additionalProperties"] = schema.get("additionalProperties", True)
    if schema.get("secret"):
        converted["airbyte_secret"] = True
    return {"type": type_, **converted}


def _oauth() -> dict[str, Any]:
    """Return how a platform signs in automatically, at the vendor's URLs (documented)."""
    token_url = (
        f"{AUTH_URL}?grant_type=authorization_code&{{{{auth_code_key}}}}={{{{auth_code_value}}}}"
        "&{{redirect_uri_key}}={{ {{redirect_uri_value}} | urlEncoder }}"
    )
    consent_url = (
        f"{_CONSENT_URL}?response_type=code&{{{{client_id_key}}}}={{{{client_id_value}}}}"
        "&{{redirect_uri_key}}={{ {{redirect_uri_value}} | urlEncoder }}"
        "&{{scope_key}}={{ {{scope_value}} | urlEncoder }}&{{state_key}}={{state_value}}"
    )
    return {
        "oauth_connector_input_specification": {
            "consent_url": consent_url,
            "scope": _SCOPE,
            "access_token_url": token_url,
            "access_token_headers": {
                "Accept": "application/json",
                "Authorization": (
                    "Basic {{ {{client_id_value}}:{{client_secret_value}} | base64Encoder }}"
                ),
                "Content-Type": "application/x-www-form-urlencoded",
            },
            "extract_output": ["access_token", "refresh_token"],
        },
        "complete_oauth_server_input_specification": _string_properties(
            "client_id", "client_secret"
        ),
        "complete_oauth_server_output_specification": _in_configuration(
            "client_id", "client_secret"
        ),
        "complete_oauth_output_specification": _in_configuration("access_token", "refresh_token"),
    }


def _string_properties(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def _in_configuration(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string", "path_in_connector_config": [name]} for name in names}
    return {"type": "object", "properties": properties}
