"""The private hooks of the SDK that the tap relies on: their names, signatures and callers."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import singer_sdk
from singer_sdk import RESTStream, Tap
from singer_sdk.helpers import _catalog
from singer_sdk.mapper import PluginMapper

import tap_constantcontact
from tap_constantcontact.sdk_hooks import streams, tap
from tap_constantcontact.sdk_hooks.streams import StreamHooks
from tap_constantcontact.sdk_hooks.tap import TapHooks
from tap_constantcontact.tap import TapConstantContact

PACKAGE = Path(tap_constantcontact.__file__).parent
SDK = Path(singer_sdk.__file__).parent

#: The parameters of each private hook that is overridden or called.
SIGNATURES: dict[tuple[type | ModuleType, str], list[str]] = {
    (RESTStream, "_generate_record_messages"): ["self", "record"],
    (RESTStream, "_sync_records"): ["self", "context", "write_messages"],
    (RESTStream, "_increment_stream_state"): ["self", "latest_record", "context"],
    (RESTStream, "finalize_state_progress_markers"): ["self", "state"],
    (Tap, "_validate_config"): ["self", "raise_errors"],
    (Tap, "_handle_termination"): ["self", "signum", "frame"],
    (Tap, "_reset_state_progress_markers"): ["self"],
    (_catalog, "get_selected_schema"): ["stream_name", "schema", "mask"],
    (PluginMapper, "register_raw_stream_schema"): [
        *("self", "stream_name", "schema", "key_properties"),
    ],
}


@pytest.mark.parametrize(
    ("cls", "name"), SIGNATURES, ids=lambda part: getattr(part, "__name__", part)
)
def test_private_hook_of_the_sdk_has_its_signature(cls: type | ModuleType, name: str) -> None:
    hook = getattr(cls, name, None)
    advice = (
        f"This version of singer-sdk has changed {cls.__name__}.{name}, which "
        "tap_constantcontact/sdk_hooks overrides or calls. Adapt it there"
    )
    assert hook is not None, advice
    assert list(inspect.signature(hook).parameters) == SIGNATURES[cls, name], advice


def test_sdk_still_reads_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_CONSTANTCONTACT_CLIENT_ID", "a1b2c3")
    monkeypatch.setenv("TAP_CONSTANTCONTACT_ACCESS_TOKEN", "token")
    monkeypatch.setenv("TAP_CONSTANTCONTACT_KEEP_UNKNOWN_FIELDS", "enabled")
    config = TapConstantContact(parse_env_config=True).config
    assert config["client_id"] == "a1b2c3"
    assert config["keep_unknown_fields"] is True


def test_private_hooks_of_the_sdk_are_overridden_in_sdk_hooks_only() -> None:
    assert set(_overridden()) == {
        (module, cls, name)
        for (module, cls), names in {
            ("sdk_hooks.streams", "StreamHooks"): (
                "_generate_record_messages",
                "_sync_records",
                "_increment_stream_state",
            ),
            ("sdk_hooks.tap", "TapHooks"): (
                "_validate_config",
                "_env_var_config",
                "_handle_termination",
            ),
        }.items()
        for name in names
    }


def test_private_attributes_of_the_sdk_are_used_in_sdk_hooks_only() -> None:
    assert sorted(_touched()) == []


def test_canary_knows_every_hook_that_is_used() -> None:
    source = inspect.getsource(streams) + inspect.getsource(tap)
    own = {*vars(StreamHooks), *vars(TapHooks)} - {*vars(object)}
    used = {name for name in re.findall(r"\b_[a-z]\w+", source) if name in _sdk_private_names()}
    known = {name for _, name in SIGNATURES if _is_private(name)} | {
        *("_config", "_env_var_config", "_catalog")
    }
    assert used == known, "say in SIGNATURES what it looks like"
    assert {"_generate_record_messages", "_validate_config"} <= own


def _overridden() -> Iterator[tuple[str, str, str]]:
    """Yield the private names of SDK classes that classes of ours define too."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and _extends_the_sdk(path, node.name):
                for item in node.body:
                    name = getattr(item, "name", "")
                    if _is_private(name) and name in _sdk_private_names():
                        yield ".".join(_module_of(path)), node.name, name


def _touched() -> Iterator[str]:
    """Yield where attributes are used that the SDK's classes name as private."""
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name == "sdk_hooks":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        own = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        own |= {getattr(node, "name", "") for node in ast.walk(tree)}
        for node in ast.walk(tree):
            name = getattr(node, "attr", "")
            if _is_private(name) and name in _sdk_private_names() - own:
                yield f"{path.relative_to(PACKAGE)}: {name}"


def _extends_the_sdk(path: Path, name: str) -> bool:
    module = ".".join(("tap_constantcontact", *_module_of(path)))
    if path.stem.startswith("__"):
        return False
    cls: Any = getattr(__import__(module, fromlist=[name]), name, object)
    return any(base.__module__.startswith("singer_sdk") for base in cls.__mro__)


def _module_of(path: Path) -> tuple[str, ...]:
    """Return the parts of a module's name in the package."""
    return path.relative_to(PACKAGE).with_suffix("").parts


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 1


def _sdk_private_names() -> set[str]:
    """Return the private attributes and methods that the SDK's streams and taps have."""
    files = ("streams/core.py", "streams/rest.py", "tap_base.py", "plugin_base.py", "io_base.py")
    names: set[str] = set()
    for file in files:
        text = (SDK / file).read_text("utf-8")
        names |= set(re.findall(r"self\.(_[a-z]\w*)", text)) | set(
            re.findall(r"def (_[a-z]\w*)", text)
        )
    return {name for name in names if _is_private(name)}
