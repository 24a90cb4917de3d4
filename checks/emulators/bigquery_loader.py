"""target-bigquery without a login and without its pauses: PORT ARGUMENT …."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import SimpleNamespace

import google.auth
from google.auth.credentials import AnonymousCredentials
from target_bigquery import core
from target_bigquery.target import TargetBigQuery

# Ends the loader: its client repeats some requests for ten minutes.
_SECONDS = 600

signal.alarm(_SECONDS)
os.environ["BIGQUERY_EMULATOR_HOST"] = f"http://127.0.0.1:{sys.argv.pop(1)}"
google.auth.default = lambda *_, **__: (AnonymousCredentials(), None)
# Seven seconds and a half for each stream.
core.time = SimpleNamespace(strftime=time.strftime, sleep=lambda _: None)
TargetBigQuery.cli()
