"""Sections that compare emails: resends with first sends, A/B tests, and SMS campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from analytics.report import charts
from analytics.report.campaigns import COMING_IN, Campaigns
from analytics.report.charts import Bar, Part
from analytics.report.section import Section, lacking, not_loaded
from analytics.report.text import day, number, percent, plural
from analytics.warehouse import Row, Warehouse

_MOST = 5  # resends that are drawn


def resends(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show the rates of each resend beside those of its first send."""
    rows = warehouse.rows(
        """
        select emails.campaign_id, emails.campaign_name, emails.subject, emails.is_resend,
            emails.first_sent_at, emails.delivered, emails.unique_opens, emails.open_rate,
            emails.click_rate, emails.opt_out_rate
        from constantcontact__campaign_emails as emails
        join (
            select campaign_id, max(first_sent_at) as resent_at
            from constantcontact__campaign_emails
            where is_resend and delivered > 0
            group by campaign_id
        ) as resent on emails.campaign_id = resent.campaign_id
        where emails.role in ('primary_email', 'resend') and emails.delivered > 0
            and resent.resent_at > :now - interval '365 days'
        order by resent.resent_at desc, emails.campaign_id, emails.first_sent_at
        """
    )
    for row in rows:
        _describe(row, warehouse, campaigns)
        row["email"] = "Resend" if row["is_resend"] else "First send"
        row["name"] = row["campaign_name"] or "(no name)"
    again = [row for row in rows if row["is_resend"] and not row["is_coming_in"]]
    title = "No email was sent again in the last twelve months"
    if again:
        opens, delivered = (sum(row[key] or 0 for row in again)
                            for key in ("unique_opens", "delivered"))  # fmt: skip
        title = (
            f"{plural(len(again), 'resend')}: {plural(opens, 'more contact')} opened, "
            f"{percent(opens / delivered)} of {number(delivered)}"
        )
    elif rows:
        title = "The first results of a resend are coming in"
    shown = list(dict.fromkeys(row["campaign_id"] for row in rows))[:_MOST]
    bars = [_resend(row, campaigns.now.date()) for row in rows if row["campaign_id"] in shown]
    note = (
        "Percent opened and clicked, of the emails delivered. A resend goes to contacts that did "
        f"not open the first email, so its rates are lower. The last {_MOST} of twelve months; the "
        "table has all."
    )
    columns = {
        "sent": "Sent", "name": "Campaign", "email": "Email", "subject": "Subject",
        "delivered": "Delivered", "open_rate": "Open rate", "click_rate": "Click rate",
        "opt_out_rate": "Unsubscribe rate",
    }  # fmt: skip
    figure = charts.legend((("c1", "first send"), ("c3", "resend"))) + charts.bars(bars)
    return Section(
        "resends", title, note, figure if rows else "", f"{title}. {charts.spoken(bars)}", columns,
        rows,
    )  # fmt: skip


def _describe(row: Row, warehouse: Warehouse, campaigns: Campaigns) -> None:
    """Add to an email when it was sent, and whether its results are still coming in."""
    sent_at = warehouse.local(row["first_sent_at"]) if row["first_sent_at"] else None
    row["sent"] = sent_at.date() if sent_at else None
    row["is_coming_in"] = sent_at is not None and campaigns.now - sent_at < COMING_IN


def _resend(row: Row, today: date) -> Bar:
    name = f"{row['name']}, {row['email'].lower()}"
    if row["sent"]:
        name += f" {day(row['sent'], today=today)}"
    text = f"{percent(row['open_rate'])} · {percent(row['click_rate'])}"
    title = (
        f"{name}: {percent(row['open_rate'])} of {number(row['delivered'])} opened, "
        f"{percent(row['click_rate'])} clicked"
    )
    color = "h1" if row["is_coming_in"] else "c3" if row["is_resend"] else "c1"
    return Bar(name, [Part(row["open_rate"] or 0, color, title)], text)


def ab_tests(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show the emails that were sent with two subjects, against the median."""
    missing = lacking(warehouse.data, [("email_campaign_ab_tests",)])
    if missing and any(str(row["type"]).upper() == "AB_TEST" for row in campaigns.rows):
        return not_loaded("ab-tests", missing)
    rows = warehouse.rows(
        """
        select campaign_name, subject, alternative_subject, test_size, winner_wait_hours,
            first_sent_at, delivered, open_rate, click_rate
        from constantcontact__ab_tests
        where delivered > 0 and first_sent_at > :now - interval '365 days'
        order by first_sent_at desc
        """
    )
    for row in rows:
        _describe(row, warehouse, campaigns)
        row["test_size"] = None if row["test_size"] is None else row["test_size"] / 100
    usual = campaigns.median("open_rate")
    over = [row for row in rows if not row["is_coming_in"]]
    title = "No A/B test was sent in the last twelve months"
    if over and usual is not None:
        above = sum(row["open_rate"] > usual for row in over)
        title = (
            f"{number(above)} of {plural(len(over), 'A/B test')} beat the median open rate of "
            f"{percent(usual)}"
        )
    elif rows:
        title = f"{plural(len(rows), 'A/B test')} in the last twelve months"
    bars = [_test(row, campaigns.now.date(), usual) for row in rows]
    note = (
        "Percent opened and clicked, of both subjects together: Constant Contact does not count "
        "them separately. The line is the median of all campaigns."
    )
    columns = {
        "sent": "Sent", "subject": "Subject", "alternative_subject": "Second subject",
        "test_size": "Contacts that got each", "winner_wait_hours": "Hours until the winner",
        "delivered": "Delivered", "open_rate": "Open rate", "click_rate": "Click rate",
    }  # fmt: skip
    return Section(
        "ab-tests", title, note, charts.bars(bars, _longest(bars)) if rows else "",
        f"{title}. {charts.spoken(bars)}", columns, rows,
    )  # fmt: skip


def _test(row: Row, today: date, usual: float | None) -> Bar:
    name = f"{day(row['sent'], today=today)}: “{row['subject']}” or “{row['alternative_subject']}”"
    title = (
        f"{percent(row['open_rate'])} of {number(row['delivered'])} opened, "
        f"{percent(row['click_rate'])} clicked"
    )
    text = f"{percent(row['open_rate'])} · {percent(row['click_rate'])}"
    color = "h1" if row["is_coming_in"] else "c1"
    return Bar(name, [Part(row["open_rate"] or 0, color, title)], text, usual)


def _longest(bars: Sequence[Bar]) -> float:
    return max((max(bar.parts[0].value, bar.tick or 0) for bar in bars), default=0) * 1.02


def sms(warehouse: Warehouse, campaigns: Campaigns) -> Section:
    """Show how SMS campaigns did."""
    today = campaigns.now.date()
    rows = warehouse.rows(
        """
        select name, last_sent_at, delivered, unique_clicks, opt_outs, click_rate
        from constantcontact__sms_campaigns
        where delivered > 0 and last_sent_at > :today - interval '365 days'
        order by last_sent_at desc
        limit 10
        """
    )
    for row in rows:
        row["sent"] = warehouse.local(row["last_sent_at"]).date()
    title = "No SMS was sent in the last twelve months"
    if known := [row for row in rows if row["unique_clicks"] is not None]:
        clicks, delivered = (sum(row[key] for row in known)
                             for key in ("unique_clicks", "delivered"))  # fmt: skip
        title = f"SMS click rate: {percent(clicks / delivered)} of {number(delivered)} delivered"
    elif rows:
        title = f"{plural(len(rows), 'SMS campaign')}, with no clicks reported"
    bars = [_sms(row, today) for row in rows]
    columns = {
        "sent": "Sent", "name": "Campaign", "delivered": "Delivered", "unique_clicks": "Clicked",
        "click_rate": "Click rate", "opt_outs": "Opted out",
    }  # fmt: skip
    note = (
        "Percent clicked of the messages delivered, and how many contacts opted out. The last ten "
        "SMS campaigns of twelve months."
    )
    return Section(
        "sms", title, note, charts.bars(bars) if rows else "", f"{title}. {charts.spoken(bars)}",
        columns, rows,
    )  # fmt: skip


def _sms(row: Row, today: date) -> Bar:
    name = f"{row['name']}, {day(row['sent'], today=today)}"
    left = f"{number(row['opt_outs'] or 0)} out"
    title = (
        f"{name}: {percent(row['click_rate'])} of {number(row['delivered'])} clicked, "
        f"{number(row['opt_outs'] or 0)} opted out"
    )
    text = f"{percent(row['click_rate'])} · {left}"
    return Bar(name, [Part(row["click_rate"] or 0, "c3", title)], text)
