"""Generate the account of a café: its guests join, read, come to events, and some leave."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sandbox.account import MAILABLE, Account, permission
from sandbox.account.clock import DAY, HOUR, day, stamp_ms
from sandbox.account.engagement import TYPICAL, Engagement, contacts_of, make_links
from sandbox.generate.automations import add_automations
from sandbox.generate.bulk_activities import add_bulk_activities
from sandbox.generate.cafe import calendar, texts
from sandbox.generate.cafe.calendar import Letter, eastern, in_boston
from sandbox.generate.cafe.contacts import KINDS, CafeContacts
from sandbox.generate.cafe.program import add_program, add_texts
from sandbox.generate.cafe.readers import Mood, Readers
from sandbox.generate.campaigns import create_campaign
from sandbox.generate.landing_pages import add_landing_pages
from sandbox.generate.lists import add_custom_fields, add_list, add_segments, add_tags, delete_list
from sandbox.generate.owner import add_owner
from sandbox.generate.partner import add_partner
from sandbox.generate.social import add_social
from sandbox.generate.v2_ids import add_v2_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.account import Record
    from sandbox.account.rules import Rules

NEWSLETTER, ANNOUNCEMENT, AB_TEST = 10, 11, 57
AT_THE_START, FROM_OLD_FILE = 0.45, 0.13  # shares of all contacts
BAD_MOOD = Mood(opens=0.62, clicks=0.5, opt_outs=25)
BEFORE_THE_SEND, CLEANED_UP = 2 * DAY, 12 * DAY  # the import of the old file, and its end
JOINED_IN_MONTH = {7: 1.3, 8: 1.3, 12: 1.5, 2: 0.7}


def generate_cafe(
    *, contacts: int, seed: int, now: Callable[[], int], rules: Rules | None = None
) -> Account:
    """Generate the account of a café. Equal arguments generate equal accounts.

    All of its timestamps are between twenty months and one hour before now, except those of a
    scheduled campaign and upcoming events.

    Args:
        contacts: How many contacts it has.
        seed: The seed of all random choices.
        now: Returns the time on the account's clock, in whole seconds.
        rules: Which dates follow which changes.
    """
    account = Account(
        seed=seed, now=now, largest_audience=max(1, contacts), rates=TYPICAL, rules=rules
    )
    letters = calendar.letters(now())
    first, last = letters[0].at - 21 * DAY, now() - HOUR
    add_owner(account, first)
    list_ids = {
        name: add_list(account, name, text, channels, first)
        for name, text, channels in texts.LISTS
        if name != texts.OLD_FILE
    }
    bad = next(letter for letter in letters if letter.is_bad)
    imported = bad.at - BEFORE_THE_SEND
    list_ids[texts.OLD_FILE] = add_list(account, texts.OLD_FILE, None, {"email"}, imported)
    add_tags(account, texts.TAGS, first, first + DAY)
    add_custom_fields(account, first, first + DAY, texts.CUSTOM_FIELDS, texts.CHOICES)
    add_segments(account, first, last)
    readers = Readers(account)
    account.simulate_send = readers.send
    _add_contacts(account, readers, contacts, (first, imported, last))
    Story(account, readers, list_ids).tell(letters)
    add_program(account, letters)
    add_texts(account, letters)
    _add_planned(account, list_ids[texts.LETTER])
    add_landing_pages(account)
    add_social(account)
    add_automations(account, last)
    add_bulk_activities(account)
    add_v2_ids(account)
    add_partner(account)
    return account


def _add_contacts(
    account: Account, readers: Readers, count: int, moments: tuple[int, int, int]
) -> None:
    """Import some contacts at the start, let others join by and by, and import the old file."""
    rng, (first, imported, last) = account.rng, moments
    old = int(count * FROM_OLD_FILE)
    at_start = int(count * AT_THE_START)
    days = range(first + DAY, last, DAY)
    weights = [JOINED_IN_MONTH.get(in_boston(each).month, 1.0) for each in days]
    joined = rng.choices(days, weights, k=count - at_start - old)
    moments_ = [first + 600] * at_start
    moments_ += [min(last, each + rng.randrange(DAY)) for each in joined]
    generator = CafeContacts(account)
    waiting = [imported + 900] * old
    for number, created in enumerate(sorted([*moments_, *waiting])):
        if created == imported + 900 and waiting:
            waiting.pop()
            contact_id = generator.add_from_old_file(created)
            readers.add(contact_id, created, is_dead=number % 5 < 2)  # noqa: PLR2004 - two of five
        else:
            contact_id = generator.add(KINDS[number * 7 % len(KINDS)], created, last)
            readers.add(contact_id, created)


class Story:
    """What happens to an account, from the first campaign to the last."""

    def __init__(self, account: Account, readers: Readers, list_ids: dict[str, str]) -> None:
        """Use an account with contacts.

        Args:
            account: The account.
            readers: How its contacts take emails.
            list_ids: Its lists, by name.
        """
        self.account = account
        self.readers = readers
        self.list_ids = list_ids

    def tell(self, letters: list[Letter]) -> None:
        """Send all campaigns, and let contacts leave, in the order of time."""
        steps = sorted(self._steps(letters), key=lambda step: step[0])
        for at, step in steps:
            if at < self.account.now() - HOUR:
                step(at)

    def _steps(self, letters: list[Letter]) -> Iterator[tuple[int, Callable[[int], None]]]:
        for number, letter in enumerate(letters):
            campaign_id = self._write(letter)
            yield letter.at, partial(self._send, letter, campaign_id)
            if letter.is_resent:
                yield letter.at + 4 * DAY, partial(self._resend, campaign_id)
            if letter.is_bad:
                yield letter.at + CLEANED_UP, partial(self._clean_up, campaign_id)
            if number % 4 == 1:
                yield letter.at + 2 * DAY, self._unsubscribe
            if number % 11 == 5:  # noqa: PLR2004
                yield letter.at + 3 * DAY, self._delete

    def _write(self, letter: Letter) -> str:
        account, code = self.account, ANNOUNCEMENT if letter.event else NEWSLETTER
        roles = ["primary_email", "permalink", *(["resend"] if letter.is_resent else [])]
        campaign = create_campaign(
            account,
            letter.at - account.rng.randrange(3 * HOUR, 3 * DAY),
            letter.name,
            letter.subject,
            AB_TEST if letter.is_ab_test else code,
            roles=roles,
        )
        ids = [self.list_ids[name] for name in _lists(letter)]
        for reference in campaign["campaign_activities"]:
            _finish(account.activities[reference["campaign_activity_id"]], ids, letter.subject)
        if letter.is_ab_test:
            primary = campaign["campaign_activities"][0]["campaign_activity_id"]
            account.ab_tests[primary] = {
                "alternative_subject": f"{letter.subject} (inside: a treat)",
                "test_size": 20,
                "winner_wait_duration": 24,
            }
        return str(campaign["campaign_id"])

    def _send(self, letter: Letter, campaign_id: str, at: int) -> None:
        account, rng = self.account, self.account.rng
        mood = BAD_MOOD if letter.is_bad else Mood(rng.uniform(0.88, 1.12), rng.uniform(0.7, 1.3))
        links: tuple[str, ...] = texts.LINKS
        if letter.event:
            mood = mood._replace(opens=mood.opens * 1.1, clicks=mood.clicks * 2)
            links = (f"https://events.example.com/ev/{letter.event.day}", *links)
        for role in ("primary_email", "resend") if letter.is_resent else ("primary_email",):
            activity_id = account.activity(campaign_id, role)["campaign_activity_id"]
            account.engagement[activity_id] = Engagement(0, make_links(rng, links))
        self.readers.mood = mood
        account.send_campaign(campaign_id, at)
        self.readers.mood = Mood()

    def _resend(self, campaign_id: str, at: int) -> None:
        """Send it again to those who did not open it; few do the second time."""
        account = self.account
        self.readers.mood = Mood(opens=0.4)
        account.resend_campaign(campaign_id, at)
        self.readers.mood = Mood()
        primary = account.activity(campaign_id, "primary_email")
        subject = f"In case you missed it: {primary['subject']}"
        account.activity(campaign_id, "resend")["subject"] = subject
        account.resends[primary["campaign_activity_id"]]["resend_subject"] = subject

    def _clean_up(self, campaign_id: str, at: int) -> None:
        """Delete the old file: the list, and the addresses that bounced."""
        account, list_id = self.account, self.list_ids[texts.OLD_FILE]
        (part,) = account.engagements(campaign_id)
        bounced = contacts_of(part.bounces)
        for contact_id, contact in account.contacts.items():
            if list_id in contact["list_memberships"]:
                contact["list_memberships"] = []
                if contact_id in bounced:
                    account.delete(contact_id, at)
        delete_list(account, list_id, at)

    def _unsubscribe(self, at: int) -> None:
        """Let one guest ask at the counter to be left alone."""
        for contact in self._pick(at):
            self.account.unsubscribe(contact["contact_id"], at, "Account", "Asked in the café.")

    def _delete(self, at: int) -> None:
        for contact in self._pick(at):
            self.account.delete(contact["contact_id"], at)

    def _pick(self, at: int) -> list[Record]:
        """Return one contact who can be written to, if there is one."""
        known = [
            row
            for row in self.account.contacts.values()
            if permission(row) in MAILABLE
            and "deleted_at" not in row
            and row["created_at"] < stamp_ms(at - DAY)
        ]
        return self.account.rng.sample(known, min(1, len(known)))


def _lists(letter: Letter) -> list[str]:
    if letter.is_bad:
        return [texts.LETTER, texts.OLD_FILE]
    if letter.event:
        return [texts.CLASSES] if letter.event.is_class else [texts.LETTER, texts.CLASSES]
    return [texts.LETTER]


def _finish(activity: Record, list_ids: list[str], subject: str) -> None:
    activity.update(contact_list_ids=list_ids, subject=subject, from_name="Café Olé")


def _add_planned(account: Account, list_id: str) -> None:
    """Add a draft, a scheduled campaign and a removed one, and ideas for more."""
    now = account.now()
    account.ideas = [*texts.IDEAS]
    for number, (name, status) in enumerate(
        ((texts.DRAFT, "Draft"), (texts.SCHEDULED, "Scheduled"), ("Test, please ignore", "Removed"))
    ):
        created = now - (number + 2) * DAY
        campaign = create_campaign(account, created, name, name, NEWSLETTER)
        for reference in campaign["campaign_activities"]:
            _finish(account.activities[reference["campaign_activity_id"]], [list_id], name)
        if status != "Draft":
            account.set_status(campaign["campaign_id"], status, created + HOUR)
        if status == "Scheduled":
            primary = campaign["campaign_activities"][0]["campaign_activity_id"]
            at = eastern(in_boston(now + 6 * DAY).date(), 10)
            account.schedules[primary] = stamp_ms(at) if now % 2 else day(at)
