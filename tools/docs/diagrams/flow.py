"""Cards with text, for diagrams of what happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tools.docs.diagrams import svg
from tools.docs.diagrams.theme import SMALL

#: The width of diagrams of what happens.
WIDTH = 720
MARGIN = 24
_PADDING = 12
_TITLE = 20
_LINE = 18


@dataclass(frozen=True)
class Card:
    """A box with a title and a text.

    Attributes:
        left: In pixels.
        top: In pixels.
        width: In pixels.
        title: Its first line.
        body: What follows, wrapped to the width.
        group: The number of the group whose colors it has.
        is_name: Whether the title is a name in the code.
        min_height: In pixels.
    """

    left: int
    top: int
    width: int
    title: str
    body: Sequence[str] = ()
    group: int = 6
    is_name: bool = False
    min_height: int = 0

    @property
    def right(self) -> int:
        """The right end."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The lower end."""
        return self.top + self.height

    @property
    def middle(self) -> int:
        """The middle between the left and the right end."""
        return self.left + self.width // 2

    @property
    def center(self) -> int:
        """The middle between the upper and the lower end."""
        return self.top + self.height // 2

    @property
    def height(self) -> int:
        """The height that the text needs."""
        return max(self.min_height, 2 * _PADDING + _TITLE + _LINE * len(self._lines) - 4)

    @property
    def text(self) -> str:
        """What it says, in one sentence."""
        return ". ".join([self.title, *(line.rstrip(".") for line in self.body)])

    @property
    def _lines(self) -> list[str]:
        room = self.width - 2 * _PADDING
        return [line for part in self.body for line in svg.wrapped(part, room, SMALL)]

    def elements(self) -> Iterator[str]:
        """Yield the elements of the card."""
        place = (self.left, self.top, self.width, self.height)
        x, y = self.left + _PADDING, self.top + _PADDING + 14
        yield f'<g class="g{self.group}">'
        yield svg.rect(place, "card", 8)
        yield svg.text(x, y, self.title, f"strong accent{' mono' if self.is_name else ''}")
        yield from svg.lines(x, y + _TITLE, self._lines, "small", _LINE)
        yield "</g>"


def elements_of(cards: Iterable[Card]) -> list[str]:
    """Return the elements of cards."""
    return [element for card in cards for element in card.elements()]


def in_words(cards: Iterable[Card]) -> str:
    """Return what cards say, for those who can't see them."""
    return ". ".join(card.text for card in cards) + "."
