"""Which names a rule holds that the user never said."""

import re
from collections.abc import Iterable
from functools import lru_cache

from personaagent.nodes.alignment.orders import normal, reads_as_instruction, word_list

"""Names that anyone may use: languages, nationalities, months, units, formats, greetings."""

_URL = r"(?:https?://|www\.)[^\s<>\"')\]]+"
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_HANDLE = r"(?<![\w@])@\w{2,}"
_DOMAIN = r"(?<![\w@.-])[\w-]{2,}(?:\.[\w-]{2,})*\.[a-z]{2,}\b"
_DATE = r"\d{4}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{4}"
_NUMBER = rf"(?<![\w.])(?!(?:{_DATE})(?!\d))\+?\(?\d(?:[\s()./-]{{0,2}}\d){{4,}}(?!\w)"
_QUOTED = r"[\"“„«]([^\"“”„«»]+)[\"”“»]|(?<!\w)['‘]([^'‘’]+)['’](?!\w)"
_LITERAL = re.compile("|".join((_URL, _EMAIL, _HANDLE, _DOMAIN)))
_WORD = re.compile(r"[^\W_]+(?:['.&;-](?=\w)[^\W_]+|[+#]+)*")
_BRAND = re.compile(
    r"[^\W\d_]+[a-z][A-Z]|[a-z]+[A-Z]|[A-Z]{2,}|(?=\w*\d)(?=\w*[A-Z])\w{2,}|\w*[®™]"
)
_CODE = re.compile(r"(?=\w*\d)(?=\w*[a-z])\w{12,}", re.IGNORECASE)
_OPENING = re.compile(r"(?:^|[.!?]['\")\]]*\s+|\n\s*)(?:[-*#>\d.)\s]*)['\"“„(\[*]*$")


def names_unsaid(rule: str, said: Iterable[str], unsaid: Iterable[str]) -> list[str]:
    """The names in the rule that the user never said, each once, in the order of the rule.

    Names are addresses, handles, long numbers, quotations of two words and more, capitalised words
    that do not begin a sentence, and words written like brands (``iPhone``, ``SAVE20``). ``said``
    is what the user said. A name that stands in ``unsaid`` (the agent's answers) is known by less:
    also where it begins a sentence of the rule, and in lower case if an order there bears it.
    """
    rule, told = normal(rule), _Said(said)
    answers = [normal(text) for text in unsaid]
    heard = {word for text in answers for word in _named_words(text)}
    ordered = {word for text in answers if reads_as_instruction(text) for word in _capitals(text)}
    found = [(m.start(), m[0].rstrip(".,;:!?/")) for m in _LITERAL.finditer(rule)]
    found += [(m.start(), m[0]) for m in re.finditer(_NUMBER, rule)]
    found = [(at, name) for at, name in found if not told.holds(name)]
    found += [
        (match.start(), quoted)
        for match in re.finditer(_QUOTED, rule)
        if len((quoted := match[1] or match[2]).split()) > 1 and not told.holds(quoted)
    ]
    for match in _WORD.finditer(rule):
        word = match[0]
        named = _is_name(rule, match) or _key(word) in ordered
        if (named or (word[0].isupper() and _key(word) in heard)) and not told.word(word):
            found.append((match.start(), word))
    return list(dict.fromkeys(name for _, name in sorted(found)))


class _Said:
    """What the user said, to be looked up."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.text = "\n".join(_flat(normal(text)) for text in texts)
        self.words = {_key(word) for word in _parts(self.text)}
        self.digits = re.sub(r"(?<=\d)[\s()./-]+(?=\d)", "", self.text)

    def holds(self, name: str) -> bool:
        """Whether they said just this: not as a part of another word or number."""
        digits = re.sub(r"\D", "", name)
        if re.fullmatch(_NUMBER, name):
            return re.search(rf"(?<!\d){digits}(?!\d)", self.digits) is not None
        flat = re.escape(_flat(name).strip())
        return re.search(rf"(?<![\w-]){flat}(?![\w-])", self.text) is not None

    def word(self, word: str) -> bool:
        """Whether they said the word, or anyone may; of a compound, the parts with a capital."""
        parts = [part for part in re.split(r"[-.]", word) if part[:1].isupper()] or [word]
        return self._free(word) or (parts != [word] and all(map(self._free, parts)))

    def _free(self, word: str) -> bool:
        return (
            word.casefold() in word_list("common") or _key(word) in word_list("common") | self.words
        )


@lru_cache(maxsize=256)
def _named_words(text: str) -> frozenset[str]:
    """The names among the words, and none that stands in lower case as well."""
    plain = {word for word in _parts(text) if word.islower()}
    named = {_key(match[0]) for match in _WORD.finditer(text) if _is_name(text, match)}
    return frozenset(named - {_key(word) for word in plain})


def _capitals(text: str) -> Iterable[str]:
    """The words in capitals that do not open a sentence, and those written like brands."""
    return {key for key in _named_words(text) if key not in word_list("common")}


def _is_name(text: str, match: re.Match[str]) -> bool:
    word = match[0]
    if _BRAND.match(word) or _CODE.match(word):
        return True
    return word[0].isupper() and not _OPENING.search(
        text[max(0, match.start() - 40) : match.start()]
    )


def _parts(text: str) -> list[str]:
    found = [match[0] for match in _WORD.finditer(text)]
    return found + [part for word in found for part in re.split(r"[-.']", word)]


def _key(word: str) -> str:
    """The word as it is compared: in lower case, without a possessive or a plural's s."""
    word = re.sub(r"'s?$", "", word.casefold())
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())
