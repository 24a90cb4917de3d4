"""The report: its numbers, its sentences, its charts and its weight."""

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
from analytics.report.text import changes, percent, short

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
        "Best was “quick” (Nov 21): 50% opened it within 48 hours. "
        "Worst was “slow” (Nov 22): 20%, and 16 of 500 unsubscribed (3.2%). "
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
        "Worst was “bad” (Nov 21): 20%. The median of twelve months is 40%. "
        "Most left after “good” (Nov 22): 16 of 500 unsubscribed (3.2%)."
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


def test_tiles_and_sentences_agree() -> None:
    """Unsubscribes rose, said the sentence; the tile had a check mark, as they were fewer than in
    the period before, which was worse.
    """  # fmt: skip
    before = [*months_before(opt_outs=1), campaign("bad", 45, opt_outs=97)]
    known = Campaigns([campaign("now", 5, opt_outs=8), *before], NOW)
    assert "Unsubscribes rose to 1.6%" in monday.above_usual(known).text
    tile = monday.rate_tile(known, "opt_out_rate", "Unsubscribe rate")
    assert (tile.value, tile.level) == ("1.6%", "bad")
    assert tile.change == "above the usual 0.2%; \N{MINUS SIGN}3.4 points from 5.0%"
    away = campaign("away", 5, 0.2, bounces=20, vacation_replies=20)
    quiet = Campaigns([away, *months_before()], NOW)
    assert monday.rate_tile(quiet, "bounce_rate", "").level == "calm"
    few = monday.rate_tile(quiet, "open_rate", "")
    assert (few.level, few.change.split(";")[0]) == ("bad", "below the usual 40%")
    often = [campaign(f"c{n}", n, opt_outs=5) for n in (5, *range(31, 360, 10))]
    over = monday.rate_tile(Campaigns(often, NOW), "opt_out_rate", "")
    assert over.change.split(";")[0] == "over the limit of 0.5%"


def test_growth_is_beside_the_usual() -> None:
    """After an import, the next 30 days looked bad."""
    tile = monday.growth_tile("New contacts", [20, 119, *[17] * 10], str)
    assert (tile.value, tile.level) == ("20", "calm")
    assert tile.change == "usual: 17; \N{MINUS SIGN}99 from 119"
    assert monday.growth_tile("Net growth", [-4, *[17] * 11], str).level == "bad"
    assert changes(3, 0) == "+3 \N{MINUS SIGN}0"


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

    assert (weight(60) - weight(10)) / 50 < 650
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
    texts = {"amber": "amber-ink", "none": "soft"}
    texts |= {f"q{n}": "on-few" if n < 3 else "on-many" for n in range(5)}
    assert {
        (ground, text)
        for ground, text in texts.items()
        if contrast(colors[ground], colors[text]) < 4.5
    } == set()


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
