"""What the café writes, and what its lists, tags and fields are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.account import Record

LETTER, CLASSES, REGULARS, CATERING, OLD_FILE = (
    "Weekly letter", "Events & classes", "Regulars", "Catering & offices", "2019 customer file",
)  # fmt: skip
TEXTS, TABLES = "Text alerts", "Last-minute tables (mail & text)"
LISTS: tuple[tuple[str, str | None, set[str]], ...] = (
    (CATERING, "Offices and families that order trays", {"email"}),
    (LETTER, "News from the kitchen, on Thursdays", {"email"}),
    (CLASSES, "Who wants to hear of evenings and classes", {"email"}),
    (REGULARS, "Gold card holders", {"email"}),
    (OLD_FILE, "From the old cash register", {"email"}),
    (TEXTS, None, {"sms"}),
    (TABLES, None, {"sms", "email"}),
)
GOLD, ALUMNI, LEAD, VEGAN, PRESS = (
    "Gold card", "Class alumni", "Catering lead", "Vegan", "Press",
)  # fmt: skip
TAGS = (GOLD, ALUMNI, LEAD, VEGAN, PRESS, "Farmers' market", "Birthday club")
CUSTOM_FIELDS: tuple[tuple[str, str, Record], ...] = (
    ("Allergies", "string", {}),
    ("First visit", "date", {"display_format": "MM/DD/YYYY"}),
    ("Last booking", "datetime", {}),
    ("Number of guests", "number", {"integer": True, "decimal_places": 0, "allow_negative": False}),
    ("Spent so far", "currency", {"currency_code": "USD", "decimal_places": 2}),
    ("Wants a call", "boolean", {}),
    ("Remarks", "text_area", {}),
    ("Favorite dessert", "single_select", {"display_type": "radio"}),
    ("Interests", "multi_select", {"display_type": "checkbox"}),
)
CHOICES = {  # the last one is no longer offered
    "Favorite dessert": ("Crème brûlée", "Lemon tart", "Chocolate cake", "Plum crumble"),
    "Interests": ("Brunch", "Live music", "Baking classes", "Delivery"),
}
ALLERGIES = ("Nuts", "Gluten", "Lactose", "Shellfish")
REMARKS = (
    "Window table, please.",
    "Comes with a dog 🐕",
    "Orders for the office on the last Friday.\nInvoice by email.",
)
# Name, month, earliest day, weekday (Monday is 0), hour, whether it is a class for few.
EVENTS = (
    ("Croissant masterclass", 1, 22, 5, 10, True),
    ("Valentine's supper", 2, 10, 4, 18, False),
    ("Bread baking class", 3, 12, 5, 10, True),
    ("Spring tasting", 4, 16, 4, 18, False),
    ("Mother's Day brunch", 5, 8, 6, 11, False),
    ("Summer patio party", 6, 18, 4, 18, False),
    ("Soirée jazz", 9, 18, 4, 19, False),
    ("Harvest dinner", 10, 9, 4, 18, False),
    ("Holiday cookie class", 12, 10, 5, 10, True),
)
SUBJECTS = {
    1: (
        "Soup season: seven bowls for seven days", "Our new year's hours", "Dry January, done well",
        "Citrus is here 🍊", "What we learned in 2,000 croissants", "Snow day? We're open",
        "A quieter table on Mondays", "Meet Rosa, our new baker",
    ),
    2: (
        "Hot chocolate, three ways", "A box of twelve for your Valentine", "Pancakes until noon 🥞",
        "Winter brunch, new menu", "Books and coffee on Sunday", "The last of the blood oranges",
        "Why our bread takes two days", "Gold card: your February treat",
    ),
    3: (
        "First rhubarb of the year", "Irish soda bread this weekend", "Spring hours start Sunday",
        "Three things to try this week", "The patio is almost ready", "Eggs, four ways",
        "A short survey: what should we bake?", "Hello, spring 🌷",
    ),
    4: (
        "April showers, warm scones", "Carrot cake is back", "The patio opens on Saturday",
        "Asparagus, at last", "Our coffee comes from Huila", "Breakfast for runners 🏃",
        "Lemon tart is back", "Pack a picnic with us",
    ),
    5: (
        "Strawberries 🍓", "Graduation cakes: order by Friday", "Iced coffee season",
        "Memorial Day hours", "New on the menu: green shakshuka", "Breakfast until three",
        "Flowers from our neighbor", "Rosé by the glass",
    ),
    6: (
        "Cold brew to take home", "Cherry pie by the slice", "Father's Day: steak and eggs",
        "A longer evening on Fridays", "Live music on the patio 🎶", "Ten years of Café Olé",
        "The summer menu", "Trays for your office party",
    ),
    7: (
        "Fourth of July hours", "Blueberry everything", "Ice cream sandwiches 🍦",
        "Too hot to cook?", "Tomatoes and good bread", "Peaches from Lunenburg",
    ),
    8: (
        "Our August break", "Sweet corn chowder", "One more week of peaches",
        "The last patio nights", "Back-to-school breakfast", "Plum cake on Thursday",
    ),
    9: (
        "We're back to weekly 👋", "The fall menu", "Apple cider donuts", "Meet the growers",
        "Sunday roast returns", "Figs and blue cheese", "Breakfast for your office",
        "Your gold card, renewed",
    ),
    10: (
        "Pumpkin, but not in the coffee", "Cider tasting on Saturday", "Pies: the list opens",
        "Mushrooms from the Berkshires", "Soup is back", "A costume gets a cookie 🎃",
        "Fall hours", "Pear and almond tart",
    ),
    11: (
        "Order your pies by Sunday", "Gift cards: give brunch 🎁", "The catering menu for December",
        "Stollen is in the oven", "Thank you, neighbors", "Small Business Saturday",
        "Leftovers? Our best sandwich", "Chestnuts",
    ),
    12: (
        "Cookie boxes are here", "Holiday hours", "Panettone, by the half", "Last gift boxes",
        "Mulled wine on Friday", "Eggnog, the real one", "A table for the 24th",
        "Our year in pictures",
    ),
}  # fmt: skip
IDEAS = ("A table is free tonight", "What should we bake next?", "Three plates under $12")
DRAFT = "Private dining: the back room"
SCHEDULED = "This week at Café Olé"
SITE = "https://www.example.com"
LINKS = (
    f"{SITE}/menu?utm_source=newsletter&utm_medium=email",
    f"{SITE}/reserve?utm_source=newsletter&utm_medium=email",
    "https://shop.example.com/gift-cards",
    f"{SITE}/",
    f"{SITE}/imprint",  # which nobody clicks
)
SMS = (
    "Tables tonight at 7? Reply or tap",
    "Croissants, two for one until noon",
    "Soup and bread, $9 until 3",
)
OPT_OUT_REASONS = ("", "", "", "Too many emails.", "I moved away.", "I don't remember signing up.")
