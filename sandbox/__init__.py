"""A fake Constant Contact v3 API for the demo and the tests.

```python
with Sandbox(contacts=60, campaigns=6, requests_per_second=0) as sandbox:
    sandbox.fail("/contacts", Fault.THROTTLED, times=2)
    run_a_tap(sandbox.settings)
    sandbox.change()
```

`python -m sandbox` serves one from the command line; README.md has the details.
"""

import sys

try:
    import flask  # noqa: F401 - to say so if it is missing
except ImportError:
    if sys.argv[:1] != ["-m"]:  # it is imported, and not run as `python -m sandbox`
        raise
    sys.exit("The sandbox requires Flask: use make sandbox, or pip install flask")

from sandbox.account import Account
from sandbox.server.app import PARTNER_TOKEN_PATH, TOKEN_PATH, Request
from sandbox.server.faults import Fault
from sandbox.server.options import Options
from sandbox.server.sandbox import Sandbox

__all__ = ["PARTNER_TOKEN_PATH", "TOKEN_PATH", "Account", "Fault", "Options", "Request", "Sandbox"]
