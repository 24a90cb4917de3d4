"""The badges of the README, of facts in pyproject.toml: pictures that no other host draws."""

from __future__ import annotations

import re
from pathlib import Path

_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-label="{name}: {value}">
<title>{name}: {value}</title>
<clipPath id="round"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)">
<rect width="{split}" height="20" fill="#444c56"/>
<rect x="{split}" width="{rest}" height="20" fill="#0969da"/>
</g>
<g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11" text-anchor="middle">
<text x="{name_x}" y="14" textLength="{name_length}">{name}</text>
<text x="{value_x}" y="14" textLength="{value_length}">{value}</text>
</g>
</svg>
"""
_CHARACTER, _MARGIN = 6.5, 6


def facts() -> dict[str, str]:
    """Return the names of the badges and what they say.

    Raises:
        ValueError: If pyproject.toml does not have a fact.
    """
    text = _PYPROJECT.read_text("utf-8")
    versions = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    return {
        "license": _found(r'^license = "(.+)"$', text),
        "Python": f"{versions[0]} to {versions[-1]}",
        "Singer SDK": _found(r'"singer-sdk>=([\d.]+),', text) + "+",
    }


def files(folder: Path) -> dict[Path, str]:
    """Return the badges: their paths and contents.

    Args:
        folder: The folder of the badges.
    """
    return {
        folder / f"badge-{name.lower().replace(' ', '-')}.svg": _svg(name, value)
        for name, value in facts().items()
    }


def _svg(name: str, value: str) -> str:
    lengths = [round(_CHARACTER * len(text)) for text in (name, value)]
    split, rest = (length + 2 * _MARGIN for length in lengths)
    return _SVG.format(
        name=name,
        value=value,
        split=split,
        rest=rest,
        width=split + rest,
        name_x=split / 2,
        value_x=split + rest / 2,
        name_length=lengths[0],
        value_length=lengths[1],
    )


def _found(pattern: str, text: str) -> str:
    if not (found := re.search(pattern, text, re.MULTILINE)):
        raise ValueError(f"pyproject.toml has no {pattern}")
    return found[1]
