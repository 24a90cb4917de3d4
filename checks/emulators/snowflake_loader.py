"""target-snowflake with fakesnow in place of Snowflake: `python snowflake_loader.py PORT …`.

What fakesnow lacks is said in other words: a user's own stage (`@~`) is a named one, and what is
merged from a stage is first copied into a table.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from sqlalchemy import event
from target_snowflake.connector import SnowflakeConnector
from target_snowflake.target import TargetSnowflake

STAGE = "FILES"
#: What only tidies up.
IGNORED = ["^remove ", "^drop file format "]

PORT = int(sys.argv.pop(1))
_STAGED = re.compile(r"'@~/(.*?)'")
_MERGED = re.compile(
    r"\(select (.*?) from '@~/(.*?)'\(file_format => .*?\) (qualify .*?)\) s on", re.IGNORECASE
)


def connect_args(connector: SnowflakeConnector) -> dict[str, Any]:
    """Return what the loader connects with, to the server of the check."""
    given = _connect_args(connector)
    parameters = {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False, "nop_regexes": IGNORED}
    return {
        **given,
        "session_parameters": {**given["session_parameters"], **parameters},
        "host": "127.0.0.1",
        "port": PORT,
        "protocol": "http",
        # fakesnow needs one; the loader names it in every statement.
        "schema": connector.config["default_target_schema"],
        "client_session_keep_alive": False,
        "network_timeout": 60,
    }


def create_engine(connector: SnowflakeConnector) -> Any:
    """Return an engine that says what fakesnow lacks in other words."""
    engine = _create_engine(connector)

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def rewrite(connection: Any, _: Any, statement: str, *given: Any) -> tuple[str, Any]:
        with connection.connection.cursor() as cursor:
            return rewritten(statement, cursor), given[0]

    with engine.connect() as connection:
        connection.exec_driver_sql(f"create stage if not exists {STAGE}")
    return engine


def rewritten(statement: str, cursor: Any) -> str:
    """Return a statement that fakesnow understands, and prepare what it merges.

    Args:
        statement: The statement of the loader.
        cursor: A cursor for other statements.
    """
    if not (merged := _MERGED.search(statement)):
        return _STAGED.sub(rf"@{STAGE}/\1", statement)
    columns, folder, latest = merged.groups()
    table = "MERGED_" + re.sub(r"\W", "_", folder)
    cursor.execute(f"create temporary table {table} (record variant)")
    cursor.execute(f"copy into {table} from @{STAGE}/{folder} file_format = (type = 'JSON')")
    # The order in which the loader has written them, which seq8() would tell.
    numbered = f"select record, row_number() over (order by (select null)) as place from {table}"  # noqa: S608
    selected = f"{columns.replace('$1:', 'record:')} from ({numbered})"
    latest = latest.replace("SEQ8()", "place")
    cursor.execute(f"create temporary table {table}_rows as select {selected} {latest}")
    return statement.replace(merged[0], f"{table}_rows s on")


_connect_args = SnowflakeConnector.get_connect_args
_create_engine = SnowflakeConnector.create_engine
SnowflakeConnector.get_connect_args = connect_args
SnowflakeConnector.create_engine = create_engine
TargetSnowflake.cli()
