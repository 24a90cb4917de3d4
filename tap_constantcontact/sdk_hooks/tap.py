"""The private hooks of the tap."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigurationError
from singer_sdk.plugin_base import PluginBase
from typing_extensions import override

from tap_constantcontact.incremental.earlier_states import upgraded
from tap_constantcontact.settings.environment import read_environment
from tap_constantcontact.settings.stream_maps import ineffective

if TYPE_CHECKING:
    from types import FrameType


class TapHooks(Tap):
    """The private hooks of the tap."""

    @override
    def setup_mapper(self) -> None:
        """Make the maps of the streams that are read, so that wrong ones end the run at its start.

        The SDK's method makes those of all streams of the catalog. A public hook that chooses the
        streams would replace this.

        Raises:
            ConfigurationError: A rule holds for nothing, or can't be applied.
        """
        columns = {
            name: {*stream.schema["properties"], *stream.effective_schema["properties"]}
            for name, stream in self.streams.items()
        }
        read = [
            stream
            for stream in self.streams.values()
            if stream.selected or stream.has_selected_descendents
        ]
        names = [stream.name for stream in read]
        if problems := [*ineffective(self.config.get("stream_maps", {}), columns, names)]:
            raise ConfigurationError("; ".join(problems))
        PluginBase.setup_mapper(self)
        for stream in read:
            _ = stream.stream_maps

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, then let the SDK fill in defaults.

        The SDK's messages would print the values of secrets, and its constructor calls this method.
        A public hook for the validation would replace this.
        """
        self.append_builtin_config(self.config_jsonschema)
        self.check_settings(self._config, requires_login=raise_errors)
        super()._validate_config(raise_errors=False)
        self.resolve_settings(self._config)
        return []

    @abstractmethod
    def check_settings(self, config: dict[str, Any], *, requires_login: bool) -> None:
        """Raise an error if the settings are not valid.

        Args:
            config: The settings, whose texts are converted.
            requires_login: Whether missing credentials are an error: not in discovery.
        """

    @abstractmethod
    def resolve_settings(self, config: dict[str, Any]) -> None:
        """Convert valid settings to the form that the tap works with."""

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Exit with the exit status of the signal.

        The SDK exits with status 0, and waits for the line that is being written.
        """
        self.shut_down(signum)

    @abstractmethod
    def shut_down(self, signum: int) -> None:
        """End the run because of a signal."""

    @property
    @override
    def _env_var_config(self) -> dict[str, Any]:
        """The settings that `--config=ENV` reads, as texts.

        The SDK converts some texts to other values than people mean, fails at others without the
        name of the setting, and does not find the `.env` file of the working folder. A public hook
        for the environment would replace this.
        """
        return self.environment()

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state of an earlier run, as the versions of the tap write it."""
        read = upgraded(state, datetime.now(timezone.utc))
        if read.is_log_dropped:
            message = (
                "The change log in the state contradicts itself, as after an edit or a merge by an "
                "earlier version; all reports on campaigns are read again (no action needed)"
            )
            self.logger.warning(message)
        for name in read.in_future:
            message = (
                "%s: the state has a bookmark in the future, which is ignored: the stream is read "
                "from the start (no action needed)"
            )
            self.logger.warning(message, name)
        super().load_state(read.state)

    @classmethod
    def environment(cls) -> dict[str, Any]:
        """Return the settings of the environment and of `.env`, as texts.

        Raises:
            ConfigurationError: `.env` can't be read.
        """
        cls.append_builtin_config(cls.config_jsonschema)
        settings, file = read_environment(cls.config_jsonschema["properties"])
        sources = f"environment and {file}" if file else "environment"
        cls.logger.info("Settings of the %s: %s", sources, ", ".join(sorted(settings)) or "none")
        return settings

    def reset_progress_markers(self) -> None:
        """Remove the progress markers of streams that earlier runs did not finish.

        The SDK does so in `sync_all`, which entry points with a loop of their own do not call.
        """
        self._reset_state_progress_markers()
