"""What the source needs to know, in the words of the tap's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tap_constantcontact.airbyte.tokens import OWNER
from tap_constantcontact.settings.choices import AUTH_URL
from tap_constantcontact.settings.schema import SETTINGS

#: The version of the Airbyte protocol.
_PROTOCOL = "0.3.2"
_DOCUMENTATION_URL = "https://developer.constantcontact.com/api_guide/server_flow.html"
_CONSENT_URL = "https://authz.constantcontact.com/oauth2/default/v1/authorize"
_SCOPE = "account_read contact_data campaign_data offline_access"
_REQUIRED = ["client_id", "refresh_token"]
# What is different from the tap: where the disk does not stay, a file keeps no tokens.
_OWN: Mapping[str, Mapping[str, Any]] = {
    "access_token": {
        "description": (
            "An access token of the same sign-in; it is used until it ends. Give it with a "
            "refresh token that rotates: the first check of a new source then needs no other, "
            "which Airbyte would lose."
        )
    },
    "refresh_token": {
        "description": (
            "Refresh token of the account, from a sign-in with the scope offline_access. One that "
            "rotates is kept up to date here."
        )
    },
    "token_store": {"airbyte_hidden": True},
}
_OWNER = {
    "type": "string",
    "title": "Owner of the access token",
    "description": "Is handed over with the access token, and says which refresh token it is of.",
    "airbyte_hidden": True,
}
_COPIED = ("title", "description", "default", "examples", "enum", "minimum")


def specification() -> dict[str, Any]:
    """Return the specification of the source's configuration."""
    properties = {
        name: {**_property(schema), "order": order, **_OWN.get(name, {})}
        for order, (name, schema) in enumerate(SETTINGS.to_dict()["properties"].items())
    }
    properties[OWNER] = _OWNER
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
    """Return a setting as the forms of Airbyte take it: of one type, and a secret by its name."""
    kinds = schema["type"]
    kind = next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")
    own = {name: schema[name] for name in _COPIED if name in schema}
    if kind == "array":
        own["items"] = _property(schema["items"])
    if kind == "object":
        inner = schema.get("properties", {}).items()
        own["properties"] = {name: _property(each) for name, each in inner}
        own["required"] = schema.get("required", [])
        own["additionalProperties"] = schema.get("additionalProperties", True)
    if schema.get("secret"):
        own["airbyte_secret"] = True
    return {"type": kind, **own}


def _oauth() -> dict[str, Any]:
    """Return how a platform signs in by itself, at the vendor's addresses (documented)."""
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
        "complete_oauth_server_input_specification": _places("client_id", "client_secret"),
        "complete_oauth_server_output_specification": _in_configuration(
            "client_id", "client_secret"
        ),
        "complete_oauth_output_specification": _in_configuration("access_token", "refresh_token"),
    }


def _places(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def _in_configuration(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string", "path_in_connector_config": [name]} for name in names}
    return {"type": "object", "properties": properties}
