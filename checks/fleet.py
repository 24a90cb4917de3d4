"""`make fleet`: several accounts on two API keys, synced by the Dags of examples/airflow.

Airflow, Redis, PostgreSQL and Meltano are real; the API is the sandbox. `airflow dags test` loads
the accounts of one key. After changes, the scheduler runs the Dags of both: the login of one
account fails at first, and the quota of the other key is exhausted until "midnight", for which the
check does not wait. All rows are compared with the accounts, and logs are searched for secrets.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Any

from checks.support.airflow import Airflow
from checks.support.comparison import compare
from checks.support.loaders.postgresql import PostgreSQL
from checks.support.meltano import PROJECT, CheckFailed, Project, end_on_signals, wait
from checks.support.postgresql import Server, ServerFailed, postgresql
from checks.support.redis_server import RedisServer, redis_server
from checks.support.redis_server import ServerFailed as RedisFailed
from checks.support.table import print_lines_at_once
from sandbox import Fault, Sandbox
from sandbox.server.app import TOKEN_PATH
from sandbox.server.expected import STREAMS

OUTPUT = PROJECT / "output" / "fleet"
EXAMPLE = PROJECT / "examples" / "airflow"

#: The accounts by API key. The sandbox gives its keys to its accounts in turn.
API_KEYS = {"agency": ["bakery", "florist"], "shops": ["books"]}
ACCOUNTS = ("bakery", "books", "florist")

#: Fast, and with every change in every run.
_TAP = {"requests_per_second": 1000, "contacts_sweep_days": 0, "events_sweep_days": 0}
#: Fewer requests than a sync takes.
_REQUESTS_LEFT = 10

_SECONDS = 300  # until the scheduler has run what it should
_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_BETWEEN_LINES = 8.0

States = dict[str, tuple[str, int]]

#: The syncs of the first run of each Dag by the scheduler.
_STATES = """
    select distinct on (dag_id, map_index) dag_id, map_index, task_instance.state, try_number
    from task_instance join dag_run using (dag_id, run_id)
    where task_id = 'sync' and map_index >= 0 and run_type = 'scheduled'
    order by dag_id, map_index, dag_run.id
"""
_RESETS = "select reschedule_date from task_reschedule"
_MIDNIGHT = "update task_reschedule set reschedule_date = now() returning id"


class Fleet:
    """Accounts, and what syncs them."""

    def __init__(self, sandbox: Sandbox, redis: RedisServer, server: Server) -> None:
        """Install Meltano's plugins, and make an Airflow.

        Args:
            sandbox: Serves the accounts.
            redis: For the limits and tokens of the tap.
            server: For the tables, the state of Meltano, and Airflow.

        Raises:
            CheckFailed: If Meltano or Airflow fails.
        """
        self.accounts = dict(zip(ACCOUNTS, sandbox.accounts, strict=True))
        self._redis = redis
        self._server = server
        self._password = token_hex()
        key = urlsafe_b64encode(token_bytes(32)).decode()
        # A connection keeps the token of the sign-in, however often the tap has replaced it.
        self._settings = {
            name: {**account.settings, **_TAP, "token_store_key": key}
            for name, account in self.accounts.items()
        }
        shutil.rmtree(OUTPUT, ignore_errors=True)
        self._meltano = Project(OUTPUT / "project", sandbox)
        _install(self._meltano)
        programs = [*os.environ["PATH"].split(os.pathsep), str(Path(sys.executable).parent)]
        self.airflow = Airflow(
            OUTPUT / "airflow",
            EXAMPLE / "dags",
            server,
            {
                "PATH": os.pathsep.join(programs),
                "MELTANO_PROJECT_ROOT": str(self._meltano.folder),
            },
        )
        self.airflow.run(["pools", "import", EXAMPLE / "pools.json"])
        self._import("variables", {"constantcontact_accounts": API_KEYS})

    def connect(self, **settings: Any) -> None:
        """Write Airflow's connections.

        Args:
            settings: More settings for the account of the key "shops".

        Raises:
            CheckFailed: If Airflow fails.
        """
        taps = {**self._settings, "books": {**self._settings["books"], **settings}}
        accounts = {
            f"constantcontact_{name}": {"conn_type": "generic", "extra": json.dumps(tap)}
            for name, tap in taps.items()
        }
        warehouse = {
            "conn_type": "postgres",
            "host": self._server.host,
            "port": self._server.port,
            "login": self._server.user,
            "password": self._password,
            "schema": self._server.database,
        }
        servers = {
            "constantcontact_warehouse": warehouse,
            "constantcontact_redis": self._redis.url,
        }
        self._import("connections", {**accounts, **servers}, "--overwrite")

    def wait_for(self, wanted: States) -> None:
        """Wait for what the scheduler's syncs come to.

        Args:
            wanted: The state of each account's sync, and the number of its tries.

        Raises:
            CheckFailed: If they come to something else.
        """
        began = said = time.monotonic()
        while (states := self._states(wanted)) != wanted:
            now = time.monotonic()
            ended = {name for name, (state, _) in states.items() if state in ("success", "failed")}
            if now - began > _SECONDS or any(states[name] != wanted[name] for name in ended):
                raise CheckFailed(f"the syncs came to {states}, and should come to {wanted}")
            if now - said > _SECONDS_BETWEEN_LINES:
                said = now
                doing = ", ".join(f"{name} {state}" for name, (state, _) in states.items())
                print(f"  … {now - began:.0f} s, {doing or 'starting'}")
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def check_rows(self, names: Iterable[str]) -> None:
        """Compare the schemas of accounts with the accounts.

        Args:
            names: The accounts.

        Raises:
            CheckFailed: If a row is missing or differs.
        """
        for name in names:
            target = PostgreSQL(self._server, name)
            expected = self.accounts[name].expected(set(self._meltano.selected))
            for stream, rows in expected.items():
                missing, old = compare(target.rows(stream), rows, STREAMS[stream].key)
                if found := [*missing, *old]:
                    what = f"{len(found)} rows of {stream} of {name}"
                    raise CheckFailed(f"{what} are missing or old, such as {found[0]}")
            total = sum(map(len, expected.values()))
            print(f"  {name}: {total} rows of {len(expected)} streams, each as in the account")

    def check_reset(self) -> None:
        """Check that what waits for the quota waits until after midnight UTC.

        Raises:
            CheckFailed: If it waits for something else.
        """
        [(reset,)] = self.airflow.query(_RESETS)
        now = datetime.now(timezone.utc)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if reset != midnight + timedelta(minutes=1):
            raise CheckFailed(f"the quota resets at {midnight}, and the sync waits until {reset}")

    def check_logs(self) -> None:
        """Check that no log has a secret or an address.

        Raises:
            CheckFailed: If one has.
        """
        logs = [self.airflow.log, *self.airflow.logs.rglob("*.log")]
        text = "\n".join(file.read_text("utf-8") for file in logs)
        for what, values in self._private().items():
            if any(value in text for value in values):
                raise CheckFailed(f"a log has {what}")
        lines = text.count("\n")
        print(f"  no secret and no address in {lines:,} lines of {len(logs)} logs")

    def _private(self) -> dict[str, set[str]]:
        """Return what no log may have."""
        accounts, taps = self.accounts.values(), self._settings.values()
        emails = [
            contact.get("email_address", {})
            for account in accounts
            for contact in account.expected({"contacts"})["contacts"].values()
        ]
        return {
            "a client secret": {str(tap["client_secret"]) for tap in taps},
            "a refresh token": {str(tap["refresh_token"]) for tap in taps}
            | {account.refresh_token for account in accounts},
            "the beginning of an access token": {"eyJ"},
            "the key of the tokens": {str(tap["token_store_key"]) for tap in taps},
            "the password of PostgreSQL": {self._password},
            "the password of Redis": {str(self._redis.password)},
            "the address of a contact": {email["address"] for email in emails if email},
        }

    def _states(self, names: Iterable[str]) -> States:
        states = {}
        for dag, index, state, tries in self.airflow.query(_STATES):
            name = API_KEYS[dag.removeprefix("constantcontact_")][index]
            states[name] = (state, tries)
        return {name: states[name] for name in names if name in states}

    def _import(self, what: str, values: dict[str, Any], *flags: str) -> None:
        file = OUTPUT / f"{what}.json"
        file.write_text(json.dumps(values), "utf-8")
        self.airflow.run([what, "import", file, *flags])
        file.unlink()


def main() -> int:
    """Run the check, and return an exit status."""
    print_lines_at_once()
    end_on_signals()
    try:
        with (
            redis_server(password=token_hex(), persistent=True) as redis,
            postgresql() as server,
            Sandbox(
                accounts=len(ACCOUNTS),
                api_keys=len(API_KEYS),
                contacts=30,
                campaigns=4,
                requests_per_second=0,
                segment_polls=0,
            ) as sandbox,
        ):
            check(sandbox, redis, server)
    except (CheckFailed, RedisFailed, ServerFailed) as failure:
        print(f"\nThe check failed: {failure}")
        if OUTPUT.exists():
            print(f"The logs are in {OUTPUT}")
        return 1
    return 0


def check(sandbox: Sandbox, redis: RedisServer, server: Server) -> None:
    """Sync the accounts, through changes and failures.

    Raises:
        CheckFailed: If a sync comes to something else than it should, or a row is not there.
    """
    print("Installing the tap and its target with Meltano, and making an Airflow …")
    fleet = Fleet(sandbox, redis, server)
    fleet.connect()
    print("airflow dags test: the first sync of each account …")
    for key in API_KEYS:
        fleet.airflow.run(["dags", "test", f"constantcontact_{key}"])
    fleet.check_rows(ACCOUNTS)

    print("The scheduler: changes, a login that fails at first, and a quota that is exhausted …")
    for account in fleet.accounts.values():
        account.change()
    fleet.accounts["florist"].tokens.revoke_access_tokens()
    sandbox.fail(TOKEN_PATH, Fault.FORBIDDEN, times=1000)
    used = sandbox.requests_today[fleet.accounts["books"].client_id]
    fleet.connect(daily_quota=used + _REQUESTS_LEFT)
    with fleet.airflow.services():
        fleet.wait_for({"florist": ("up_for_retry", 1)})
        sandbox.clear_faults()
        done = {"bakery": ("success", 1), "florist": ("success", 2)}
        fleet.wait_for({**done, "books": ("up_for_reschedule", 1)})
        fleet.check_rows(API_KEYS["agency"])
        fleet.check_reset()
        print("Midnight: the quota resets …")
        fleet.connect()
        fleet.airflow.query(_MIDNIGHT)
        fleet.wait_for({**done, "books": ("success", 1)})
    fleet.check_rows(API_KEYS["shops"])
    fleet.check_logs()
    if left := [*(fleet.airflow.folder / "tmp").iterdir()]:
        raise CheckFailed(f"the syncs left files behind, such as {left[0]}")


def _install(meltano: Project) -> None:
    """Install the tap and the target of a project into its folder.

    Raises:
        CheckFailed: If Meltano fails.
    """
    command = [str(Path(sys.executable).with_name("meltano")), "install"]
    plugins = ["tap-constantcontact", "target-postgres"]
    with meltano.log.open("ab") as log:
        process = subprocess.Popen([*command, *plugins], cwd=meltano.folder, stdout=log, stderr=log)
        if status := wait(process, lambda: "installing"):
            raise CheckFailed(f"meltano install ended with {status}")


if __name__ == "__main__":
    sys.exit(main())
