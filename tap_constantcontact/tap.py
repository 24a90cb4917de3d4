"""The tap: its settings, its streams, and the end of a run."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click
from jsonschema import Draft202012Validator
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigurationError, ConfigValidationError
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)

from tap_constantcontact import settings
from tap_constantcontact.auth import AccessTokenAuthenticator, Login, RefreshTokenAuthenticator
from tap_constantcontact.client import Api
from tap_constantcontact.ending import Ending, MessageWriter
from tap_constantcontact.errors import JSON_ERROR, RunEnded
from tap_constantcontact.limits import DayCount, Limits
from tap_constantcontact.streams import STREAMS

if TYPE_CHECKING:
    from types import FrameType

    from tap_constantcontact.client import ConstantContactStream

# Every replication key of the tap is a timestamp.
_BOOKMARK = {
    "type": "object",
    "properties": {"replication_key_value": {"pattern": "^(19|20)[0-9]{2}-", "type": "string"}},
}
_STATE = Draft202012Validator(
    {
        "type": "object",
        "properties": {"bookmarks": {"additionalProperties": _BOOKMARK, "type": "object"}},
        # An empty one is the first run's; a whole STATE message is none.
        "anyOf": [{"required": ["bookmarks"]}, {"maxProperties": 0}],
    }
)
_METADATA = {"type": "object", "required": ["breadcrumb", "metadata"]}
_STREAM = {
    "type": "object",
    "properties": {
        "schema": {"type": "object", "required": ["properties"]},
        "metadata": {"type": "array", "items": _METADATA},
    },
    "required": ["tap_stream_id", "schema"],
}
_OWN_STREAM = {
    "properties": {"tap_stream_id": {"enum": [vars(stream)["name"] for stream in STREAMS]}}
}
_CATALOG = Draft202012Validator(
    {
        "type": "object",
        "properties": {"streams": {"type": "array", "items": _STREAM, "contains": _OWN_STREAM}},
        "required": ["streams"],
    }
)


class TapConstantContact(Tap):
    """Reads everything that a Constant Contact account holds."""

    name = "tap-constantcontact"
    config_jsonschema = settings.SETTINGS.to_dict()
    message_writer_class = MessageWriter
    # Without batches and ACTIVATE_VERSION: `ConstantContactStream` says why.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability
        for capability in Tap.capabilities
        if capability not in (PluginCapabilities.BATCH, TapCapabilities.ACTIVATE_VERSION)
    ]

    message_writer: MessageWriter

    def __init__(self, **arguments: Any) -> None:
        """Make a tap; on the command line, it is closed when the command ends.

        Args:
            arguments: as `singer_sdk.Tap` takes them.
        """
        self._started = time.monotonic()
        self._ending = Ending(self._unfinished)
        _check_files(arguments.get("state"), arguments.get("catalog"))
        super().__init__(**arguments)
        if command := click.get_current_context(silent=True):
            command.call_on_close(self.close)

    @cached_property
    def api(self) -> Api:
        """What the streams share; made when the first of them needs it."""
        user_agent = self.config.get("user_agent") or f"{self.name}/{self.plugin_version}"
        login = self._login(user_agent)
        return Api(
            url=self.config["api_url"].rstrip("/"),
            login=login,
            limits=self._limits(login),
            user_agent=user_agent,
        )

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration files.

        Raises:
            ConfigurationError: one of them holds no settings.
        """
        try:
            return super().cb_config(ctx, param, value)
        except (TypeError, ValueError) as error:
            if isinstance(error, JSON_ERROR):
                raise
            message = "A configuration file must hold a JSON object with settings"
            raise ConfigurationError(message) from error

    def discover_streams(self) -> list[ConstantContactStream]:
        """Return all streams; needs no login and no network."""
        return [stream(self, lambda: self.api) for stream in STREAMS]

    def close(self) -> None:
        """End a run, however it went: write what state there is, and say what was done."""
        if "api" not in vars(self):
            return
        with suppress(RunEnded):  # nobody reads on, or another signal: it ends anyway
            self.state_writer.write_state(self.state)
        self.api.limits.save()
        self.logger.info(self._summary())

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, fill in defaults, and resolve a relative start_date.

        Overrides the SDK's check for messages that name the setting, what was given and what is
        accepted, and never the value of a secret.
        """
        now = datetime.now(timezone.utc)
        settings.tidy(self._config)
        self.append_builtin_config(self.config_jsonschema)
        errors = list(settings.problems(self._config, self.config_jsonschema, now))
        if errors and raise_errors:
            message = "The settings are not usable"
            raise ConfigValidationError(message, errors=errors, schema=self.config_jsonschema)
        for hint in settings.unknown(self._config, self.config_jsonschema):
            self.logger.warning(hint)
        super()._validate_config(raise_errors=False)
        if not errors:
            settings.resolve(self._config, now)
        return errors

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End within a second, with the exit status of the signal (the SDK's is 0)."""
        self._ending.begin(signum, self.message_writer)

    def _unfinished(self) -> AbstractContextManager[object]:
        """Return what a process that ends must wait for: a token request under way."""
        return self.api.login.requesting if "api" in vars(self) else nullcontext()

    def _login(self, user_agent: str) -> Login:
        if "refresh_token" not in self.config:
            return AccessTokenAuthenticator(self.config["access_token"])
        store = self.config.get("token_store")
        return RefreshTokenAuthenticator(
            auth_url=self.config["auth_url"],
            client_id=self.config["client_id"],
            client_secret=self.config.get("client_secret"),
            refresh_token=self.config["refresh_token"],
            store_path=Path(store).expanduser() if store else None,
            user_agent=user_agent,
        )

    def _limits(self, login: Login) -> Limits:
        folder = login.store.path.parent if isinstance(login, RefreshTokenAuthenticator) else None
        return Limits(
            requests_per_second=self.config["requests_per_second"],
            max_requests=self.config.get("max_requests"),
            daily_quota=self.config["daily_quota"],
            on_quota_exceeded=self.config["on_quota_exceeded"],
            day_count=DayCount(folder, self.config.get("client_id", "")),
        )

    def _summary(self) -> str:
        records, answers = self.message_writer.records, self.api.answers
        streams = ", ".join(
            f"{name} {records[name]} ({answers[name]} requests)"
            for name in sorted({*records, *answers})
        )
        return (
            f"Run ended after {time.monotonic() - self._started:.1f} s: "
            f"{self.api.limits.requests} requests, {self.api.retries} retries. "
            f"Records: {streams or 'none'}"
        )


def _check_files(state: Any, catalog: Any) -> None:
    """Check the shape of what an earlier command of the tap has written.

    Raises:
        ConfigurationError: the state or the catalog is not one.
    """
    if isinstance(state, (dict, list)) and not _STATE.is_valid(state):
        message = (
            "The state is not one of this tap: it must be the value of a STATE message, an object "
            "with bookmarks"
        )
        raise ConfigurationError(message)
    if isinstance(catalog, (dict, list)) and not _CATALOG.is_valid(catalog):
        message = (
            "The catalog is not one of this tap: it has no list of its streams; --discover writes "
            "a good one"
        )
        raise ConfigurationError(message)
