"""The report: its numbers, its sentences, and the page as an object."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from analytics.report import charts, monday, render, table
from analytics.report.campaigns import Campaigns
from analytics.report.section import csv_link
from analytics.report.text import percent, short
from tests.analytics.databases import DuckDB, contact

NOW = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)


def campaign(name: str, days: float, rate: float = 0.4, **others: Any) -> dict[str, Any]:
    """Return a campaign of some days ago; rates follow from counts."""
    delivered = others.get("delivered", 500)
    row = {
        "name": name, "subject": name, "sent_at": NOW - timedelta(days=days),
        "age": timedelta(days=days), "sends": delivered, "delivered": delivered,
        "unique_opens": round(rate * delivered), "unique_clicks": 10, "bounces": 0,
        "vacation_replies": 0, "opt_outs": 0, "spam_reports": 0, "open_rate": rate,
        "click_rate": 10 / delivered, "click_to_open_rate": 0.05, "opened_early": rate,
        "is_coming_in": days < 2, "is_small": delivered < 100, **others,
    }  # fmt: skip
    return {
        **row,
        "failures": row["bounces"] - row["vacation_replies"],
        "failure_rate": (row["bounces"] - row["vacation_replies"]) / row["sends"],
        "bounce_rate": row["bounces"] / row["sends"],
        "opt_out_rate": row["opt_outs"] / delivered,
        "spam_rate": row["spam_reports"] / delivered,
    }


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
            campaign("slow", 5, 0.6, opened_early=0.2, opt_outs=16),
            campaign("quick", 6, 0.5, opened_early=0.5),
            *(campaign(f"c{n}", n, 0.4) for n in range(7, 12)),
            # Too old to be the best or the worst, but not for the median.
            campaign("then", 91, 0.9),
            campaign("never", 92, 0.1),
        ],
        NOW,
    )
    sentence = monday.best_and_worst(known)
    assert sentence.level == "bad"
    assert sentence.text == (
        "Best: “quick” (Nov 21), 50% opened it within 48 hours. "
        "Worst: “slow” (Nov 22), 20%, and 16 of 500 unsubscribed (3.2%). "
        "The median of twelve months is 40%."
    )


def test_unsubscribes_are_those_of_the_campaign_that_had_them() -> None:
    """They stood behind the median, as if they were the worst campaign's or everybody's."""
    known = Campaigns(
        [
            campaign("good", 5, 0.5, opt_outs=16),
            campaign("bad", 6, 0.2),
            *(campaign(f"c{n}", n, 0.4) for n in range(7, 12)),
        ],
        NOW,
    )
    assert monday.best_and_worst(known).text.endswith(
        "Worst: “bad” (Nov 21), 20%. The median of twelve months is 40%. "
        "Most unsubscribes: “good” (Nov 22), 16 of 500 unsubscribed (3.2%)."
    )


def test_campaigns_that_are_alike_have_no_worst() -> None:
    known = Campaigns([campaign(f"c{n}", n) for n in range(3, 7)], NOW)
    sentence = monday.best_and_worst(known)
    assert (sentence.text, sentence.level) == ("4 campaigns, each opened by 40%.", "calm")
    assert monday.best_and_worst(Campaigns([], NOW)).text == "Too few campaigns to compare."


def months_before(**counts: int) -> list[dict[str, Any]]:
    return [campaign(f"c{n}", n, **counts) for n in range(31, 360, 10)]


def test_bounces_above_the_usual() -> None:
    before = months_before(bounces=5)
    calm = Campaigns([campaign("calm", 5, bounces=5), *before], NOW)
    assert monday.above_usual(calm).text == (
        "Bounces are at 1.0% (usual: 1.0%). Unsubscribes are at 0% (usual: 0%). Nothing to do."
    )
    rose = monday.above_usual(Campaigns([campaign("bad", 5, bounces=10), *before], NOW))
    assert rose.level == "bad"
    assert rose.text.startswith("Bounces rose to 2.0% (usual: 1.0%). Unsub")
    high = monday.above_usual(Campaigns([campaign("bad", 5, bounces=24), *before], NOW))
    assert high.text.startswith("Bounces rose to 4.8% (usual: 1.0%), over the limit of 2%.")


def test_one_bad_campaign_does_not_make_the_next_usual() -> None:
    """Half of the bounces of eleven months were those of one campaign."""
    before = [*months_before(bounces=5), campaign("bad", 45, bounces=200)]
    again = monday.above_usual(Campaigns([campaign("bad", 5, bounces=10), *before], NOW))
    assert again.text.startswith("Bounces rose to 2.0% (usual: 1.0%).")


def test_one_more_is_chance() -> None:
    """Twice as many unsubscribed: two, not one."""
    before = months_before(opt_outs=1)
    sentence = monday.above_usual(Campaigns([campaign("new", 5, opt_outs=2), *before], NOW))
    assert sentence.level == "good"
    assert "Unsubscribes are at 0.4% (usual: 0.2%)." in sentence.text


def test_vacation_replies_are_no_failures() -> None:
    """The API counts them as bounces, and so do all rates; but the emails were delivered."""
    before = months_before(bounces=5)
    august = campaign("August", 5, bounces=20, vacation_replies=16)
    known = Campaigns([august, *before], NOW)
    sentence = monday.above_usual(known)
    assert sentence.level == "good"
    assert sentence.text.startswith(
        "Bounces are at 4.0% (usual: 1.0%), including vacation replies to 3.2% of emails. "
    )
    assert known.above("failure_rate") == []
    assert table.lines(known)[0].cells[3].text == "4.0%"
    assert "include vacation replies" in table.medians(known)


def test_numbers_are_short() -> None:
    texts = [short(value) for value in (7, 999, 1000, 1450, 9960, 45_600, 999_700, 2_300_000)]
    assert texts == ["7", "999", "1k", "1.4k", "10k", "46k", "1M", "2.3M"]


def test_percent_has_a_decimal_where_it_matters() -> None:
    assert [percent(rate) for rate in (None, 0, 0.0016, 0.0994, 0.0996, 0.421)] == [
        "n/a", "0%", "0.2%", "9.9%", "10%", "42%",
    ]  # fmt: skip


def test_axis_ends_with_a_round_number() -> None:
    ends = [charts.top_of([value]) for value in (0, 0.034, 1, 7, 23, 100, 101)]
    assert ends == pytest.approx([1, 0.05, 1, 10, 25, 100, 200])


def test_each_chart_over_time_has_months_below() -> None:
    for count, labels in ((52, 4), (47, 6), (3, 6), (1, 6)):
        rows = [charts.Column(f"m{n}", [(n, "c1")], "") for n in range(count)]
        drawn = charts.columns(rows, labels=labels)
        found = re.findall(r">(m\d+)</text>", drawn)
        assert found[0] == f"m{count - 1}"
        assert min(count, labels) - 1 <= len(found) <= labels


def test_tick_of_a_capacity_is_on_its_scale() -> None:
    full = charts.Bar("full", [charts.Part(10, "c1", "10 of 40")], "10", 40)
    assert 'x1="50%" x2="50%"' in charts.bars([full], 80)
    assert "<line" not in charts.bars([full])  # The scale ends at 10.


def test_campaign_weighs_little() -> None:
    """47 campaigns were 75 of 187 KB: each dot had its median, its title and its sizes."""

    def weight(count: int) -> int:
        known = Campaigns([campaign(f"Campaign {n}", n, n / 100) for n in range(3, 3 + count)], NOW)
        return len(render({
            "account": {"name": "Café"}, "data": {"is_dated": True}, "read_at": NOW, "cell": str,
            "campaigns": table.lines(known), "rules": table.rules(known), "shown": 10,
        }))  # fmt: skip

    assert (weight(60) - weight(10)) / 50 < 600
    columns = [charts.Column("Nov 2026", [(0.4, "c1"), (0.2, "c2")], "") for _ in range(50)]
    assert len(charts.columns(columns)) / 50 < 200


def test_exposure_names_what_the_report_reads() -> None:
    project = Path(charts.__file__).parents[1]
    marts = project / "models" / "marts"
    exposure = (marts / "_constantcontact__exposures.yml").read_text("utf-8")
    named = set(re.findall(r"ref\('constantcontact__(\w+)'\)", exposure))
    files = [*project.glob("report/*.py"), project / "warehouse.py"]
    tables = {
        name
        for file in files
        for name in re.findall(
            r"(?:from|join) (?:constantcontact__)?(\w+)", file.read_text("utf-8")
        )
    }
    every = {file.stem.removeprefix("constantcontact__") for file in marts.glob("*.sql")}
    assert tables & (named | every) == named


def test_texts_are_escaped_in_charts_and_safe_in_csv() -> None:
    name = "=1+1<b>"
    drawn = charts.bars([charts.Bar(name, [charts.Part(1, "c1", name)])])
    assert name not in drawn
    assert drawn.count("=1+1&lt;b&gt;") == 2
    assert unquote(csv_link({"a": "A"}, [{"a": name}])).endswith("A\n'=1+1<b>\n")


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
    warehouse.load("email_campaign_send_history", ("e", 1, "k", 4, open_at, "COMPLETED"))
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
    assert re.search(r"<title>Café Olé: email marketing report, week \d+ of \d{4}</title>", report)
    assert "Times are in US/Eastern; days are counted in UTC." in report
    assert "3 of 6 contacts can be emailed" in report
    assert re.search(r"Waiting for confirmation: 1, .* Unsubscribed: 1, Deleted: 1", report)
    # The same in bars: by opens and clicks, and by clicks alone.
    assert 'aria-label="0 of 3 are engaged: an open or click in 90 days.' in report
    assert "Cooling: 90 to 365 days ago: 1 contact<" in report
    assert report.count("Cold: never: 1 contact<") == 1
    assert report.count("Cold: never: 2 contacts<") == 0  # Clicks are not loaded.
    assert "Not loaded: email_clicks is not selected." in report
    assert "Cold: more than 365 days ago: 0 contacts" not in report  # no bar
    assert ">Cold: more than 365 days ago</span>" in report  # but its line
    assert re.search(r"<td>Too new to tell</td><td>1</td>", report)
    assert (
        "1 contact began to cool: no open or click for 90 days. 0 went cold: none for 365 days. "
        "Of 3 reachable contacts, 0 are engaged, 1 cooling, 1 cold and 1 too new to tell." in report
    )
    assert "1 address to remove" in report
    assert len(re.findall(r"<span>Open house, \w+ \d+, \d{4}<", report)) == 2
    assert "Not loaded: contact_lists is not selected" in report
    assert "@example.com" not in report


@pytest.fixture
def some_campaigns(warehouse: DuckDB) -> DuckDB:
    """One that was sent again, and got vacation replies; and one with a test that nobody opened."""
    now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)

    def ago(days: float) -> datetime:
        return now - timedelta(days=days)

    warehouse.load("contacts", *(contact(f"c{n}", at=ago(400)) for n in range(8)))
    names = {"k": "Spring", "z": "Zero", "u": "Unread", "w": "Well"}
    warehouse.load(
        "email_campaigns",
        *((id_, name, "NEWSLETTER", "DONE", None, None) for id_, name in names.items()),
    )
    warehouse.load(
        "email_campaign_activities", ("p", "k", "primary_email", "Spring is here"),
        ("r", "k", "resend", "Again: spring"), ("s", "z", "primary_email", "Nobody cares"),
        ("v", "u", "primary_email", "Opens are not loaded"), ("x", "w", "primary_email", "Well"),
    )  # fmt: skip
    counters = {
        "p": {"em_sends": 200, "em_bounces": 6, "em_bounces_vacation": 5, "em_opens": 97,
              "em_clicks": 12, "em_optouts": 0},
        "r": {"em_sends": 120, "em_bounces": 0, "em_opens": 12, "em_clicks": 3, "em_optouts": 1},
        "s": {"em_sends": 150, "em_bounces": 0, "em_opens": 0, "em_clicks": 0, "em_optouts": 0},
        "x": {"em_sends": 150, "em_bounces": 0, "em_opens": 30, "em_clicks": 0, "em_optouts": 0},
        "v": {"em_sends": 150, "em_bounces": 0, "em_opens": 60, "em_clicks": 0, "em_optouts": 0},
    }  # fmt: skip
    of = {"p": "k", "r": "k", "s": "z", "v": "u", "x": "w"}
    warehouse.load(
        "email_campaign_activity_stats",
        *((id_, of[id_], each, now) for id_, each in counters.items()),
    )
    warehouse.load(
        "email_campaign_stats", ("k", {**counters["p"], "em_opens": 109, "em_clicks": 15}, now),
        ("z", counters["s"], now), ("u", counters["v"], now), ("w", counters["x"], now),
    )  # fmt: skip
    sent = {"p": ago(20), "r": ago(16), "s": ago(10), "v": ago(8), "x": ago(6)}
    warehouse.load(
        "email_campaign_send_history",
        *((id_, 1, of[id_], 1, at, "COMPLETED") for id_, at in sent.items()),
    )
    late = timedelta(hours=49)
    warehouse.load(
        "email_opens", ("p", "c0", "k", sent["p"] + timedelta(hours=1), 0, "mobile", now),
        ("p", "c1", "k", sent["p"] + late, 0, "mobile", now),
        ("r", "c2", "k", sent["r"] + timedelta(hours=1), 0, "computer", now),
        *(("x", f"c{n}", "w", sent["x"] + timedelta(hours=47), 0, "tablet", now) for n in range(3)),
    )  # fmt: skip
    warehouse.load("email_bounces", *(
        ("p", f"c{n}", "k", sent["p"], 0, "V" if n else "B", now) for n in range(6)
    ))  # fmt: skip
    warehouse.load("email_campaign_ab_tests", ("s", "z", "Somebody cares", 20.0, 24))
    return warehouse


def test_emails_of_an_account(some_campaigns: DuckDB) -> None:
    done = some_campaigns.build()
    assert done.returncode == 0, done.stdout + done.stderr
    report = some_campaigns.report
    # A campaign is of the day of its first sending, and its first email is compared.
    row = re.search(r"<tr><td data-key=[^<]*</td><th scope=\"row\">Spring.*?</tr>", report)
    assert row
    assert ">56%<" in row[0]  # 109 of 194
    assert ">3.0%<" in row[0]  # 6 of 200 bounced, as in the mart
    (rate,) = some_campaigns.query(
        "select bounce_rate from analytics.constantcontact__campaigns where campaign_id = 'k'"
    )
    assert rate == (0.03,)
    # Five of them are vacation replies.
    assert "0 campaigns had more than 2% bounces, 0 more than 0.5% unsubscribes" in report
    assert "Bounce rates include vacation replies (5)" in report
    assert "3.0% bounced (1 does not exist, 5 vacation reply (delivered))" in report
    # One of those who opened did within 48 hours. Nobody opened Zero; of Unread nobody knows.
    assert re.search(r"Worst: “Zero” \([^)]*\), 0%. The median of twelve months is 0.5%.", report)
    assert re.search(r"Best: “Well” \([^)]*\), 2.0% opened it within 48 hours", report)
    # The resend beside its first send.
    assert "1 resend: 12 more contacts opened, 10% of 120" in report
    assert re.search(r"<span>Spring, first send [^<]*</span>.*?<b>50% · 6.2%</b>", report)
    assert re.search(r"<span>Spring, resend [^<]*</span>.*?<b>10% · 2.5%</b>", report)
    # The test, against the median of 56%, 40%, 20% and 0%.
    assert "0 of 1 A/B test beat the median open rate of 30%" in report
    assert "“Nobody cares” or “Somebody cares”" in report
    assert re.search(r"<td>20%</td><td>24</td><td>150</td><td>0%</td>", report)
    # Send times are of first sends.
    assert "3 campaigns" not in report
    delivered = re.findall(r'class="small">(\d+)<', report)
    assert sum(map(int, delivered)) == 194 + 3 * 150


def test_sentences_say_what_was_not_loaded(some_campaigns: DuckDB) -> None:
    """Without opens, it said that there were too few campaigns."""
    some_campaigns.query("drop table main.email_opens")
    some_campaigns.query("drop table main.email_campaign_ab_tests")
    some_campaigns.query("update main.email_campaigns set type = 'AB_TEST' where campaign_id = 'z'")
    assert some_campaigns.build().returncode == 0
    report = some_campaigns.report
    assert "<b>Campaigns</b>Not loaded: email_opens is not selected." in report
    assert "Not loaded: email_campaign_ab_tests is not selected" in report


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
