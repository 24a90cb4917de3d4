"""Generate contacts."""

from __future__ import annotations

from sandbox.account import MAILABLE, Account, Record
from sandbox.account.clock import stamp
from sandbox.generate import sample_values
from sandbox.generate.sampling import between, chance, sample

# An account of 30 contacts or more has every kind.
CONTACT_KINDS = (
    *["implicit"] * 17, *["explicit"] * 6, *["unsubscribed"] * 2,
    "pending_confirmation", "temp_hold", "not_set", "deleted", "sms_only",
)  # fmt: skip
SMS_CONSENTS = ("explicit", "explicit", "unsubscribed", "pending_confirmation", "not_set")


class ContactGenerator:
    """Generates contacts and adds them to an account."""

    def __init__(self, account: Account) -> None:
        """Look up the lists, tags and fields that contacts refer to."""
        self.account = account
        self.rng = account.rng
        self.fields = list(account.custom_fields.values())
        self.tag_ids = list(account.tags)
        open_lists = [id_ for id_, list_ in account.lists.items() if "deleted_at" not in list_]
        channels = account.list_channels
        self.email_list_ids = [id_ for id_ in open_lists if "email" in channels[id_]]
        self.sms_list_ids = [id_ for id_ in open_lists if "sms" in channels[id_]]

    def add(self, kind: str, created: int, until: int) -> str:
        """Add one contact that was created and perhaps edited between two moments.

        Args:
            kind: One of `CONTACT_KINDS`.
            created: When it was created.
            until: The latest time of its other changes.

        Returns:
            The `contact_id`.
        """
        rng = self.rng
        edited = created if chance(rng, 0.4) else between(rng, created, until)
        contact: Record = {"contact_id": self.account.new_id()}
        name = rng.choice(sample_values.FIRST_NAMES), rng.choice(sample_values.LAST_NAMES)
        if kind != "sms_only":
            contact["email_address"] = self._email(kind, name, created)
        contact.update(self._person(name))
        contact.update(self._sub_resources(created, edited))
        if kind == "sms_only" or chance(rng, 0.1):
            contact.update(self._sms(created))
        if kind != "sms_only":
            # A list with both channels is one membership.
            both = contact["list_memberships"] + sample(rng, self.email_list_ids, 3)
            contact["list_memberships"] = list(dict.fromkeys(both))
        contact.update(created_at=stamp(created), updated_at=stamp(edited))
        self.account.contacts[contact["contact_id"]] = contact
        self._unsubscribe_or_delete(kind, contact["contact_id"], created, until)
        return str(contact["contact_id"])

    def _email(self, kind: str, name: tuple[str, str], created: int) -> Record:
        held = ("pending_confirmation", "temp_hold", "not_set")
        permission = kind if kind in MAILABLE or kind in held else "implicit"
        handle = ".".join(sample_values.HANDLES[part] for part in name)
        moment = stamp(created)
        return {
            "address": f"{handle}{len(self.account.contacts)}@example.com",
            "permission_to_send": permission,
            "created_at": moment,
            "updated_at": moment,
            "opt_in_source": "Contact" if permission == "explicit" else "Account",
            "opt_in_date": moment,
            "confirm_status": "pending" if permission == "pending_confirmation" else "off",
        }

    def _person(self, name: tuple[str, str]) -> Record:
        rng = self.rng
        person: Record = {}
        # Empty properties are absent, not null (observed).
        if chance(rng, 0.9):
            person.update(first_name=name[0], last_name=name[1])
        if chance(rng, 0.2):
            person.update(
                job_title=rng.choice(sample_values.JOB_TITLES),
                company_name=rng.choice(sample_values.COMPANIES),
            )
        if chance(rng, 0.15):
            person.update(birthday_month=rng.randint(1, 12), birthday_day=rng.randint(1, 28))
            person["anniversary"] = f"20{rng.randint(10, 24)}-11-15"
        if chance(rng, 0.5):
            person["update_source"] = "Account"
        # Landing Page is not in the contract (observed).
        person["create_source"] = rng.choice(("Account", "Account", "Contact", "Landing Page"))
        return person

    def _sub_resources(self, created: int, edited: int) -> Record:
        rng = self.rng
        return {
            "custom_fields": [self._value(field) for field in sample(rng, self.fields, 2)]
            if chance(rng, 0.3)
            else [],
            "phone_numbers": [self._phone(created)] if chance(rng, 0.25) else [],
            "street_addresses": [self._street(created)] if chance(rng, 0.2) else [],
            "list_memberships": [],
            "taggings": sample(rng, self.tag_ids, 3) if chance(rng, 0.3) else [],
            "notes": [self._note(edited), self._note(created)] if chance(rng, 0.05) else [],
        }

    def _value(self, field: Record) -> Record:
        """Return the value of a custom field: texts for all types, ids for choices (documented)."""
        value: Record = {"custom_field_id": field["custom_field_id"]}
        type_ = field["type"]
        if type_.endswith("_select"):
            numbers = (1, 3) if type_ == "multi_select" else (2,)
            value["choice_ids"] = [f"{number:06d}" for number in numbers]
        else:
            value["value"] = {
                "string": "Škoda Octavia 2017",
                "date": "04/17/2023",
                "datetime": "2023-04-17T09:30:00Z",
                "number": "12",
                "currency": "250.00",
                "boolean": "true",
                "text_area": "Two lines,\nwith an emoji 🌿",
            }[type_]
        return value

    def _phone(self, created: int) -> Record:
        return {
            "phone_number_id": self.account.new_id(),
            "phone_number": f"+1-555-555-{self.rng.randrange(10_000):04d}",
            "kind": self.rng.choice(("home", "work", "mobile", "other")),
            "created_at": stamp(created),
            "updated_at": stamp(created),
            "update_source": "Account",
            "create_source": "Account",
        }

    def _street(self, created: int) -> Record:
        street, city, state, postal_code, country = self.rng.choice(sample_values.PLACES)
        address = {"street_address_id": self.account.new_id(), "kind": "home", "street": street}
        if state:
            address["state"] = state
        address.update(city=city, postal_code=postal_code, country=country)
        return {**address, "created_at": stamp(created), "updated_at": stamp(created)}

    def _note(self, at: int) -> Record:
        return {
            "note_id": self.account.new_id(),
            "created_at": stamp(at),
            "content": self.rng.choice(sample_values.NOTES),
        }

    def _sms(self, created: int) -> Record:
        permission = self.rng.choice(SMS_CONSENTS)
        moment = stamp(created)
        consent: Record = {
            "sms_consent_permission": permission,
            "consent_type": "promotional_sms",
            "advertised_frequency": "2",
            "advertised_interval": "monthly",
            "created_at": moment,
            "updated_at": moment,
        }
        if permission == "explicit":
            consent["opt_in_date"] = moment
        if permission == "unsubscribed":
            consent["opt_out_date"] = moment
        channel = {
            "sms_channel_id": self.account.new_id(),
            "sms_address": f"781555{self.rng.randrange(10_000):04d}",
            "dial_code": "1",
            "country_code": "US",
            "update_source": "Contact",
            "create_source": "Account",
            "sms_channel_consents": [consent],
        }
        return {"sms_channel": channel, "list_memberships": sample(self.rng, self.sms_list_ids, 2)}

    def _unsubscribe_or_delete(self, kind: str, contact_id: str, created: int, until: int) -> None:
        at = between(self.rng, created, until)
        if kind == "unsubscribed":
            source = self.rng.choice(("Contact", "Contact", "Account"))
            self.account.unsubscribe(contact_id, at, source, self.rng.choice(("", "Too many.")))
        if kind == "deleted":
            self.account.delete(contact_id, at)
