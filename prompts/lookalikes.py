"""Tags and control tokens in foreign text, however they are disguised, and how to make them harmless.

A model reads ``< /memories>``, ``＜/memories＞``, ``</mem<zero width>ories>`` and ``</mеmories>`` with
a Cyrillic letter much as it reads ``</memories>``.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

HARMLESS = "‹"
"""What stands in place of the bracket that opens a tag or token."""
LOOKAHEAD = 48
"""Visible characters after a bracket that are read."""
_ANGLES, _SQUARES = "<＜﹤ᐸ˂❮❬⟨⧼", "[［"
"""Not « and 《: they quote words in many languages."""
_SLASHES = "/\\⁄∕╱⧸"
_BARS = "|¦│┃∣ǀ❘｜"
_LETTERS = {
    "a": "aаαɑᴀ",
    "b": "bвьβʙ",
    "c": "cсϲᴄ",
    "d": "dԁᴅ",
    "e": "eеεєҽᴇ",
    "f": "fғꜰ",
    "g": "gɡԍɢ",
    "h": "hһнʜη",
    "i": "iіιıɪӏl1|",
    "k": "kкκᴋ",
    "l": "lӏʟіi1|",
    "m": "mмμᴍ",
    "n": "nпηνɴ",
    "o": "oоοσᴏ0",
    "p": "pрρᴘ",
    "q": "qԛ",
    "r": "rгʀᴦ",
    "s": "sѕꜱ5",
    "t": "tтτᴛ",
    "u": "uυսᴜ",
    "v": "vѵνᴠ",
    "w": "wԝωᴡ",
    "x": "xхχ",
    "y": "yуүγʏ",
    "z": "zᴢ",
}
"""Letters that look like each Latin one, in lower case, as Unicode's confusables list them."""
_ANGLED = [
    "s",
    "bos",
    "eos",
    "pad",
    "unk",
    "sys",
    "think",
    "start_of_turn",
    "end_of_turn",
    "tool_call",
]
_SQUARE = ["inst", "system_prompt", "available_tools", "tool_calls", "tool_results"]
"""What stands alone between brackets in the chat templates of Llama 2, Gemma, Qwen and Mistral."""
_BARRED = rf"[{re.escape(_BARS)}][\w\s▁:.-]{{1,40}}[{re.escape(_BARS)}]"
"""``|im_end|`` of Qwen, ``|eot_id|`` of Llama 3, ``｜User｜`` of DeepSeek."""


class Disguises:
    """Finds the tags of ``names`` in a text, in any disguise, and chat templates' control tokens."""

    def __init__(self, names: Collection[str]) -> None:
        slash = rf"\s*[{re.escape(_SLASHES)}]?\s*"
        tag, token = rf"{_any_of(names)}(?!\w)", rf"{_any_of(_ANGLED)}\s*>"
        self._angled = re.compile(rf"{slash}(?:{tag}|{token})|\s*{_BARRED}\s*>")
        self._squared = re.compile(rf"{slash}{_any_of(_SQUARE)}\s*\]")
        self._opening = re.compile(f"[{re.escape(_ANGLES + _SQUARES)}]")

    def made_harmless(self, text: str) -> str:
        """``text``, with ``HARMLESS`` in place of each bracket that opens a tag or a token."""
        return self._opening.sub(
            lambda bracket: HARMLESS if self._is_harmful(text, bracket.start()) else bracket[0],
            text,
        )

    def _is_harmful(self, text: str, place: int) -> bool:
        harmful = self._squared if text[place] in _SQUARES else self._angled
        return harmful.match(_visible_after(text, place)) is not None


def _any_of(names: Collection[str]) -> str:
    longest_first = sorted(names, key=len, reverse=True)
    return f"(?:{'|'.join(map(_spelled, longest_first))})"


def _spelled(name: str) -> str:
    return "".join(f"[{re.escape(_LETTERS.get(letter, letter))}]" for letter in name)


def _visible_after(text: str, place: int) -> str:
    """The characters after ``place`` without accents and width, and without invisible ones."""
    ahead = text[place + 1 : place + 1 + LOOKAHEAD]
    if ahead.isascii() and ahead.isprintable():
        return ahead.casefold()
    seen = ""
    for character in _folded(text, place + 1):
        seen += character
        if len(seen) >= LOOKAHEAD:
            break
    return seen


def _folded(text: str, start: int) -> Iterator[str]:
    for place in range(start, len(text)):
        for part in unicodedata.normalize("NFKD", text[place]).casefold():
            if not _is_invisible(part):
                yield part


def _is_invisible(character: str) -> bool:
    """Whether it is a mark on another letter, or shows nothing at all."""
    is_filler = character in "\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800"
    return is_filler or unicodedata.category(character) in {"Mn", "Me", "Cf", "Cc"} - (
        {"Cc"} if character.isspace() else set()
    )
