"""The check of a live account: `tap-constantcontact-check`."""
