"""target-s3tables with a catalog in a file instead of Amazon's: FOLDER ARGUMENT …."""

from __future__ import annotations

import sys

from iceberg_catalog import open_catalog
from target_s3tables import iceberg
from target_s3tables.target import TargetS3Tables

folder = sys.argv.pop(1)
iceberg.load_catalog = lambda *_, **__: open_catalog(folder)
TargetS3Tables.cli()
