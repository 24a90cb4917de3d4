"""File systems and users that lack what the token store is used to."""

from __future__ import annotations

import errno
import json
import pwd
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import FileLock
from support.tap import TapCommand

from sandbox import Sandbox
from tap_constantcontact.token_store import open_token_store

LOCKLESS = [
    NotImplementedError("FileSystem does not appear to support flock"),
    OSError(errno.ENOLCK, "No locks available"),
    OSError(errno.EOPNOTSUPP, "Operation not supported"),
]


def fail_to_lock(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def acquire(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(FileLock, "acquire", acquire)


@pytest.mark.parametrize("others", [None, [], 5, {"a": 5}])
def test_damaged_tokens_of_other_sign_ins_are_explained(
    tap: TapCommand, sandbox: Sandbox, others: Any
) -> None:
    tap.token_store.write_text(json.dumps({"others": others}))
    run = tap.sync(sandbox, "account")
    assert run.status == 1
    assert f"Can't read the token store {tap.token_store} (" in run.log
    assert "Fix the file, or delete it" in run.log
    assert sandbox.requests == []


@pytest.mark.parametrize("error", LOCKLESS, ids=["none", "ENOLCK", "EOPNOTSUPP"])
def test_file_system_without_locks_is_used_with_a_warning(
    tap: TapCommand, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_to_lock(monkeypatch, error)
    run = tap.sync(sandbox, "account")
    assert run.status == 0, run.log
    assert f"The file system of the token store {tap.token_store} has no locks" in run.log
    assert "Rate limits are no longer shared" in run.log
    assert sandbox.refresh_token in tap.token_store.read_text()


def test_other_problem_with_the_lock_ends_the_run(
    tap: TapCommand, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_lock(monkeypatch, OSError(errno.EIO, "Input/output error"))
    run = tap.sync(sandbox, "account")
    assert run.status == 1
    assert f"Can't write the token store {tap.token_store} (Input/output error)" in run.log
    assert "has no locks" not in run.log


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has /proc")
def test_folder_that_takes_no_files_is_named_at_once(
    tap: TapCommand, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_constantcontact.token_store.file.LOCK_TIMEOUT_SECONDS", 5)
    run = tap.run(tap.settings(sandbox, token_store="/proc/tokens.json"), select=["account"])
    assert run.status == 1
    assert "Can't write the token store /proc/tokens.json" in run.log


def test_user_without_a_home_directory_is_told_to_set_token_store(
    tap: TapCommand, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers run with users that no file knows."""

    def getpwuid(_: int) -> NoReturn:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    settings = {name: value for name, value in sandbox.settings.items() if name != "token_store"}
    run = tap.run(settings, select=["account"])
    assert run.status == 1
    assert "This user has no home directory for the token store. Set token_store to" in run.log
    assert "Unexpected" not in run.log
    assert (
        tap.run({**settings, "token_store": str(tap.token_store)}, select=["account"]).status == 0
    )


def test_home_directory_that_cannot_be_written_is_named(
    tap: TapCommand, sandbox: Sandbox, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    env = {"HOME": str(home), "XDG_STATE_HOME": ""}
    run = tap.run(dict(sandbox.settings), select=["account"], env=env)
    assert run.status == 1
    assert f"Can't write the token store {home}" in run.log
    assert "Set token_store to a file that this user can replace" in run.log


@pytest.mark.parametrize("stored_at", ["yesterday", None, [], {}])
def test_damaged_time_of_another_sign_in_is_no_obstacle(tmp_path: Path, stored_at: Any) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"others": {"other": {"stored_at": stored_at}}}))
    open_token_store(str(path), "key", "token").write({"refresh_token": "new"})
    stored = json.loads(path.read_text())
    assert stored["refresh_token"] == "new"
    assert stored["others"]["other"]["stored_at"] == stored["stored_at"]  # so that it expires
