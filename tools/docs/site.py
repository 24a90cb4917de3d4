"""Hooks of MkDocs: what lies beside docs/ belongs to the site too.

The README is its front page. Links are those of the repository; on the site they lead to the pages
that the files have become, and those to other files are none.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

_ROOT = Path(__file__).parents[2]
#: Files beside docs/, and what they are on the site.
_BESIDE = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "meltano.yml": "meltano.yml"}
_DOCS = "docs/"
_LINK = re.compile(r"\[([^\]\[]*)\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the files beside docs/."""
    for name, page in _BESIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(_ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links lead to pages of the site."""
    sources = {site: name for name, site in _BESIDE.items()}
    source = sources.get(page.file.src_uri, _DOCS + page.file.src_uri)

    def on_site(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if not target:
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path.startswith(_DOCS):
            return f"[{text}]({path.removeprefix(_DOCS)}{anchor})"
        return f"[{text}]({_BESIDE[path]}{anchor})" if path in _BESIDE else text

    return _LINK.sub(on_site, markdown)
