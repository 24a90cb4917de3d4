"""The standard tests of airbyte-cdk, which know connectors as classes, run the executable."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConnectorSpecification,
    FailureType,
    Type,
)
from airbyte_cdk.sources.source import Source
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from conftest import PROJECT, run, settings_of_all

from sandbox import Sandbox


class Executable(Source):
    """The executable, as one of the classes that the tests know."""

    name = "source-constantcontact"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        return self._only(Type.SPEC, "spec").spec

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        return self._only(Type.CONNECTION_STATUS, "check", config=config).connectionStatus

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        return self._only(Type.CATALOG, "discover", config=config).catalog

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        chosen = ConfiguredAirbyteCatalogSerializer.dump(catalog)
        yield from self._messages("read", config=config, catalog=chosen)

    def _only(self, type_: Type, command: str, **files: Any) -> AirbyteMessage:
        (answer,) = [m for m in self._messages(command, **files) if m.type == type_]
        return answer

    def _messages(self, command: str, **files: Any) -> Iterator[AirbyteMessage]:
        done = run(self._folder, command, **files)
        for line in done.stdout.splitlines():
            yield AirbyteMessageSerializer.load(json.loads(line))
        if done.returncode:
            raise AirbyteTracedException(
                message=f"{command} ended with {done.returncode}",
                failure_type=FailureType.system_error,
            )


@pytest.mark.filterwarnings(
    "error::airbyte_cdk.test.standard_tests._catalog_checks.DiscoveredCatalogWarning"
)
class TestSource(SourceTestSuiteBase):
    """What airbyte-cdk expects of every source; its tests of images need a Docker engine."""

    connector_name = "source-constantcontact"
    folder: Path

    @pytest.fixture(autouse=True)
    def in_folder(self, folder: Path) -> None:
        type(self).folder = folder

    @pytest.fixture(params=["succeed", "failed"])
    def scenario(
        self, request: pytest.FixtureRequest, sandbox: Sandbox, folder: Path
    ) -> ConnectorTestScenario:
        config = settings_of_all(sandbox, folder)
        if request.param == "failed":
            config |= {"client_secret": "wrong", "token_store": str(folder / "none.json")}
        path = folder / f"{request.param}.json"
        path.write_text(json.dumps(config))
        return ConnectorTestScenario(config_path=path, status=request.param)

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return PROJECT

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> Executable:  # noqa: ARG003
        return Executable(cls.folder)
