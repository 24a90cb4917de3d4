"""The built site in a real browser: no page asks another host, and the search finds the page.

`make login-browser` builds the site first.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

SITE = Path(__file__).parents[2] / "build" / "site"
VERSION = "dev"
SECONDS = 20

#: What people search for, and the page that should come first.
QUESTIONS = {
    "429": "concepts/rate-limits/",
    "too many requests": "concepts/rate-limits/",
    "quota": "concepts/rate-limits/",
    "unsubscribe": "concepts/contacts/",
    "deleted contacts": "concepts/contacts/",
    "refresh token": "concepts/tokens/",
    "first sync": "get-started/first-sync/",
    "large account": "get-started/first-sync/",
    "airbyte custom connector": "guides/airbyte/",
    "meltano": "guides/meltano/",
    "two accounts": "guides/several-accounts/",
    "many accounts": "guides/fleet/",
    "postgres": "guides/warehouses/postgresql/",
    "duckdb": "guides/warehouses/duckdb/",
    "dbt": "guides/analytics/",
    "custom fields": "guides/analytics/",
    "custom endpoint": "guides/custom-streams/",
    "start date": "reference/settings/",
    "environment variables": "reference/command-line/",
    "exit code": "reference/command-line/",
    "duplicate rows": "reference/state/",
    "bounce codes": "reference/streams/campaign-reports/",
    "event registrations": "reference/streams/events/",
}
# The search lives in a shadow tree: what it shows, and its input.
_SHADOW = (
    "[...document.querySelectorAll('body > div')].map((each) => each.shadowRoot).find(Boolean)"
)
_RESULTS = f"return [...{_SHADOW}.querySelectorAll('a[role=option]')].map((each) => each.href)"
_ASK = f"""
const input = {_SHADOW}.querySelector("input");
input.value = arguments[0];
input.dispatchEvent(new Event("input", {{bubbles: true, composed: true}}));
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Serve the site, and return the address of its version."""
    assert (SITE / VERSION / "index.html").is_file(), "run make site first"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{VERSION}/"
        server.shutdown()


def events(browser: Chrome) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the browser did on the network since the last call."""
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        yield message["method"], message["params"]


def failures(browser: Chrome, site: str) -> Iterator[str]:
    """Yield requests to other hosts, requests that failed, and errors on the console."""
    for method, params in events(browser):
        if method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(
                (site, f"{site.removesuffix(f'{VERSION}/')}versions.json", "data:")
            ):
                yield f"{params['documentURL']} requested {url}"
        elif method == "Network.responseReceived" and params["response"]["status"] >= 400:
            yield f"{params['response']['status']} for {params['response']['url']}"
        elif method == "Network.loadingFailed" and not params.get("canceled"):
            yield f"{params['requestId']} failed: {params['errorText']}"
    for entry in browser.get_log("browser"):
        yield f"console: {entry['message']}"


def search(browser: Chrome, site: str) -> None:
    """Open the search."""
    browser.set_window_size(1440, 900)
    browser.get(site)
    browser.find_element(By.CSS_SELECTOR, ".md-search__button").click()
    wait(browser, f"return Boolean({_SHADOW}?.querySelector('input'))")


def wait(browser: Chrome, script: str) -> Any:
    return WebDriverWait(browser, SECONDS).until(lambda page: page.execute_script(script))


def results(browser: Chrome, question: str) -> list[str]:
    """Return the addresses of what the search finds.

    Earlier results are shown until the new ones are there: first they are taken away.
    """
    browser.execute_script(_ASK, "")
    WebDriverWait(browser, SECONDS).until(lambda page: not page.execute_script(_RESULTS))
    browser.execute_script(_ASK, question)
    found: list[str] = wait(browser, _RESULTS)
    return found


def test_no_page_asks_another_host_or_fails(browser: Chrome, site: str) -> None:
    pages = [
        page.parent.relative_to(SITE / VERSION) for page in (SITE / VERSION).rglob("index.html")
    ]
    assert len(pages) > 40
    list(failures(browser, site))
    found: list[str] = []
    for page in pages:
        browser.get(f"{site}{page}/".replace("/./", "/"))
        wait(browser, "return document.readyState === 'complete'")
        assert browser.find_elements(By.TAG_NAME, "h1"), page
        found += failures(browser, site)
    search(browser, site)
    results(browser, "quota")
    assert [*found, *failures(browser, site)] == []


def test_a_request_to_another_host_is_seen(browser: Chrome, site: str) -> None:
    browser.get(site)
    list(failures(browser, site))
    browser.execute_script("new Image().src = 'https://unpkg.com/mermaid.js'")
    seen: list[str] = []
    WebDriverWait(browser, SECONDS).until(
        lambda page: seen.extend(failures(page, site)) or any("failed" in each for each in seen)
    )
    assert f"{site} requested https://unpkg.com/mermaid.js" in seen


def test_search_finds_the_page_for_each_question(browser: Chrome, site: str) -> None:
    search(browser, site)
    first = {
        question: results(browser, question)[0].removeprefix(site).partition("?")[0]
        for question in QUESTIONS
    }
    assert first == QUESTIONS


def test_streams_are_filtered(browser: Chrome, site: str) -> None:
    browser.set_window_size(1440, 900)
    browser.get(f"{site}reference/streams/")

    def shown() -> list[str]:
        rows = browser.find_elements(By.CSS_SELECTOR, "tbody tr:not([hidden]) td:first-child")
        return [row.text for row in rows]

    everything = shown()
    assert len(everything) == 55
    browser.find_element(By.CSS_SELECTOR, "#stream-filter input[type=checkbox]").click()
    assert len(shown()) == 22
    assert browser.find_element(By.CSS_SELECTOR, "#stream-filter span").text == "22 of 55 streams"
    browser.find_element(By.CSS_SELECTOR, "#stream-filter input[type=search]").send_keys("bounce")
    assert shown() == ["email_bounces"]
