"""The SDK's own tests of a tap, against a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from singer_sdk.testing import get_tap_test_class
from support.in_process import quick_retries
from support.sandboxes import small_sandbox
from support.tap import TapCommand

from tap_constantcontact.tap import TapConstantContact

# The class is made before its sandbox, whose settings come when its tests begin.
CONFIG: dict[str, Any] = {"access_token": "none yet"}


def catalog_with_all_streams() -> dict[str, Any]:
    """Return the catalog with every stream selected: the tests expect columns of all."""
    tap = TapConstantContact(config=CONFIG)
    for stream in tap.streams.values():
        stream.selected = True
    return tap.catalog_dict


SdkSuite = get_tap_test_class(
    TapConstantContact,
    config=CONFIG,
    catalog=catalog_with_all_streams(),
    parse_env_config=False,
)


@pytest.mark.sandbox
class TestSdkSuite(SdkSuite):  # type: ignore[misc, valid-type]
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def served(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with small_sandbox() as sandbox, quick_retries():
            CONFIG.update(TapCommand(tmp_path_factory.mktemp("built_in")).settings_of_all(sandbox))
            yield
