"""The web of reductions for the page to choose by, drawn from the registry."""

from __future__ import annotations

__all__ = ["MARK", "PAGE", "picture"]

PAGE, MARK = "choose.md", "<!-- the web of reductions -->"


def picture() -> str:
    """All methods of limbeck as inline SVG, with a caption."""
    from limbeck.results.web import web_layout, web_svg
    from limbeck.selection.web import reductions

    drawn = web_svg(web_layout(reductions()))
    caption = "Every method, from what it needs of the teacher to its student; the usual one first."
    return f'<figure class="web">{drawn}<figcaption>{caption}</figcaption></figure>'
