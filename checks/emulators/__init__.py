"""Emulators of warehouses, and their loaders: what runs in the environments `.venv-target-…`."""
