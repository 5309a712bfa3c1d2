"""The names that a rule uses, and whether a text says them."""

import re
from collections.abc import Iterable, Sequence

from personaagent.nodes.alignment.copies import normal
from personaagent.nodes.alignment.spelling import follows_lower, is_spelling, spelling

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
_MIXED = re.compile(r"\w*[a-z][A-Z]|(?=\w*\d)\w{4,}")
"""A word that is written like a brand even where all other words are in capitals."""
_OPENING = re.compile(r"(?:^|[.!?:]['\")\]]*\s+|\n\s*)[-*#>\d.)\s'\"“„(\[*]*$")
_ENDING = re.compile(r"(?<=\w\w)'\w{0,4}$")
"""What an apostrophe joins to a name: Mira's, Mira'ya."""


def names_in(rule: str, seen: Sequence[str]) -> list[str]:
    """The names in the rule, each once.

    Names are addresses, handles and long numbers. Where they stand in ``seen``, the texts that the
    rule can have them from, so are words written like brands (``iPhone``, ``SAVE20``) and
    capitalised words inside a sentence, unless the capital is only spelling: of German nouns, of
    titles and texts in capitals, of languages, days and units.
    """
    rule, texts = normal(rule), [normal(text) for text in seen]
    names = [match[0].rstrip(".,;:!?/") for match in _LITERAL.finditer(rule)]
    names += [match[0] for match in _NUMBER.finditer(rule)]
    names += [word for word in _written_as_names(rule, texts) if not is_spelling(word)]
    return list(dict.fromkeys(names))


def says(texts: Iterable[str], name: str) -> bool:
    """Whether one of the texts holds just this name: not as a part of another word or number."""
    if _NUMBER.fullmatch(name):
        digits = re.sub(r"\D", "", name)
        return any(re.search(rf"(?<!\d){digits}(?!\d)", _joined(text)) for text in texts)
    whole = _whole(_ENDING.sub("", _flat(name)))
    return any(whole.search(_flat(text)) for text in texts)


def _written_as_names(rule: str, texts: Sequence[str]) -> list[str]:
    """The words of the rule that are spelled like names, and stand in one of the texts."""
    use = spelling(rule)
    words: list[str] = []
    for match in _WORD.finditer(rule):
        word, holding = match[0], [text for text in texts if says([text], match[0])]
        capital = _capital(rule, match)
        if use == "none":
            named = bool(_MIXED.match(word)) or any(_named_in(text, word) for text in holding)
        elif _BRAND.match(word):
            named = True
        elif use == "open":
            named = capital and not _is_noun(holding, word)
        else:
            named = capital and use == "names"
        if named and holding:
            words.append(word)
    return words


def _is_noun(texts: Sequence[str], word: str) -> bool:
    """Whether the texts are German, and show the word as a noun."""
    german = all(spelling(text) == "nouns" for text in texts)
    return german and follows_lower(texts, word)


def _named_in(text: str, word: str) -> bool:
    """Whether the text writes the word, in any case, as a name: with a capital that says something."""
    if spelling(text) == "none":
        return False
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
        if spelling(sentence) in ("none", "nouns"):
            continue
        for match in _WORD.finditer(sentence):
            same = _ENDING.sub("", _flat(match[0])) == _ENDING.sub("", _flat(word))
            if same and (_capital(sentence, match) or _BRAND.match(match[0])):
                return True
    return False


def _whole(bare: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(bare)}(?!\w|-\w)(?:'\w{{0,4}}\b)?")


def _capital(text: str, match: re.Match[str]) -> bool:
    """Whether the word has a capital that is not that of a sentence's beginning."""
    before = text[max(0, match.start() - 40) : match.start()]
    return match[0][0].isupper() and not _OPENING.search(before)


def _joined(text: str) -> str:
    return re.sub(r"(?<=\d)[\s()./-]+(?=\d)", "", normal(text))


def _flat(text: str) -> str:
    folded = normal(text).replace("İ", "i").casefold().replace("ı", "i")
    return " ".join(folded.split())
