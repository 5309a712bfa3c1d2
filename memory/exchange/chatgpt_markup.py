"""Marks in ChatGPT's answers that its own pages turn into links and cards, and other readers do
not: citations, names of things, pictures, frames around drafts."""

import json
import re

_MARK = re.compile("[ \t]*\ue200(\\w+)(?:\ue202([^\ue200\ue201]*))?\ue201")
"""``kind`` and what it is about, between characters for private use."""
_PRIVATE = re.compile("[\ue200-\ue2ff]")
_CITATION = re.compile(
    r"[ \t]*(?:"
    r"【[^【】\n]*(?:†|oaicite|turn\d)[^【】\n]*】"
    r"|:contentReference\[oaicite:\d+\](?:\{index=\d+\})?"
    r"|\[oai_citation[:_\d]*‡[^\]\n]*\](?:\([^()\s]*\))?"
    r"|(?:file)?cite(?:turn\d+[a-z]+\d+)+"
    r")"
)
_NAME = re.compile(r'\bentity\[("(?:[^"\\\n]|\\.)*"(?:, ?"(?:[^"\\\n]|\\.)*")+)\]')
_FRAME = re.compile(r"^:::(?:writing\{[^{}\n]*\})?[ \t]*\n?", re.MULTILINE)


def without_markup(text: str) -> str:
    """``text`` as a reader saw it: names and titles stay, citations and cards go."""
    text = _PRIVATE.sub("", _MARK.sub(_shown, text))
    text = _CITATION.sub("", _NAME.sub(lambda match: _name(f"[{match[1]}]"), text))
    return _FRAME.sub("", text) if ":::writing{" in text else text


def _shown(match: re.Match[str]) -> str:
    """What the mark shows, with the blanks before it; nothing of a citation or a card."""
    kind, about = match[1], match[2] or ""
    shown = {"entity": _name, "url": _title, "link_title": _title}.get(kind)
    blanks = match[0][: match[0].index("\ue200")]
    return blanks + shown(about) if shown else ""


def _name(about: str) -> str:
    """The name in ``["city","Paris","capital of France"]``."""
    try:
        values = json.loads(about)
        return values[1] if isinstance(values[1], str) else ""
    except (ValueError, LookupError, TypeError):
        return ""


def _title(about: str) -> str:
    return about.split("\ue202")[0]
