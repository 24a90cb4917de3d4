"""Generators of docs and plugin.yaml, and the comparison of schemas with the contract."""
