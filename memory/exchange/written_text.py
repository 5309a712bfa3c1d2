"""The text of a message, as chat programs store it that speak to any model."""

import re
from typing import Any

_TEXT_PARTS = ("text", "output_text", "input_text", None)
_DETAILS = re.compile(
    r"<details\b[^>]*\btype=\"[^\"]*\"[^>]*>.*?(?:</details>|\Z)", re.DOTALL | re.IGNORECASE
)
_THOUGHTS = re.compile(
    r"\A(?:(?!<think).)*?</think(?:ing)?>|<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)"
    r"|^:::thinking\n.*?(?:^:::$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_PICTURE = re.compile(r"!\[[^\]]*\]\(data:[^)]*\)")


def text_of(content: Any) -> str:
    """The text of ``content``: a string, without the bytes of pictures in it, or a list of parts of
    which those of text count."""
    if isinstance(content, str):
        return _PICTURE.sub("", content)
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return ""
    return "\n\n".join(text for part in content if (text := _part(part)).strip())


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("type") not in _TEXT_PARTS:
        return ""
    text = part.get("text")
    if isinstance(text, dict):
        text = text.get("value")
    return text if isinstance(text, str) else ""


def without_markup(answer: str) -> str:
    """The answer without the model's thoughts, and without what the program shows of tools."""
    return _THOUGHTS.sub("", _DETAILS.sub("", answer)).strip()
