"""A catalog of Iceberg tables in a file, with its tables next to it."""

from __future__ import annotations

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog

NAMESPACE = "constantcontact"


def open_catalog(folder: str) -> Catalog:
    """Open the catalog in a folder that exists."""
    return SqlCatalog(
        "checks", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/tables"
    )
