"""Runs a command's `main` in this process, as a process of its own would run it."""

from __future__ import annotations

import gc
import io
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any, TextIO
from unittest.mock import patch

import backoff._sync
import requests

from tap_constantcontact.api import session as api_session

_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    status: int
    stdout: str = field(repr=False)
    stderr: str


def run_main(
    main: Callable[[], None],
    arguments: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str] | None = None,
    terminal: TextIO | None = None,
) -> Ended:
    """Run a command to its end.

    What a process takes with it when it ends is put back or closed: logging, signal handlers, the
    garbage collector's settings, the environment, threads and connections.

    Args:
        main: the command's entry point.
        arguments: the command line, beginning with the name of the program.
        folder: the working directory.
        env: environment variables of its own.
        terminal: takes the place of stderr.
    """
    assert threading.current_thread() is threading.main_thread(), "only one can run at a time"
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in "12")
    with ExitStack() as restored:
        streams = {"stdout": stdout, "stderr": terminal or stderr, "stdin": io.StringIO()}
        for name, value in streams.items():
            restored.enter_context(patch.object(sys, name, value))
        restored.enter_context(patch.object(sys, "argv", list(arguments)))
        restored.enter_context(patch.object(sys, "excepthook", sys.excepthook))
        restored.enter_context(patch.dict(os.environ, env or {}))
        restored.enter_context(quick_retries())
        for context in (_folder(folder), _logging(), _signal_handlers(), _collector(), _threads()):
            restored.enter_context(context)
        status = _status_of(main)
    return Ended(status, *(stream.buffer.getvalue().decode() for stream in (stdout, stderr)))


def quick_retries() -> AbstractContextManager[object]:
    """Let a thousandth of the time pass between tries of a request."""
    quick = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 1000))
    return patch.object(backoff._sync, "time", quick)


def _status_of(main: Callable[[], None]) -> int:
    """Return the exit status with which the interpreter would end."""
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)  # noqa: T201 - as the interpreter does
            return 1
        return int(ended.code or 0)
    return 0


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _logging() -> Iterator[None]:
    """Begin with loggers that nobody has set up, and put them back as they were."""
    loggers = [logging.root, *_loggers()]
    before = [(each, each.level, each.handlers[:], each.filters[:]) for each in loggers]
    logging.root.handlers[:] = []
    logging.root.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            yield
            logging.captureWarnings(capture=False)
    finally:
        for logger in _loggers():
            logger.filters[:] = []
        for logger, level, handlers, filters in before:
            logger.setLevel(level)
            logger.handlers[:], logger.filters[:] = handlers, filters


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logger for logger in known if isinstance(logger, logging.Logger)]


@contextmanager
def _signal_handlers() -> Iterator[None]:
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def _collector() -> Iterator[None]:
    before = gc.get_threshold()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class _EndingQueue(SimpleQueue[Any]):
    """A queue whose readers can be ended."""

    _END = object()

    def get(self, *_: Any, **__: Any) -> Any:
        item = super().get()
        if item is self._END:
            self.end()  # the next reader too
            raise SystemExit
        return item

    def end(self) -> None:
        self.put(self._END)


@contextmanager
def _threads() -> Iterator[None]:
    """End the threads that a process would end or wait for, and close its connections."""
    queues: list[_EndingQueue] = []
    sessions: list[requests.Session] = []
    init = requests.Session.__init__

    def made_queue() -> _EndingQueue:
        queues.append(_EndingQueue())
        return queues[-1]

    def init_noted(session: requests.Session) -> None:
        sessions.append(session)
        init(session)

    started: list[threading.Thread] = []
    start = threading.Thread.start

    def start_noted(thread: threading.Thread) -> None:
        if _is_own(thread):
            started.append(thread)
            thread.run = partial(_run_quietly, thread.run)  # type: ignore[method-assign]
        start(thread)

    with (
        patch.object(api_session, "SimpleQueue", made_queue),
        patch.object(requests.Session, "__init__", init_noted),
        patch.object(threading.Thread, "start", start_noted),
    ):
        try:
            yield
        finally:
            for queue in queues:
                queue.end()
            for thread in started:
                thread.join(_PATIENCE_SECONDS if not thread.daemon else 1)
            for session in sessions:
                session.close()


def _run_quietly(run: Callable[[], None]) -> None:
    with suppress(SystemExit):
        run()


def _is_own(thread: threading.Thread) -> bool:
    """Return whether a thread is the package's, and not one of a server of the test."""
    module = getattr(thread._target, "__module__", "")  # type: ignore[attr-defined]
    return module.startswith("tap_constantcontact.")
