"""Values that make the account look real: names, places, subjects."""

from __future__ import annotations

import unicodedata

FIRST_NAMES = (
    "Ada", "Amélie", "Anders", "Ángel", "Beatriz", "Björn", "Chiara", "Daniel", "Debora", "Dmitri",
    "Élodie", "Emma", "Fatima", "François", "Grace", "Günther", "Hannah", "Ibrahim", "Inês", "Jack",
    "Jürgen", "Kofi", "Lars", "Léa", "Liam", "Łukasz", "María", "Mei", "Noah", "Nuñez", "Olivia",
    "Ольга", "Øyvind", "Priya", "Quinn", "Rosa", "Sébastien", "Siobhán", "Søren", "Tomáš", "Uma",
    "Víctor", "Wanjiru", "Xochitl", "Yuki", "美咲", "Zoë", "Γιώργος", "עדי", "D'Arcy",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Almeida", "Åkesson", "Becker", "Brown", "Castro", "Çelik", "Chen", "Cohen", "Dubois",
    "Dvořák", "Eriksen", "Fernández", "Fischer", "García", "Grant", "Haddad", "Hernández", "Ivanov",
    "Jensen", "Kowalski", "Kumar", "Lang", "López", "Martin", "Müller", "Nakamura", "O'Brien",
    "Okafor", "Østergård", "Papadopoulos", "Patel", "Quiroga", "Rossi", "Sánchez", "Schröder",
    "Silva", "Smith", "Søgaard", "Tanaka", "Taylor", "Ueda", "van der Berg", "Weiß", "Yılmaz",  # noqa: RUF001
    "Zając", "Žukauskas", "山田", "Lee-Jones", "St. John",
)  # fmt: skip
COMPANIES = (
    "Acme Corp.", "Blue Door Bakery", "Café Olé", "Dawn & Sons", "Evergreen Yoga", "Fjord Travel",
    "Green Thumb Gardens", "Harbor Books", "Ink & Paper", "Jake Dodge's Pancakes",
)  # fmt: skip
JOB_TITLES = (
    "Musician", "Head of Marketing", "Owner", "Teacher", "Ingénieure", "Volunteer", "Accountant",
    "Chef", "Founder & CEO", "Librarian",
)  # fmt: skip
PLACES = (  # street, city, state, postal code, country
    ("123 Maple Street", "Boston", "MA", "02451", "United States"),
    ("9 Kashmir Valley Road", "Chicago", "IL", "60609", "United States"),
    ("77 Rue de l'Église", "Montréal", "QC", "H2Y 1N3", "Canada"),
    ("4 Königsallee", "Düsseldorf", "", "40212", "Germany"),
    ("12 Øvre Slottsgate", "Oslo", "", "0157", "Norway"),
    ("31 Calle Mayor", "Madrid", "", "28013", "Spain"),
)
NOTES = (
    "Met at the spring fair.",
    "Asked for the vegan menu.\nCall back in June.",
    "Renewed — said “see you next year” 🎉",
    "This contact resubscribed.",
)
LISTS = (
    ("Newsletter Subscribers", "Main newsletter"),
    ("Customers", "Bought at least once"),
    ("Volunteers", None),
    ("Événements à Montréal", "Guests of the Montréal evenings"),
    ("Wholesale", "Shops & restaurants"),
    ("Old imports", None),
)
TAGS = ("Gold card member", "VIP", "Local", "Donor 2024", "Café regular", "Press", "Lapsed")
SEGMENTS = (
    ("Did not open the last 5 campaigns", "not_opened", "5"),
    ("Opened the last campaign", "opened", "1"),
    ("Clicked in the last 3 campaigns", "clicked", "3"),
    ("New this month", "created", "30"),
)
SUBJECTS = (
    "Spring is here 🌷", "Your invitation inside", "New on the menu", "Thank you for a great year",
    "Last days of the sale", "Meet the team", "Été à la ferme", "Three things to try this week",
    "We saved you a seat", "A short survey", "News from the workshop", "Open house on Saturday",
)  # fmt: skip


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalpha, plain)).lower() or "friend"


HANDLES = {name: _ascii(name) for name in FIRST_NAMES + LAST_NAMES}
"""The names in the form of email addresses."""
