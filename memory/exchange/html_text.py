"""HTML as text."""

import re
from html import unescape

_TAG = re.compile(r"<[^<>]*>")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def html_text(html: str) -> str:
    """The HTML as Markdown, without pictures and scripts."""
    if "<" not in html and "&" not in html:
        return html.strip()
    try:
        text = _markdown(html)
    except RecursionError:  # it is nested too deeply
        text = unescape(_TAG.sub(" ", html))
    return _BLANK_LINES.sub("\n\n", text.replace("\xa0", " ")).strip()


def _markdown(html: str) -> str:
    from markdownify import markdownify

    return str(
        markdownify(
            html,
            heading_style="ATX",
            bullets="-",
            strip=["img"],
            escape_asterisks=False,
            escape_underscores=False,
            escape_misc=False,
        )
    )
