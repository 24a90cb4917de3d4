"""Sync Constant Contact accounts.

Loads the accounts of an API key into PostgreSQL, each into its own schema. An account that finds
the daily quota of the key exhausted waits for the reset at midnight UTC, and then continues.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pendulum
from airflow.sdk import DAG, BaseOperator, Connection, Context, Param, Variable, task
from airflow.sdk.exceptions import AirflowException, AirflowRescheduleException

#: Each API key has a Dag and a pool (pools.json), because its accounts share its limits.
API_KEYS = ("agency", "shops")

#: The tap's exit code when the daily quota is exhausted.
QUOTA_EXHAUSTED = 75


class SyncAccountOperator(BaseOperator):
    """Loads one account with `meltano run`.

    Args:
        account: The name of the account, of its schema and of its state. The ID of its connection
            is constantcontact_NAME.
    """

    def __init__(self, *, account: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.account = account
        self.process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> None:
        installed = Path(os.environ["MELTANO_PROJECT_ROOT"], ".meltano")
        with TemporaryDirectory(prefix="meltano-") as folder:
            # Runs at the same time would overwrite each other's files in .meltano/run.
            for plugins in ("extractors", "loaders"):
                Path(folder, plugins).symlink_to(installed / plugins)
            status = self.run({**os.environ, **self.settings(), "MELTANO_SYS_DIR_ROOT": folder})
        if status == QUOTA_EXHAUSTED:
            raise AirflowRescheduleException(next_reset())
        if status:
            raise AirflowException(f"meltano run failed with exit code {status}")

    def settings(self) -> dict[str, str]:
        """Return the settings of tap, target and Meltano; connections have the secret ones."""
        warehouse = Connection.get("constantcontact_warehouse")
        redis = Connection.get("constantcontact_redis").get_uri()
        tap = {
            **Connection.get(f"constantcontact_{self.account}").extra_dejson,
            "limits_url": redis,
            "token_store": redis,
        }
        target = {
            "host": warehouse.host,
            "port": warehouse.port,
            "user": warehouse.login,
            "password": warehouse.password,
            "database": warehouse.schema,
            "default_target_schema": self.account,
        }
        return {
            **variables("TAP_CONSTANTCONTACT", tap),
            **variables("TARGET_POSTGRES", target),
            # Meltano keeps the state of each account in the database of its tables.
            "MELTANO_DATABASE_URI": warehouse.get_uri().replace("postgres:", "postgresql+psycopg:"),
        }

    def run(self, environment: dict[str, str]) -> int:
        """Run Meltano, log what it logs, and return the exit code: the tap's if only it failed."""
        command = ["meltano", "--environment=prod", "--log-format=json", "run"]
        command += [f"--state-id-suffix={self.account}", "tap-constantcontact", "target-postgres"]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        exit_codes = {}
        for line in self.process.stdout:
            entry = parsed(line)
            level = logging.getLevelName(entry.get("level", "info").upper())
            self.log.log(level, "%s", entry.get("event", line.rstrip()))
            exit_codes = entry.get("exit_codes", exit_codes)
        status = self.process.wait()
        return QUOTA_EXHAUSTED if exit_codes == {"extractors": QUOTA_EXHAUSTED} else status

    def on_kill(self) -> None:
        if self.process:
            os.killpg(self.process.pid, signal.SIGTERM)


def parsed(line: str) -> dict[str, Any]:
    """Return a line of Meltano's log; empty if it isn't JSON, such as a warning of Python."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def variables(prefix: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as environment variables: lists and switches as JSON, and none for None."""
    return {
        f"{prefix}_{name}".upper(): value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
        if value is not None
    }


def next_reset() -> pendulum.DateTime:
    """Return when the quota resets: at midnight UTC, and a minute later, since clocks differ."""
    return pendulum.now("UTC").subtract(minutes=1).add(days=1).start_of("day").add(minutes=1)


@task
def list_accounts(key: str, params: dict[str, Any]) -> list[str]:
    """List the accounts of an API key."""
    accounts = Variable.get("constantcontact_accounts", deserialize_json=True)[key]
    return [name for name in accounts if name in (params["accounts"] or accounts)]


for key in API_KEYS:
    with DAG(
        dag_id=f"constantcontact_{key}",
        schedule="@hourly",
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": 3, "retry_exponential_backoff": 2},
        params={
            "accounts": Param([], type="array", description="Only these accounts. Default: all.")
        },
        doc_md=__doc__,
        tags=["constantcontact", key],
    ):
        SyncAccountOperator.partial(
            task_id="sync",
            pool=f"constantcontact_{key}",
            map_index_template="{{ task.account }}",
        ).expand(account=list_accounts(key))
