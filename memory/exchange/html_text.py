"""HTML as text."""

import re

_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def html_text(html: str) -> str:
    """The HTML as Markdown, without pictures and scripts."""
    if "<" not in html and "&" not in html:
        return html.strip()
    from markdownify import markdownify

    text = markdownify(
        html,
        heading_style="ATX",
        bullets="-",
        strip=["img"],
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )
    return _BLANK_LINES.sub("\n\n", text.replace("\xa0", " ")).strip()
