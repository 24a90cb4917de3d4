"""The settings: their schema, their validation, and the streams that they declare."""
