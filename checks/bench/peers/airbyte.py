"""The declarative source of `airbyte-cdk`. `python airbyte.py CONFIG CATALOG`."""

import sys
from pathlib import Path

import yaml
from airbyte_cdk.entrypoint import launch
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

HERE = Path(__file__).parent
manifest = yaml.safe_load((HERE / "airbyte.yaml").read_text("utf-8"))
SCHEMAS = HERE.parents[2] / "schemas"
schema = yaml.safe_load((SCHEMAS / "contacts.json").read_text("utf-8"))
manifest["streams"][0]["schema_loader"]["schema"] = schema
config, catalog = sys.argv[1:]
arguments = ["read", "--config", config, "--catalog", catalog]
source = ConcurrentDeclarativeSource(
    source_config=manifest,
    config=yaml.safe_load(Path(config).read_text("utf-8")),
    catalog=None,
    state=None,
)
launch(source, arguments)
