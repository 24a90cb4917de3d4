"""The JSON Schemas of the streams."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from singer_sdk import SchemaDirectory, StreamSchema


def _schemas() -> Any:
    """Return the folder of schemas: in the package when installed, beside it in a checkout."""
    packaged = files(__package__) / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "schemas"


SCHEMAS = SchemaDirectory(_schemas())
#: The column for what a schema does not know.
EXTRA = {
    "type": ["object", "null"],
    "description": "Properties that the schema does not know: their paths, and lists of values.",
}


class SchemaOfStream(StreamSchema):
    """The schema of a stream, with a place for what it does not know where that is asked for."""

    def get_stream_schema(self, stream: Any, stream_class: type[Any]) -> dict[str, Any]:
        """Return the schema of a stream.

        Args:
            stream: the stream.
            stream_class: its class.
        """
        schema: dict[str, Any] = super().get_stream_schema(stream, stream_class)
        if stream.config.get("keep_unknown_fields"):
            schema = {**schema, "properties": {**schema["properties"], "_extra": EXTRA}}
        # Is found there from now on: the SDK asks for it with every record.
        vars(stream)["schema"] = schema
        return schema
