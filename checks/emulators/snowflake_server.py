"""Serve Snowflake's protocol with fakesnow, and answer queries; its data is in memory."""

from __future__ import annotations

from typing import Any

from fakesnow import server
from serving import serve

DATABASE, SCHEMA = "ANALYTICS", "CONSTANTCONTACT"


def main() -> None:
    """Serve until the check ends."""
    with server() as served:
        # Now there is a module with the name of that function.
        from fakesnow.server import shared_fs  # noqa: PLC0415

        # Not as a client of the server, which gets null timestamps as 1970.
        connection = shared_fs.connect(DATABASE, SCHEMA)

        def answer(sql: str) -> dict[str, Any]:
            """Return the names of the columns and the rows of a query."""
            cursor = connection.cursor().execute(sql)
            columns = [column.name for column in cursor.description]
            return {"columns": columns, "rows": cursor.fetchall()}

        serve({"port": served["port"], "database": DATABASE}, answer)


if __name__ == "__main__":
    main()
