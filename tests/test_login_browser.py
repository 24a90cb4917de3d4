"""The end of a sign-in in a browser: which browser, the code's trade, and the page."""

from __future__ import annotations

import socket
import threading
import webbrowser
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from support import person
from support.in_process import quick_retries

from sandbox import TOKEN_PATH, Fault, Sandbox
from tap_constantcontact.exceptions import LoginError
from tap_constantcontact.login import browser, callback, pages
from tap_constantcontact.login.application import Application
from tap_constantcontact.login.callback import CallbackServer
from tap_constantcontact.login.flows import BrowserSignIn
from tap_constantcontact.login.pages import NoResponse, Page, outcome


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def sign_in(sandbox: Sandbox) -> BrowserSignIn:
    settings = sandbox.settings
    application = Application(
        client_id=settings["client_id"],
        client_secret=settings.get("client_secret"),
        token_url=settings["auth_url"],
        user_agent="test",
    )
    return BrowserSignIn(application, ["contact_data", "offline_access"], "http://localhost:8888")


def token_requests(sandbox: Sandbox) -> int:
    return sum(request.path == TOKEN_PATH for request in sandbox.requests)


class TestTrade:
    """The code is traded for tokens."""

    @pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.SERVER_ERROR, Fault.THROTTLED])
    def test_code_is_traded_again_after_a_transient_failure(
        self, sandbox: Sandbox, sign_in: BrowserSignIn, fault: Fault
    ) -> None:
        back = person.answer(sign_in.url)
        sandbox.fail(TOKEN_PATH, fault, times=3)
        said: list[str] = []
        with quick_retries():
            tokens = sign_in.tokens(back, said.append)
        assert tokens["refresh_token"] == sandbox.refresh_token
        assert [text.startswith("The token endpoint returned ") for text in said] == [True] * 3

    def test_trade_ends_within_the_life_of_a_code(
        self, sandbox: Sandbox, sign_in: BrowserSignIn
    ) -> None:
        back = person.answer(sign_in.url)
        sandbox.fail(TOKEN_PATH, Fault.UNAVAILABLE, times=99)
        with quick_retries(), pytest.raises(NoResponse, match=r"503 .*No tokens were issued"):
            sign_in.tokens(back, lambda _: None)
        assert token_requests(sandbox) == 9

    @pytest.mark.parametrize("fault", [Fault.NOT_JSON, Fault.CUT, Fault.UNAUTHORIZED])
    def test_code_that_may_be_used_is_not_sent_again(
        self, sandbox: Sandbox, sign_in: BrowserSignIn, fault: Fault
    ) -> None:
        back = person.answer(sign_in.url)
        sandbox.fail(TOKEN_PATH, fault)
        with quick_retries(), pytest.raises(LoginError):
            sign_in.tokens(back, lambda _: None)
        assert token_requests(sandbox) == 1


@pytest.mark.sandbox
class TestPage:
    """The browser waits for the outcome, and shows it."""

    def get(self, url: str, threads: ThreadPoolExecutor) -> Future[requests.Response]:
        return threads.submit(requests.get, url, timeout=10)

    @pytest.mark.parametrize(
        ("error", "title"),
        [
            (None, "Access granted"),
            (pages.AccessDenied("Access was denied"), "Access denied"),
            (LoginError("<b>wrong</b>"), "Sign-in failed"),
            (NoResponse("none"), "No tokens in time"),
            (KeyboardInterrupt(), "Sign-in stopped"),
        ],
    )
    def test_page_shows_the_outcome_and_not_before(
        self, error: BaseException | None, title: str
    ) -> None:
        uri = f"http://localhost:{free_port()}"

        def end() -> None:
            if error:
                raise error

        with (
            ThreadPoolExecutor(2) as threads,
            suppress(LoginError, KeyboardInterrupt),
            CallbackServer(uri, "s") as server,
        ):
            shown = [self.get(f"{uri}/?state=s&code=c", threads) for _ in "12"]
            assert server.wait(10) == f"{uri}?state=s&code=c"
            other = requests.get(f"{uri}/?state=s&code=other", timeout=10)
            assert (other.status_code, "already completed" in other.text) == (410, True)
            assert not any(each.done() for each in shown)
            end()
        page = shown[0].result()
        assert page.status_code == 200
        assert f"<h1>{title}</h1>" in page.text
        assert "<b>wrong" not in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")

    def test_page_that_waits_long_asks_for_itself_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(callback, "_HOLD_SECONDS", 0)
        uri = f"http://localhost:{free_port()}"
        ended = threading.Event()
        with ThreadPoolExecutor(1) as threads:

            def end_later() -> str:
                with CallbackServer(uri, "s") as server:
                    server.wait(10)
                    ended.wait(10)
                return "ended"

            end = threads.submit(end_later)
            while True:
                try:
                    first = requests.get(f"{uri}/?state=s&code=c", timeout=10)
                    break
                except requests.ConnectionError:
                    continue
            assert "Getting the tokens" in first.text
            assert 'http-equiv="refresh"' in first.text
            ended.set()
            while "Access granted" not in requests.get(f"{uri}/?state=s&code=c", timeout=10).text:
                pass
            assert end.result(10) == "ended"


def test_outcome_page_escapes_what_others_say() -> None:
    page = Page("<i>", "&", "bad", '<script>"x"').html().decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert outcome(OSError("no")).title == "Sign-in failed"


class TestBrowser:
    """A browser is opened unless it draws in the terminal."""

    @pytest.mark.parametrize("name", ["lynx", "/usr/bin/w3m", "links", "www-browser", "elinks"])
    def test_text_browser_is_not_opened(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser([name, "%s"]))
        assert not browser.open_in_browser("http://localhost")

    def test_machine_without_a_browser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def get() -> None:
            raise webbrowser.Error("none")

        monkeypatch.setattr(webbrowser, "get", get)
        assert not browser.open_in_browser("http://localhost")

    @pytest.mark.e2e
    @pytest.mark.parametrize(("status", "opened"), [(0, True), (1, False)])
    def test_browser_gets_the_url_and_no_terminal(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, opened: bool
    ) -> None:
        command, given = tmp_path / "browser", tmp_path / "given"
        command.write_text(
            f'#!/bin/sh\n(printf "%s " "$1"; tty; ps -o tty= -p $$) > {given}\nexit {status}\n'
        )
        command.chmod(0o700)
        monkeypatch.setenv("BROWSER", f"{command} %s")
        assert browser.open_in_browser("http://localhost/x") == opened
        assert given.read_text().split() == ["http://localhost/x", "not", "a", "tty", "?"]
