"""What a rule copies from a text: names, and clauses."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

COPIED = 0.7
"""The share of a clause's words that one sentence holds where the clause is copied from it."""
STEM = 4
"""Letters of a word that are compared, so that most endings do not count."""
SHORTEST = 4
"""Letters of the shortest word that is compared."""

_CJK = "\u3040-\u30ff\u4e00-\u9fff"
_LITERAL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w@])@\w{2,}"
    r"|(?<![\w@.-])[\w-]{2,}(?:\.[\w-]{2,})*\.[a-z]{2,}\b"
)
_DATE = r"\d{4}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{4}"
_NUMBER = re.compile(rf"(?<![\w.])(?!(?:{_DATE})(?!\d))\+?\(?\d(?:[\s()./-]{{0,2}}\d){{4,}}(?!\w)")
_WORD = re.compile(r"[^\W_]+(?:['.&-](?=\w)[^\W_]+|[+#]+)*")
_BRAND = re.compile(r"\w*[a-z][A-Z]|[A-Z]{2,}|(?=\w*\d)(?=\w*[A-Z])\w{2,}|(?=\w*\d)\w{12,}")
_OPENING = re.compile(r"(?:^|[.!?:]['\")\]]*\s+|\n\s*)[-*#>\d.)\s'\"“„(\[*]*$")
_CLAUSES = re.compile(
    r"[.!?;:,()\n。！？；：，、]+|\s[-–—]\s|\b(?:and|but|then|while|also|plus|und|et|y)\b"
)
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s*|\n+")
_TOKEN = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_GERMAN = re.compile(
    r"\b(?:der|die|das|ein|eine[nmr]?|und|oder|nicht|keine?n?|mit|für|auf|zu[mr]?|nie|immer|nur|ohne"
    r"|von|im|als|wie|bei|nach|zuerst)\b"
)
"""In a rule with one of these a capital makes a noun, not a name."""


def names_in(rule: str, seen: Sequence[str]) -> list[str]:
    """The names in the rule, each once.

    Names are addresses, handles and long numbers. Where they stand in ``seen``, the texts that the
    rule can have them from, so are words written like brands (``iPhone``, ``SAVE20``) and
    capitalised words inside a sentence, except in German, where every noun has a capital.
    """
    rule, texts = normal(rule), [normal(text) for text in seen]
    names = [match[0].rstrip(".,;:!?/") for match in _LITERAL.finditer(rule)]
    names += [match[0] for match in _NUMBER.finditer(rule)]
    german = _GERMAN.search(rule.casefold())
    for match in _WORD.finditer(rule):
        word = match[0]
        capital = not german and _capital(rule, match)
        if (capital or _BRAND.match(word)) and says(texts, word):
            names.append(word)
    return list(dict.fromkeys(names))


def says(texts: Iterable[str], name: str) -> bool:
    """Whether one of the texts holds just this name: not as a part of another word or number."""
    if _NUMBER.fullmatch(name):
        digits = re.sub(r"\D", "", name)
        return any(re.search(rf"(?<!\d){digits}(?!\d)", _joined(text)) for text in texts)
    bare = re.sub(r"'s?$", "", _flat(name))
    whole = re.compile(rf"(?<![\w-]){re.escape(bare)}(?!\w|-\w)(?:'?s\b)?")
    return any(whole.search(_flat(text)) for text in texts)


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
    """The stems of the longer words; of Chinese and Japanese, the characters."""
    tokens = _TOKEN.findall(plain(text))
    return frozenset(
        each[:STEM] for each in tokens if len(each) >= SHORTEST or re.match(f"[{_CJK}]", each)
    )


def _capital(text: str, match: re.Match[str]) -> bool:
    """Whether the word has a capital that is not that of a sentence's beginning."""
    before = text[max(0, match.start() - 40) : match.start()]
    return match[0][0].isupper() and not _OPENING.search(before)


def normal(text: str) -> str:
    """``text`` in NFKC, without invisible characters; letters hidden in such are brought out."""
    text = html.unescape(text)
    if text.isascii():
        return text
    shown = "".join(_shown(each) for each in text)
    return unicodedata.normalize("NFKC", shown).replace("’", "'")


def plain(text: str) -> str:
    """``text`` in lower case, without accents."""
    parts = unicodedata.normalize("NFD", normal(text).casefold())
    return "".join(each for each in parts if unicodedata.category(each) != "Mn")


def _shown(character: str) -> str:
    if 0xE0020 <= ord(character) <= 0xE007E:  # tags: invisible doubles of ASCII
        return chr(ord(character) - 0xE0000)
    return "" if unicodedata.category(character) == "Cf" else character


def _joined(text: str) -> str:
    return re.sub(r"(?<=\d)[\s()./-]+(?=\d)", "", normal(text))


def _flat(text: str) -> str:
    return " ".join(normal(text).casefold().split())
