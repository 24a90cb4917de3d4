"""The section of the troubleshooting page that explains a message.

Messages are recognized by their wording, so the code that writes one doesn't name its section. A
test makes sure that each message of the package leads to the section that lists it.
"""

from __future__ import annotations

#: The page, as it is found in the repository and on the documentation site.
PAGE = "troubleshooting"

#: Anchors of the page, and words of the messages there. Of several matches, the first one counts.
TOPICS: dict[str, tuple[str, ...]] = {
    "missing-credentials": ("Missing credentials",),
    "unknown-stream": (
        "Invalid --select",
        "--discover lists all",
        "unknown streams:",
        "Unknown stream: ",
    ),
    "unknown-setting": (
        "Unknown setting:",
        "Did you mean",
        "Run with --about",
    ),
    "partner-settings": (
        "partner_api_key requires",
        "requires partner_api_key",
        "partner_api_key is not set",
    ),
    "stream-maps": (
        "stream_maps:",
        "Invalid stream_maps",
        "or __NULL__",
        "no stream is called",
        "there is no property",
        "has the rules of",
        "stream_maps or flattening",
        "stream_maps for",
        "there is no ",
    ),
    "package-conflict": ("Can't start: ",),
    "log-configuration": (
        "Invalid LOGLEVEL",
        "Invalid logging configuration",
    ),
    "airbyte-catalog": (
        "not an Airbyte configured catalog",
        "The configured catalog",
    ),
    "airbyte-state": ("not one of this connector",),
    "invalid-json": (
        "config file must contain",
        "Invalid JSON",
        "the file is empty",
    ),
    "file-access": (
        "Check its path",
        "it is closed",
        "not a text file",
    ),
    "invalid-state": ("Invalid state",),
    "ignored-state": (
        "change log in the state",
        "bookmark in the future",
    ),
    "invalid-catalog": ("Invalid catalog",),
    "no-stream-selected": (
        "The catalog selects no stream,",
        "streams are not selected",
    ),
    "missing-columns": (
        "The catalog lacks",
        "with add_account_id, which is off",
    ),
    "primary-and-replication-keys": (
        "another primary key",
        "a replication key that some",
        "a replication method that some",
    ),
    "refresh-token": (
        " token (",
        "It has already been used",
        "may have used it in the meantime",
    ),
    "client-secret": (
        "Check client_id and client_secret",
        "Missing client_secret",
    ),
    "device-code": (
        "a device code",
        "no device code",
    ),
    "token-endpoint": (
        "The token endpoint returned",
        ". Check auth_url",
    ),
    "access-token-401": (
        "rejects a new access token",
        "rejects the access token",
        "401, with a new token",
    ),
    "account-id": (
        "add_account_id requires",
        "is the column of add_account_id",
        "no encoded_account_id",
    ),
    "token-store": (
        "the token store",
        "token_store_key requires token_store",
        "set token_store_key",
        "no key in token_store_key",
    ),
    "login-extra": ("requires the login extra",),
    "sign-in-options": (
        "Missing client ID",
        "Missing refresh_token",
        "Invalid auth_url",
        "Invalid --scopes",
        "selects no stream of the account",
    ),
    "redirect-uri": (
        "Can't listen on",
        "Invalid --redirect-uri",
    ),
    "sign-in-timed-out": (
        "waiting for the sign-in",
        "was not entered in time",
        "No address was pasted",
    ),
    "no-refresh-token": ("returned no refresh token",),
    "sign-in-failed": (
        "Access was denied",
        "rejected the code",
        "No tokens were issued",
        "No response to the token request",
        "rejected the sign-in",
    ),
    "daily-quota": (
        "Daily quota reached",
        "daily quota is exhausted",
        "the quota resets",
        "The quota resets",
    ),
    "request-budget": (
        "Request budget reached",
        "Progress is saved",
        "Run the check again",
    ),
    "per-contact-streams": (
        "streams that request each contact",
        "later runs resume the cycle",
    ),
    "shared-limits": (
        "Rate limits are no longer shared",
        "Can't use the Redis server",
        "or unset limits_url",
    ),
    "redis-server": (
        "requires the redis extra",
        "unknown option in the URL",
        "its certificate isn't trusted",
        "it needs the keys",
    ),
    "network": ("Can't reach the API",),
    "429-and-5xx": (
        "Retries failed",
        "not a JSON object or array",
    ),
    "unexpected-response": (
        "where they are expected",
        "leads to another host",
        "form a loop",
    ),
    "sms": (
        "with an SMS channel",
        "Continuing without sms_channel",
        "Skipping SMS lists",
    ),
    "skipped-item-404": ("skipping one item",),
    "permission-denied-403": (
        " is skipped:",
        ". Requires ",
        "can't read any",
        "This account can't read",
        "can't be read: requires",
        "Sign in with these permissions",
    ),
    "airbyte-streams": (
        "can't be read: ",
        "was not read: ",
    ),
    "incomplete-rankings": ("incomplete rankings",),
    "report-counters": (
        "although its counter is 0",
        "fewer rows than its counter",
    ),
    "contact-pages": ("picked up by a later run",),
    "missing-key": ("skipped a record with no",),
    "duplicate-key": ("skipped a record whose",),
    "unexpected-type": ("unexpected type",),
    "unknown-properties": ("unknown properties",),
    "custom-stream-response": (
        "in custom_streams",
        "check replication_key",
        "the response has no ",
        "the records are not JSON",
        "a record has no ",
    ),
    "custom-stream-declaration": (
        "Invalid custom_streams",
        "(accepted properties:",
        "(must start with a lowercase",
        "(must be a new name",
        "(must be a path below",
        ".primary_keys: []",
        "requires a replication_key",
        "the column of the whole record",
        "(must start with a letter",
        "in more than capitals",
        "exactly one type of",
        "an object of names and schemas",
        "as it is a primary key",
        "as it is the replication key",
    ),
    "unexpected-error": ("Unexpected ",),
    "rejected-request-400": (
        "rejects this request",
        "no reason given",
        "; request ID",
    ),
    "invalid-setting": (
        "The settings are not usable",
        "(must be ",
        "value hidden",
        "contact_activity_types: []",
        "must not be in the future",
    ),
}

#: Words after a text of the API, in which any words of the topics can be.
_AFTER_TEXTS_OF_THE_API = (
    "The API rejects this request",
    "Retries failed",
    ". Requires ",
)


def topic(message: str) -> str | None:
    """Return the anchor of the section that explains a message, or None if there is none.

    Args:
        message: The message, as people see it.
    """
    message = next((words for words in _AFTER_TEXTS_OF_THE_API if words in message), message)
    matches = (anchor for anchor, words in TOPICS.items() if any(word in message for word in words))
    return next(matches, None)


def with_topic(message: str) -> str:
    """Append where a message is explained, unless it already says so.

    Args:
        message: The message, as people see it.
    """
    anchor = topic(message)
    return message if anchor is None or _mark("") in message else f"{message} [{_mark(anchor)}]"


def _mark(anchor: str) -> str:
    return f"docs: {PAGE}#{anchor}"
