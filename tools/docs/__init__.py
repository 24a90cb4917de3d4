"""The reference of the streams, which `make docs` writes from the schemas and stream classes."""
