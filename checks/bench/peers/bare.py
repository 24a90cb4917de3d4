"""The bare loop: `requests`, `json`, and nothing else. `python bare.py API_URL`."""

import json
import sys
import time
from urllib.parse import urljoin

import requests

base = sys.argv[1]
session = requests.Session()
began = time.perf_counter()
records = 0
url = f"{base}/contacts?limit=500"
while url:
    body = json.loads(session.get(url, timeout=60).content)
    records += len(body["contacts"])
    link = body["_links"].get("next")
    url = urljoin(url, link["href"]) if link else None
print(json.dumps({"records": records, "seconds": time.perf_counter() - began}))
