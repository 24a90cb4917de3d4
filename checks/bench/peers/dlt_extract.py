"""The extract step of dlt's `rest_api` source, into files. `python dlt_extract.py API_URL`."""

import json
import sys
import tempfile
import time

import dlt
from dlt.sources.rest_api import rest_api_source

source = rest_api_source(
    {
        "client": {
            "base_url": f"{sys.argv[1]}/",
            "paginator": {"type": "json_link", "next_url_path": "_links.next.href"},
        },
        "resources": [
            {
                "name": "contacts",
                "primary_key": "contact_id",
                "endpoint": {
                    "path": "contacts",
                    "params": {"limit": 500},
                    "data_selector": "contacts",
                },
            }
        ],
    }
)
with tempfile.TemporaryDirectory() as folder:
    pipeline = dlt.pipeline("bench", destination="dummy", pipelines_dir=folder)
    began = time.perf_counter()
    pipeline.extract(source)
    seconds = time.perf_counter() - began
    counts = pipeline.last_trace.last_extract_info.metrics
    records = sum(
        table.items_count
        for steps in counts.values()
        for step in steps
        for name, table in step["table_metrics"].items()
        if name == "contacts"
    )
print(json.dumps({"records": records, "seconds": seconds}))
