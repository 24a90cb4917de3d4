"""The café's contacts: on lists they chose, with tags and fields that have a use."""

from __future__ import annotations

from sandbox.account import Account, Record
from sandbox.account.clock import DAY, HOUR, stamp
from sandbox.generate.cafe import texts
from sandbox.generate.contacts import ContactGenerator
from sandbox.generate.sampling import between, chance

KINDS = (
    *["explicit"] * 22, *["implicit"] * 14, "pending_confirmation", "not_set", "sms_only",
)  # fmt: skip


class CafeContacts(ContactGenerator):
    """Generates guests of the café."""

    def __init__(self, account: Account) -> None:
        """Look up lists and tags by their names."""
        super().__init__(account)
        self.list_ids = {list_["name"]: id_ for id_, list_ in account.lists.items()}
        self.tags = {tag["name"]: id_ for id_, tag in account.tags.items()}

    def add(self, kind: str, created: int, until: int) -> str:
        """Add a guest, as `ContactGenerator.add`, on the lists that fit."""
        contact_id = super().add(kind, created, until)
        contact = self.account.contacts[contact_id]
        texts_too = "sms_channel" in contact
        sms = [id_ for id_ in contact["list_memberships"] if id_ in self.sms_list_ids and texts_too]
        email = [] if kind == "sms_only" else self._lists(contact)
        contact["list_memberships"] = [*sms, *email]
        return contact_id

    def add_from_old_file(self, created: int) -> str:
        """Add a customer of years ago, of whom only the address is known."""
        contact_id = super().add("implicit", created, created)
        contact = self.account.contacts[contact_id]
        for name in ("custom_fields", "phone_numbers", "street_addresses", "taggings", "notes"):
            contact[name] = []
        contact.pop("sms_channel", None)
        contact.update(list_memberships=[self.list_ids[texts.OLD_FILE]], create_source="Account")
        return contact_id

    def _lists(self, contact: Record) -> list[str]:
        rng, names = self.rng, []
        if chance(rng, 0.94):
            names.append(texts.LETTER)
        if chance(rng, 0.4):
            names.append(texts.CLASSES)
        if self.tags[texts.GOLD] in contact["taggings"]:
            names.append(texts.REGULARS)
        if self.tags[texts.LEAD] in contact["taggings"]:
            names.append(texts.CATERING)
        return [self.list_ids[name] for name in names or [texts.LETTER]]

    def _sub_resources(self, created: int, edited: int) -> Record:
        rng, parts = self.rng, super()._sub_resources(created, edited)
        shares = {texts.GOLD: 0.16, texts.LEAD: 0.06, texts.VEGAN: 0.08, texts.PRESS: 0.01}
        shares |= {"Farmers' market": 0.12, "Birthday club": 0.2}
        names = [name for name, share in shares.items() if chance(rng, share)]
        parts["taggings"] = [self.tags[name] for name in names]
        values = self._values(names, created, edited)
        parts["custom_fields"] = [
            self._valued(field, values[field["label"]])
            for field in self.fields
            if field["label"] in values
        ]
        return parts

    def _values(self, tags: list[str], created: int, edited: int) -> Record:
        """Return the values of custom fields: of regulars and leads more is known."""
        rng = self.rng
        values: Record = {}
        if chance(rng, 0.45):
            values["First visit"] = created - rng.randrange(60) * DAY
        if texts.GOLD in tags or chance(rng, 0.15):
            booked = between(rng, created, edited)
            values["Last booking"] = stamp(booked - booked % HOUR)
            values["Number of guests"] = str(rng.choice((2, 2, 2, 3, 4, 4, 6, 8)))
            values["Spent so far"] = f"{rng.lognormvariate(4.6, 0.8):.2f}"
        if texts.LEAD in tags:
            values["Wants a call"] = "true" if chance(rng, 0.7) else "false"
            values["Remarks"] = texts.REMARKS[-1]
        elif chance(rng, 0.05):
            values["Remarks"] = rng.choice(texts.REMARKS[:-1])
        if texts.VEGAN in tags or chance(rng, 0.04):
            values["Allergies"] = rng.choice(texts.ALLERGIES)
        if "Birthday club" in tags:
            values["Favorite dessert"] = [rng.randint(1, 3)]
        if chance(rng, 0.25):
            values["Interests"] = sorted(rng.sample((1, 2, 3), rng.choice((1, 1, 2))))
        return values

    def _valued(self, field: Record, value: object) -> Record:
        found: Record = {"custom_field_id": field["custom_field_id"]}
        if isinstance(value, list):
            return {**found, "choice_ids": [f"{number:06d}" for number in value]}
        if isinstance(value, int):
            year, month, day = stamp(value)[:10].split("-")
            value = f"{month}/{day}/{year}"
        return {**found, "value": value}
