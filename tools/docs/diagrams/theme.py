"""Colors and fonts of the diagrams, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: The colors of everything, and of the groups 1 to 6: accent, which text has, and tint, a ground.
LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "box": "#ffffff",
    "ink": "#1b2733",
    "muted": "#4f5d6b",
    "border": "#8796a5",
    "line": "#5b6b7b",
    "accent-1": "#1d5fae",
    "tint-1": "#e8f1fc",
    "accent-2": "#0b6560",
    "tint-2": "#e2f4f1",
    "accent-3": "#6540b0",
    "tint-3": "#f1ecfb",
    "accent-4": "#8a4b00",
    "tint-4": "#fdf1df",
    "accent-5": "#2b672e",
    "tint-5": "#e8f5e8",
    "accent-6": "#465361",
    "tint-6": "#edf0f3",
}
DARK: Mapping[str, str] = {
    "paper": "#161b22",
    "box": "#1f262f",
    "ink": "#e6edf3",
    "muted": "#a9b6c3",
    "border": "#5d6b7a",
    "line": "#98a6b4",
    "accent-1": "#8ab8f5",
    "tint-1": "#172a42",
    "accent-2": "#6fd0c8",
    "tint-2": "#12302f",
    "accent-3": "#c3a9f7",
    "tint-3": "#2a2140",
    "accent-4": "#ecbc6c",
    "tint-4": "#352a16",
    "accent-5": "#8fd08f",
    "tint-5": "#19301c",
    "accent-6": "#b6c3d0",
    "tint-6": "#232a33",
}
#: Pairs of text and ground, in both: each is readable.
TEXTS = (
    *(("ink", ground) for ground in ("paper", "box", "tint")),
    *(("muted", ground) for ground in ("paper", "box", "tint")),
    *(("accent", ground) for ground in ("paper", "box", "tint")),
)
GROUPS = range(1, 7)

#: Sizes of text in pixels, and the width of an average character by size. What is measured in
#: monospaced letters is exact, because the fonts agree; the rest has room for a wide font.
SIZE = 13
SMALL = 12
MONO = 0.61
SANS = 0.53

_RULES = """\
.dg text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;\
fill:var(--dg-ink)}
.dg .mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",\
"Liberation Mono",monospace}
.dg .small{font-size:12px}
.dg .strong{font-weight:600}
.dg .muted{fill:var(--dg-muted)}
.dg .accent{fill:var(--dg-accent)}
.dg .end{text-anchor:end}
.dg .middle{text-anchor:middle}
.dg .number{fill:var(--dg-paper)}
.dg .paper{fill:var(--dg-paper)}
.dg .panel{fill:var(--dg-tint)}
.dg .box{fill:var(--dg-box);stroke:var(--dg-border);stroke-width:1.25}
.dg .card{fill:var(--dg-tint);stroke:var(--dg-accent);stroke-width:1}
.dg .ground{fill:var(--dg-box)}
.dg .head{fill:var(--dg-tint)}
.dg .plain{fill:none;stroke:var(--dg-border)}
.dg .optional{stroke-dasharray:5 4}
.dg .line{fill:none;stroke:var(--dg-accent);stroke-width:1.5}
.dg .rule{stroke:var(--dg-border);stroke-opacity:.4}
.dg .flow{fill:none;stroke:var(--dg-line);stroke-width:1.5}
.dg .tip{fill:var(--dg-line)}
.dg .end-mark{fill:var(--dg-paper);stroke:var(--dg-accent);stroke-width:1.5}
.dg .dot{fill:var(--dg-accent)}
.dg a text{cursor:pointer}
.dg a:hover text,.dg a:focus text{text-decoration:underline}
"""


def stylesheet() -> str:
    """Return the rules of all diagrams.

    Colors follow the system; where a page of the site includes a diagram's elements, the switch of
    the site. All diagrams have the same rules, so that many fit on one page.
    """
    return (
        f".dg{{{_properties(LIGHT)}}}\n"
        f"@media (prefers-color-scheme:dark){{.dg{{{_properties(DARK)}}}}}\n"
        f"[data-md-color-scheme=default] .dg{{{_properties(LIGHT)}}}\n"
        f"[data-md-color-scheme=slate] .dg{{{_properties(DARK)}}}\n"
        f"{_RULES}" + "".join(_groups())
    )


def _groups() -> Iterator[str]:
    for number in GROUPS:
        names = (f"--dg-{name}:var(--dg-{name}-{number})" for name in ("accent", "tint"))
        yield f".dg .g{number}{{{';'.join(names)}}}\n"


def _properties(colors: Mapping[str, str]) -> str:
    return ";".join(f"--dg-{name}:{color}" for name, color in colors.items())
