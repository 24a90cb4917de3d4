"""Every private hook of the SDK that the tap overrides, and why.

A hook is private if its name or the SDK's docstring says so. If a new version of the SDK changes
the name or the signature of one, `tests/test_sdk_hooks.py` fails and names it. Each docstring says
why the hook is needed.

Public hooks that all streams implement in the same way are here too, so that `client.py` has only
what makes a stream.
"""
