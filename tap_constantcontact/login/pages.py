"""The pages that the browser shows at the end of a sign-in."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from tap_constantcontact.error_messages import error_message
from tap_constantcontact.exceptions import LoginError

_CLOSE = "You can close this window and return to the terminal."
_AGAIN = "No tokens were stored. Return to the terminal to try again."

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">{refresh}
<title>{title} | tap-constantcontact</title>
<style>
  :root {{ --page: #f3f5f8; --card: #fff; --text: #1b2430; --soft: #566273; --line: #dde2e9;
    --good: #0f7b43; --bad: #b3261e; --wait: #8a5a00; --busy: #2457c5; }}
  @media (prefers-color-scheme: dark) {{
    :root {{ --page: #12161c; --card: #1b2129; --text: #e8ecf2; --soft: #a3afbf; --line: #313a46;
      --good: #58d08d; --bad: #ff8a80; --wait: #f1bc5c; --busy: #8ab0ff; }}
  }}
  * {{ box-sizing: border-box; margin: 0; }}
  body {{ min-height: 100vh; display: grid; place-items: center; padding: 1.25rem;
    font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); }}
  main {{ width: 100%; max-width: 30rem; padding: 2rem; background: var(--card);
    border: 1px solid var(--line); border-radius: .75rem; overflow-wrap: anywhere; }}
  svg {{ display: block; width: 2.75rem; height: 2.75rem; margin-bottom: 1rem;
    color: var(--{tone}); fill: none; stroke: currentColor; stroke-width: 2;
    stroke-linecap: round; stroke-linejoin: round; }}
  h1 {{ font-size: 1.5rem; line-height: 1.25; margin-bottom: .5rem; }}
  .detail {{ margin-top: 1rem; padding: .75rem 1rem; color: var(--soft);
    border-left: 3px solid var(--{tone}); font-size: .9375rem; }}
  footer {{ margin-top: 1.5rem; color: var(--soft); font-size: .875rem; }}
</style>
</head>
<body>
<main>
<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/>{icon}</svg>
<h1>{title}</h1>
<p>{text}</p>
{detail}<footer>tap-constantcontact-login</footer>
</main>
</body>
</html>
"""
_ICONS = {
    "good": '<path d="m7.5 12.5 3 3 6-6.5"/>',
    "bad": '<path d="m8.5 8.5 7 7m0-7-7 7"/>',
    "wait": '<path d="M12 7v5l3 2"/>',
    "busy": '<path d="M8 12h.01M12 12h.01M16 12h.01"/>',
}


class AccessDenied(LoginError):
    """Raised when a person, or the authorization server, denies access."""


class NoResponse(LoginError):
    """Raised when the authorization server has not issued tokens in time."""


class Page(NamedTuple):
    """A page.

    Attributes:
        title: Its heading.
        text: What it means, and what to do.
        tone: Color and icon: good, bad, wait or busy.
        detail: The message of an error.
    """

    title: str
    text: str
    tone: str = "bad"
    detail: str = ""

    def html(self, *, refreshes: bool = False) -> bytes:
        """Return the page.

        Args:
            refreshes: Whether the browser requests it again after a second.
        """
        detail = f'<p class="detail">{escape(self.detail)}</p>\n' if self.detail else ""
        return _TEMPLATE.format(
            title=escape(self.title),
            text=escape(self.text),
            tone=self.tone,
            icon=_ICONS[self.tone],
            detail=detail,
            refresh='\n<meta http-equiv="refresh" content="1">' if refreshes else "",
        ).encode()


GRANTED = Page("Access granted", f"The tokens are stored. {_CLOSE}", "good")
WAITING = Page(
    "Getting the tokens",
    "Constant Contact has not issued them yet. This page shows the result as soon as it is known.",
    "busy",
)
UNEXPECTED = Page(
    "Unexpected response",
    "It belongs to another sign-in. Open the address shown in the terminal and sign in there.",
)
REPEATED = Page("Sign-in already completed", _CLOSE, "wait")
UNKNOWN = Page("Page not found", "This server only waits for the response of a sign-in.")


def outcome(error: BaseException | None) -> Page:
    """Return the page for the end of a sign-in.

    Args:
        error: What ended it; None if the tokens are stored.
    """
    if error is None:
        return GRANTED
    if not isinstance(error, Exception):
        return Page("Sign-in stopped", f"It was interrupted in the terminal. {_AGAIN}", "wait")
    detail = error_message(error)
    if isinstance(error, AccessDenied):
        return Page("Access denied", _AGAIN, "bad", detail)
    if isinstance(error, NoResponse):
        return Page("No tokens in time", _AGAIN, "wait", detail)
    return Page("Sign-in failed", "Return to the terminal to try again.", "bad", detail)
