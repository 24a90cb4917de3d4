"""The page of the report, from raw tables."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from tests.analytics.databases import Database, DuckDB, contact


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


def load_campaigns(warehouse: Database) -> None:
    """Load one that was sent again and got vacation replies, and one that nobody opened."""
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


def test_emails_of_an_account(database: Database) -> None:
    load_campaigns(database)
    done = database.build()
    assert done.returncode == 0, done.stdout + done.stderr
    report = database.report
    # A campaign is of the day of its first sending, and its first email is compared.
    row = re.search(r"<tr><td data-key=[^<]*</td><th scope=\"row\">Spring.*?</tr>", report)
    assert row
    assert ">56%<" in row[0]  # 109 of 194
    assert ">3.0%<" in row[0]  # 6 of 200 bounced, as in the mart
    (rate,) = database.query(
        "select bounce_rate from analytics.constantcontact__campaigns where campaign_id = 'k'"
    )
    assert rate == (0.03,)
    # Five of them are vacation replies.
    assert "0 campaigns had more than 2% bounces, 0 more than 0.5% unsubscribes" in report
    assert "Bounce rates include vacation replies (5)" in report
    assert "3.0% bounced (1 does not exist, 5 vacation reply (delivered))" in report
    # One of those who opened did within 48 hours. Nobody opened Zero; of Unread nobody knows.
    assert re.search(
        r"Worst was “Zero” \([^)]*\): 0%. The median of twelve months is 0.5%.", report
    )
    assert re.search(r"Best was “Well” \([^)]*\): 2.0% opened it within 48 hours", report)
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


def test_sentences_say_what_was_not_loaded(warehouse: DuckDB) -> None:
    """Without opens, it said that there were too few campaigns."""
    load_campaigns(warehouse)
    warehouse.query("drop table main.email_opens")
    warehouse.query("drop table main.email_campaign_ab_tests")
    warehouse.query("update main.email_campaigns set type = 'AB_TEST' where campaign_id = 'z'")
    assert warehouse.build().returncode == 0
    report = warehouse.report
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
