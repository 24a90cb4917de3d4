"""A browser for `BROWSER`: signs in to the sandbox and follows the redirect."""

from __future__ import annotations

import sys
import urllib.parse
import urllib.request

from sandbox.auth.sign_in import PASSWORD, USER

if __name__ == "__main__":
    form = urllib.parse.urlencode({"user": USER, "password": PASSWORD, "answer": "yes"})
    urllib.request.urlopen(sys.argv[1], form.encode(), timeout=30).read()  # noqa: S310
