"""The settings: their schema, their validation, and the streams they declare."""
