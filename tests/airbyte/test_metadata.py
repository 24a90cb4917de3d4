"""The connector is described as Airbyte's registry requires."""

from __future__ import annotations

import pytest
import yaml
from airbyte_connector_models.metadata.v0.connector_metadata_definition_v0 import (
    ConnectorMetadataDefinitionV0,
)
from conftest import PROJECT
from pydantic import ValidationError

METADATA = yaml.safe_load((PROJECT / "publish" / "metadata.yaml").read_text("utf-8"))


def test_metadata_have_the_form_of_the_registry() -> None:
    found = ConnectorMetadataDefinitionV0.model_validate(METADATA)
    assert found.data.docker_repository == "source-constantcontact"


@pytest.mark.parametrize("change", [{"definitionId": "none"}, {"connectorType": "tap"}, {"a": 1}])
def test_form_of_the_registry_is_strict(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ConnectorMetadataDefinitionV0.model_validate(
            {**METADATA, "data": {**METADATA["data"], **change}}
        )
