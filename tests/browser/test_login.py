"""The sign-in in a real browser: Chromium without a window, on the sandbox's pages.

In an environment of its own (`make login-browser`). PICTURES keeps a picture of each page in a
folder.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT)]

from sandbox import TOKEN_PATH, Fault, Sandbox  # noqa: E402
from sandbox.auth.sign_in import PASSWORD, USER  # noqa: E402

PREFIX = "TAP_CONSTANTCONTACT_"
SECONDS = 20


@pytest.fixture(params=[True, False], ids=["PKCE key", "key with a secret"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    options = {"contacts": 5, "campaigns": 1, "requests_per_second": 0, "device_interval": 0.2}
    with Sandbox(public_client=request.param, token_requests_per_minute=0, **options) as sandbox:
        yield sandbox


class SigningIn:
    """The command, under way."""

    def __init__(self, sandbox: Sandbox, folder: Path, *arguments: str, **changed: str) -> None:
        settings = {**sandbox.settings, "token_store": str(folder / "tokens.json"), **changed}
        del settings["refresh_token"]
        env = {f"{PREFIX}{name.upper()}": value for name, value in settings.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tap_constantcontact.login", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, **env},
        )
        self.said: list[str] = []

    def said_until(self, text: str) -> list[str]:
        """Return the lines that it has said, up to one that begins with a text."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            if line.startswith(text):
                return self.said
        raise AssertionError("\n".join(self.said))

    @property
    def indented(self) -> list[str]:
        """What stands out: addresses and codes."""
        return [line.strip() for line in self.said if line.startswith("  ")]

    def end(self) -> tuple[int, str, str]:
        """Return its exit status, the last line that it said, and what it printed."""
        killer = threading.Timer(SECONDS, self.process.kill)
        killer.start()
        out, err = self.process.communicate()
        killer.cancel()
        return self.process.returncode, err.strip().splitlines()[-1], out


def fill_in(browser: Chrome, *, allow: bool = True, password: str = PASSWORD) -> None:
    browser.find_element(By.NAME, "user").send_keys(USER)
    browser.find_element(By.NAME, "password").send_keys(password)
    answer = "yes" if allow else "no"
    browser.find_element(By.CSS_SELECTOR, f"button[value={answer}]").click()


def wait_for(browser: Chrome, selector: str, text: str) -> None:
    """Wait for an element with a text.

    A page that goes meanwhile is told by errors of several classes, one of them "unknown error".
    """
    wait = WebDriverWait(browser, SECONDS, ignored_exceptions=[WebDriverException])
    wait.until(lambda page: page.find_element(By.CSS_SELECTOR, selector).text == text)


def heading(browser: Chrome, text: str) -> None:
    """Wait for a page with a heading, and keep a picture of it where that is wanted."""
    wait_for(browser, "h1", text)
    if folder := os.environ.get("PICTURES"):
        for scheme in ("light", "dark"):
            emulated = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", emulated)
            for width in (380, 1100):
                browser.set_window_size(width, 640)
                name = f"{text}-{scheme}-{width}.png".lower().replace(" ", "-")
                browser.save_screenshot(str(Path(folder) / name))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def start(sandbox: Sandbox, folder: Path, **settings: str) -> tuple[SigningIn, str]:
    uri = f"http://localhost:{free_port()}"
    login = SigningIn(sandbox, folder, "--no-browser", "--redirect-uri", uri, **settings)
    login.said_until("Waiting for the browser")
    (url,) = login.indented
    return login, url


def test_a_person_signs_in(browser: Chrome, sandbox: Sandbox, tmp_path: Path) -> None:
    login, url = start(sandbox, tmp_path)
    browser.get(url)
    heading(browser, "Sign in and allow access")
    fill_in(browser, password="wrong")
    wait_for(browser, ".wrong", "User name or password is wrong.")
    fill_in(browser)
    heading(browser, "Access granted")
    status, last, shown = login.end()
    assert (status, last) == (0, "Signed in: Café Olé (p07e1l8cdif9dl)")
    assert f"{PREFIX}REFRESH_TOKEN={sandbox.refresh_token}" in shown.splitlines()


def test_a_person_refuses(browser: Chrome, sandbox: Sandbox, tmp_path: Path) -> None:
    login, url = start(sandbox, tmp_path)
    browser.get(url)
    heading(browser, "Sign in and allow access")
    fill_in(browser, allow=False)
    heading(browser, "Access denied")
    status, last, shown = login.end()
    assert status == 1
    assert last.startswith("Access was denied")
    assert shown == ""


def test_a_wrong_secret_is_shown(browser: Chrome, sandbox: Sandbox, tmp_path: Path) -> None:
    login, url = start(sandbox, tmp_path, client_secret="wrong")
    browser.get(url)
    fill_in(browser)
    heading(browser, "Sign-in failed")
    assert "Check client_id and client_secret" in browser.find_element(By.TAG_NAME, "main").text
    assert login.end()[0] == 1


def test_a_lost_response_is_shown(browser: Chrome, sandbox: Sandbox, tmp_path: Path) -> None:
    login, url = start(sandbox, tmp_path)
    sandbox.fail(TOKEN_PATH, Fault.CUT)
    browser.get(url)
    fill_in(browser)
    heading(browser, "No tokens in time")
    assert login.end()[0] == 1


def test_the_answer_of_another_sign_in_does_not_count(
    browser: Chrome, sandbox: Sandbox, tmp_path: Path
) -> None:
    login, url = start(sandbox, tmp_path)
    browser.get(url.replace("state=", "state=not"))
    fill_in(browser)
    heading(browser, "Unexpected response")
    browser.get(url)
    fill_in(browser)
    heading(browser, "Access granted")
    assert login.end()[0] == 0


def test_a_person_enters_the_code_of_a_device(
    browser: Chrome, sandbox: Sandbox, tmp_path: Path
) -> None:
    login = SigningIn(sandbox, tmp_path, "--device")
    login.said_until("Waiting for the code")
    url, code = login.indented
    browser.get(url)
    heading(browser, "Connect a device")
    browser.find_element(By.NAME, "user_code").send_keys(code.lower())
    fill_in(browser)
    heading(browser, "The device is connected")
    status, last, _ = login.end()
    assert (status, last) == (0, "Signed in: Café Olé (p07e1l8cdif9dl)")
