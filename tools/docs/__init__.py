"""The reference of the streams: what `make docs` writes from the schemas and the stream classes."""
