"""Hooks of MkDocs: files outside docs/ belong to the site too.

The README is its front page. Links in the repository become links to the pages of the site; links
to other files become plain text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

_ROOT = Path(__file__).parents[2]
#: Files outside docs/, and their pages on the site.
_PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "meltano.yml": "meltano.yml"}
_DOCS = "docs/"
#: Pictures in HTML, for a light and a dark page.
_PICTURE = re.compile(r'(src|srcset)="docs/')
_LINK = re.compile(r"\[([^\]\[]*)\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the files outside docs/."""
    for name, page in _PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(_ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links to pages of the site."""
    sources = {site: name for name, site in _PAGES.items()}
    source = sources.get(page.file.src_uri, _DOCS + page.file.src_uri)

    def on_site(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if not target:
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path.startswith(_DOCS):
            return f"[{text}]({path.removeprefix(_DOCS)}{anchor})"
        return f"[{text}]({_PAGES[path]}{anchor})" if path in _PAGES else text

    if source == "README.md":
        markdown = _PICTURE.sub(r'\1="', markdown)
    return _LINK.sub(on_site, markdown)
