"""Pages that need nothing else: templates beside this file, filled, with their pictures inside."""

from __future__ import annotations

import base64
from pathlib import Path

__all__ = ["embedded", "rendered"]


def rendered(template: str, **contents: object) -> bytes:
    """A template of this folder with its contents, which are escaped."""
    import jinja2  # where a page is written alone

    beside = jinja2.FileSystemLoader(Path(__file__).parent)
    page = jinja2.Environment(
        loader=beside, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return page.get_template(template).render(**contents).encode()


def embedded(path: Path) -> str:
    """A PNG file as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
