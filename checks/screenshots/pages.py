"""Pages in a Chromium without a window, as PNGs."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

WIDTH = 1120
_COLORS = 224


@contextmanager
def browser() -> Iterator[Chrome]:
    """Start a browser: Debian's, or the one that CHROMIUM and CHROMEDRIVER name."""
    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    # What is missing Selenium says, and where to get it.
    options.binary_location = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def png(chrome: Chrome, page: Path, height: int, scheme: str) -> bytes:
    """Return the top of a page as a PNG of few colors.

    Args:
        chrome: The browser.
        page: The file of the page.
        height: Its height in pixels.
        scheme: `light` or `dark`.
    """
    size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    preferred = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": preferred})
    chrome.get(page.as_uri())
    picture = Image.open(io.BytesIO(chrome.get_screenshot_as_png())).convert("RGB")
    packed = io.BytesIO()
    # The default, of medians, turns small marks in red and green brown.
    few = picture.quantize(_COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(packed, "PNG", optimize=True)
    return packed.getvalue()
