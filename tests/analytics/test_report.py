"""The report: its numbers, its sentences, and the page as an object."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from analytics.report import charts, monday, table
from analytics.report.campaigns import Campaigns
from analytics.report.section import csv_link
from analytics.report.text import percent
from tests.analytics.databases import DuckDB, contact

NOW = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)


def campaign(name: str, days: float, rate: float = 0.4, **others: Any) -> dict[str, Any]:
    delivered = others.get("delivered", 500)
    row = {
        "name": name, "subject": name, "sent_at": NOW - timedelta(days=days), "sends": delivered,
        "delivered": delivered, "unique_opens": round(rate * delivered), "unique_clicks": 10,
        "bounces": 0, "opt_outs": 0, "spam_reports": 0, "open_rate": rate,
        "click_rate": 10 / delivered, "click_to_open_rate": 0.05, "opt_out_rate": 0.0,
        "bounce_rate": 0.0, "opened_early": rate, "is_coming_in": days < 2,
        "is_small": delivered < 100,
    }  # fmt: skip
    return {**row, **others}


def test_campaign_of_today_is_not_compared() -> None:
    """It was "below the usual" minutes after it had been sent."""
    known = Campaigns(
        [campaign("new", 0.1, 0.02), *(campaign(f"c{n}", n) for n in range(3, 9))], NOW
    )
    assert known.median("open_rate") == 0.4
    assert "new" not in monday.best_and_worst(known).text
    first = table.lines(known)[0]
    assert (first.level, first.note) == ("hatched", "sent 2 hours ago, still coming in")


def test_small_campaign_is_not_in_the_median() -> None:
    """One to 20 people, opened by 90 %, was one of six equals."""
    small = campaign("small", 3, 0.9, delivered=20)
    known = Campaigns([small, campaign("a", 4, 0.3), campaign("b", 5, 0.4)], NOW)
    assert known.median("open_rate") == pytest.approx(0.35)
    assert table.lines(known)[0].level == "small"
    # Totals are weighted.
    assert known.rate_of("open_rate", known.rows) == pytest.approx((18 + 150 + 200) / 1020)


def test_best_and_worst_are_compared_at_the_same_age() -> None:
    known = Campaigns(
        [
            # More opened in the end, fewer in 48 hours.
            campaign("slow", 5, 0.6, opened_early=0.2, opt_outs=16, opt_out_rate=0.032),
            campaign("quick", 6, 0.5, opened_early=0.5),
            *(campaign(f"c{n}", n, 0.4) for n in range(7, 12)),
        ],
        NOW,
    )
    sentence = monday.best_and_worst(known)
    assert sentence.level == "bad"
    assert "Best: “quick” (Nov 21), 50% opened within 48 hours." in sentence.text
    assert "Worst: “slow” (Nov 22), 20%. The median is 40%. 16 of 500" in sentence.text


def test_bounces_above_the_usual() -> None:
    before = [campaign(f"c{n}", n, bounces=5, bounce_rate=0.01) for n in range(31, 60)]
    calm = Campaigns([campaign("calm", 5, bounces=5, bounce_rate=0.01), *before], NOW)
    assert monday.above_usual(calm).text.endswith("(usual: 0%). Nothing to do.")
    bad = Campaigns([campaign("bad", 5, bounces=24, bounce_rate=0.048), *before], NOW)
    sentence = monday.above_usual(bad)
    assert sentence.level == "bad"
    assert sentence.text.startswith("Bounces rose to 4.8% (usual: 1.0%).")


def test_percent_has_a_decimal_where_it_matters() -> None:
    assert [percent(rate) for rate in (None, 0, 0.0016, 0.0994, 0.0996, 0.421)] == [
        "n/a", "0%", "0.2%", "9.9%", "10%", "42%",
    ]  # fmt: skip


def test_axis_ends_with_a_round_number() -> None:
    ends = [charts.top_of([value]) for value in (0, 0.034, 1, 7, 23, 100, 101)]
    assert ends == pytest.approx([1, 0.05, 1, 10, 25, 100, 200])


def test_texts_are_escaped_in_charts_and_safe_in_csv() -> None:
    name = "=1+1<b>"
    drawn = charts.bars([charts.Bar(name, [charts.Part(1, "c1", name)])])
    assert "<b>" not in drawn
    assert unquote(csv_link({"a": "A"}, [{"a": name}])).endswith("A\r\n'=1+1<b>\r\n")


def test_page_of_an_account(warehouse: DuckDB) -> None:
    """Two events of one name and day in two years, people too new to tell, and one bad address."""
    now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
    warehouse.load(
        "account", ("a", "Café Olé", "US/Eastern", now),
        columns="encoded_account_id text, organization_name text, time_zone_id text, "
        "_sdc_extracted_at timestamp",
    )  # fmt: skip
    old, new = now - timedelta(days=400), now - timedelta(days=3)
    warehouse.load(
        "contacts",
        contact("opened", at=old), contact("never", at=old), contact("new", at=new),
        contact("waits", at=old, permission="pending_confirmation"),
        contact("left", at=old, permission="unsubscribed"),
        contact("gone", at=old, deleted="2026-01-05"),
    )  # fmt: skip
    keys = "campaign_activity_id text, contact_id text, campaign_id text, created_time timestamp, "
    open_at = now - timedelta(days=100)
    warehouse.load(
        "email_opens", ("e", "opened", "k", open_at, 0, "mobile"),
        columns=f"{keys} occurrence integer, device_type text",
    )  # fmt: skip
    warehouse.load(
        "email_bounces", ("e", "never", "k", open_at, 0, "B"), ("e", "new", "k", open_at, 0, "V"),
        columns=f"{keys} occurrence integer, bounce_code text",
    )  # fmt: skip
    warehouse.load("email_campaigns", ("k", "<i>Fair", None, "DONE", None, None))
    warehouse.load("email_campaign_stats", ("k", {"em_sends": 4, "em_bounces": 2}, None))
    years = (now - timedelta(days=300), now + timedelta(days=65))
    warehouse.load(
        "events",
        *(
            (str(number), "Open house", None, "ACTIVE", at, at, *(None,) * 7)
            for number, at in enumerate(years)
        ),
    )
    done = warehouse.build()
    assert done.returncode == 0, done.stdout + done.stderr
    report = warehouse.report
    assert re.search(r"<title>Café Olé, Email marketing report, week \d+ of \d{4}</title>", report)
    assert "Times are in US/Eastern, days are those of UTC." in report
    assert "3 of 6 contacts can be emailed" in report
    assert re.search(r"Waiting for confirmation: 1, .* Unsubscribed: 1, Deleted: 1", report)
    assert 'aria-label="0 of 3 opened or clicked in the last 90 days' in report
    assert re.search(r"<td>Too new to tell</td><td>1</td>|Too new to tell: 1 contact,", report)
    assert re.search(r"Never: 1 contact,", report)
    assert "More than a year ago: 0" not in report  # no bar
    assert ">More than a year ago</span>" in report  # but its line
    assert "1 address to remove" in report
    assert len(re.findall(r'class="label">Open house, \w+ \d+, \d{4}<', report)) == 2
    assert "Not loaded: contact_lists is not selected" in report
    assert "@example.com" not in report


def test_page_needs_no_script_and_no_network(warehouse: DuckDB) -> None:
    warehouse.load("contacts", *(contact(f"c{n}") for n in range(3)))
    assert warehouse.build().returncode == 0
    report = warehouse.report
    without = re.sub(r"<script>.*?</script>", "", report, flags=re.DOTALL)
    assert without.count("<svg") > 3
    assert not re.search(r'(?:src|href)="(?!data:text/csv)', report)
    assert not re.search(r"@import|url\((?!#)", report)
    figures = re.findall("<figure[^>]*>", report)
    assert figures
    assert all(re.search(r'role="img" aria-label="[^"]{20,}"', figure) for figure in figures)
    tables = re.findall("<table>.*?</table>", report, re.DOTALL)
    assert all("<caption>" in text and '<th scope="col"' in text for text in tables)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colors_have_contrast(scheme: str) -> None:
    style = Path(charts.__file__).with_name("style.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    block = blocks[("light", "dark").index(scheme)]
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", block))
    assert {
        name: color
        for name, color in colors.items()
        if re.fullmatch(r"c\d|ink|soft|bad|good|accent", name)
        and contrast(color, colors["card"]) < (3 if name[0] == "c" else 4.5)
    } == {}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, as WCAG has it."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
