"""The terms of a text for BM25: the same for what is stored and for what is asked."""

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana, and the iteration mark
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""Scripts that put no space between words."""
HANGUL = "\uac00-\ud7a3"
INDIC = "\u0900-\u0dff"
"""Scripts whose vowel signs are marks, which ``\\w`` leaves out."""
ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
"""Accents of Latin, Greek and Cyrillic, and the vowel points of Hebrew and Arabic."""
RUNS = re.compile(f"([{UNSPACED}]+)|([{HANGUL}]+)|((?:(?![{UNSPACED}{HANGUL}])[\\w{INDIC}])+)")
ENGLISH = re.compile("[a-z]+")
STOP_WORDS = frozenset(
    "a about after again all also am an and any are as at be because been before being both but by "
    "can could did do does doing done down for from had has have having he her here hers him his "
    "how i if in into is it its just me more most my no nor not of off on once only or other our "
    "ours out over own same she should so some such than that the their theirs them then there "
    "these they this those through to too under until up us very was we were what when where which "
    "while who whom whose why will with would you your yours d ll m re s t ve".split()
)
"""English function words; of other languages, whose words are frequent, the idf takes care."""


def terms(text: str) -> dict[int, float]:
    """How often each term stands in ``text``, by a 32-bit hash of the term.

    Terms are words: folded (NFKC, case, accents), English ones stemmed (Snowball, Porter 2) and
    without function words. Where a script puts no spaces, terms are characters and pairs of
    neighbouring characters; in Hangul, where particles cling to words, words and pairs of syllables.
    """
    return {_hash(term): float(count) for term, count in Counter(_split(fold(text))).items()}


def fold(text: str) -> str:
    """``text`` in one normal form, without case and accents."""
    compatible = unicodedata.normalize("NFKC", text).casefold()
    plain = ACCENTS.sub("", unicodedata.normalize("NFD", compatible))
    return unicodedata.normalize("NFC", plain)


def _hash(term: str) -> int:
    return zlib.crc32(term.encode())


def _split(folded: str) -> Iterator[str]:
    for run in RUNS.finditer(folded):
        unspaced, hangul, word = run.groups()
        if unspaced:
            yield from unspaced
            yield from _pairs(unspaced)
        elif hangul:
            yield hangul
            yield from _pairs(hangul)
        elif word not in STOP_WORDS:
            yield _stem(word)


def _pairs(run: str) -> Iterator[str]:
    return (run[i : i + 2] for i in range(len(run) - 1))


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_stemmer().stem_word(word)) if ENGLISH.fullmatch(word) else word


@cache
def _stemmer() -> Any:
    import py_rust_stemmers  # has no types

    return py_rust_stemmers.SnowballStemmer("english")  # pyright: ignore[reportAttributeAccessIssue]
