"""A script that dlt runs, without a login to Google: SCRIPT."""

from __future__ import annotations

import runpy
import signal
import sys

import google.auth
from google.auth.credentials import AnonymousCredentials

# Ends the script: Google's client repeats some requests for ten minutes.
_SECONDS = 600

signal.alarm(_SECONDS)
google.auth.default = lambda *_, **__: (AnonymousCredentials(), None)
runpy.run_path(sys.argv[1], run_name="__main__")
