"""What a rule copies from a text: clauses, in any script."""

import html
import re
import unicodedata
from functools import lru_cache

COPIED = 0.7
"""The share of a clause's words that one sentence holds where the clause is copied from it."""
STEM = 4
"""Letters of a word that are compared, so that most endings do not count."""
SHORTEST = 4
"""Letters of the shortest word that is compared; where vowels are marks or missing, one less."""

_CJK = "\u3040-\u30ff\u4e00-\u9fff"
_FEW_VOWELS = "\u0590-\u07ff\u0900-\u0dff"
"""Hebrew, Arabic and the scripts of India."""
_ARTICLE = re.compile("^[\u0648\u0641\u0628\u0643]?\u0627\u0644(?=\\w{3})")
"""Of Arabic, with what is written before it."""
_CLAUSES = re.compile(
    r"[.!?;:,()\n。！？；：，、،؛؟।॥·]+|\s[-–—]\s"
    r"|\b(?:and|but|then|while|also|plus|und|et|y|ve|и|και|और)\b"
)
_SENTENCES = re.compile(r"(?<=[.!?。！？؟।॥])\s*|\n+")
_TOKEN = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")


def clauses(rule: str) -> list[str]:
    """The clauses of the rule that have at least two words of their own."""
    return [each for each in _CLAUSES.split(plain(rule)) if len(_words(each)) > 1]


def carries(text: str, clause: str) -> bool:
    """Whether one sentence of the text holds most words of the clause."""
    words = _words(clause)
    return any(len(words & each) >= COPIED * len(words) for each in _sentences(text))


@lru_cache(maxsize=256)
def _sentences(text: str) -> list[frozenset[str]]:
    return [_words(each) for each in _SENTENCES.split(plain(text)) if each]


def _words(text: str) -> frozenset[str]:
    """The stems of the longer words; of Chinese and Japanese, the pairs of characters."""
    return frozenset(stem for token in _TOKEN.findall(plain(text)) for stem in _stems(token))


def _stems(token: str) -> list[str]:
    if re.match(f"[{_CJK}]", token):
        return [token[at : at + 2] for at in range(max(1, len(token) - 1))]
    few_vowels = re.match(f"[{_FEW_VOWELS}]", token)
    word = _ARTICLE.sub("", token)
    return [word[:STEM]] if len(word) >= SHORTEST - bool(few_vowels) else []


def normal(text: str) -> str:
    """``text`` in NFKC, without invisible characters; letters hidden in such are brought out."""
    text = html.unescape(text)
    if text.isascii():
        return text
    shown = "".join(_shown(each) for each in text)
    return unicodedata.normalize("NFKC", shown).replace("’", "'")


def plain(text: str) -> str:
    """``text`` in lower case, without accents and other marks."""
    parts = unicodedata.normalize("NFD", normal(text).casefold()).replace("ı", "i")
    return "".join(each for each in parts if unicodedata.category(each)[0] != "M")


def _shown(character: str) -> str:
    if 0xE0020 <= ord(character) <= 0xE007E:  # tags: invisible doubles of ASCII
        return chr(ord(character) - 0xE0000)
    return "" if unicodedata.category(character) == "Cf" else character
