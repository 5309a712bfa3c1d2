"""What a capital letter means: in most languages a name, in some only how a word is spelled."""

import re
from collections.abc import Iterable
from typing import Literal

Spelling = Literal["names", "nouns", "none", "open"]
"""``names``: a capital inside a sentence makes a name. ``nouns``: every noun has one (German).
``none``: all words have one (capitals only, or a title). ``open``: the text is too short to say."""

_WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
TITLE = 3
"""Capitalised words inside a sentence, none of them in lower case, that make a title."""


def _set(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_GERMAN = _set(
    "der das den dem des ein eine einen einem einer eines und oder nicht kein keine keinen keinem",
    "mit für auf zu zum zur nie immer nur ohne vom im als wie bei beim nach zuerst statt anstatt",
    "sondern bitte jede jeder jedes jeden stets niemals höchstens ist sind wird werden auch wenn",
    "antworte schreibe schreib gib nutze nenne verwende bevorzuge vermeide lass lasse zwischen",
    "sich aus über unter vor durch gegen dann danach kurz einfach alle",
)
_OTHERS = _set(
    "the a of and or not no to with for on as by from is are be your you it that this if than",
    "always never only without use answer give write prefer keep avoid include mention recommend",
    "suggest praise offer name say tell sign begin end put make do don't reply begins every each",
    "about when where which their his her my into instead whenever",
    "le la les du un une et ou ne pas jamais toujours avec pour sans sur dans que est au aux par",
    "el los las del una y o no nunca siempre con para sin en como lo su por",
    "il lo gli di che non mai sempre senza con da nel alla e i per",
    "os às não nunca sempre sem com em do da dos das ao um uma",
    "het een en van niet geen nooit altijd met voor zonder op je bij naar dat deze",
    "och det att inte med på och som og ikke til af på av en et",
    "bir ve ile için her zaman asla hiç değil olarak i w na nie z do jest się że",
    "и в не на с по что как без всегда никогда для к και το την με για να δεν στο στα από",
)
_NOT_NAMES = _set(
    # Languages, peoples, scales and formats, which English and some others write with a capital.
    "english german french dutch spanish italian portuguese polish czech slovak hungarian romanian",
    "bulgarian greek turkish russian ukrainian arabic hebrew persian hindi urdu bengali tamil chinese",
    "mandarin cantonese japanese korean vietnamese thai indonesian malay swahili swedish danish",
    "norwegian finnish icelandic irish welsh catalan basque croatian serbian slovenian latin british",
    "american canadian australian european celsius fahrenheit kelvin markdown unicode roman gregorian",
    "nederlands engels duits frans spaans italiaans türkçe ingilizce almanca fransızca ispanyolca",
    "rusça arapça ελληνικά αγγλικά γερμανικά γαλλικά ισπανικά ρωσικά τουρκικά",
    "dansk norsk svenska deutsch englisch französisch spanisch italienisch",
    # Days and months.
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june",
    "july august september october november december",
    "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
    "δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή",
    # Polite forms of address, and titles.
    "i sie ihnen ihr ihre ihrem ihren du dich dir dein deine lei loro usted ustedes ud uds u uw",
    "вы вас вам вами ваш ваша ваше ваши εσείς σας mr mrs ms dr herr frau madame monsieur señor señora",
    # Units, currencies, zones and formats.
    "si iso am pm utc gmt eur usd gbp chf jpy cny krw inr try rub us uk eu ml dl kwh kw kb mb gb tb",
    "db ph khz mhz ghz hz mm dd yyyy yy hh ss html json csv xml yaml sql pdf url api http https faq",
    "tldr tl dr ok usa ascii utf cpu gpu ram ai id tv pc",
    # Words that are emphasised.
    "all caps not never always only no and or but must do don't very one two",
)


def is_spelling(word: str) -> bool:
    """Whether the word is known to have a capital by its spelling alone: German, EUR, Monday."""
    parts = re.split(r"[-'&]", word.replace("İ", "i").casefold())
    return parts[0] in _NOT_NAMES or bool(re.fullmatch(r".*[^\W\d_]{3}Inn?en?", word))


def spelling(text: str) -> Spelling:
    """How the text uses capitals."""
    words = [match[0] for match in _WORDS.finditer(text)]
    lower = [word.casefold() for word in words[:1] + [w for w in words[1:] if w.islower()]]
    german, others = (sum(word in known for word in lower) for known in (_GERMAN, _OTHERS))
    inside = [word for word in words[1:] if len(word) > 1]
    if len(inside) >= TITLE and all(word[0].isupper() for word in inside):
        return "none"
    if words and "".join(words).isupper() and len(words) > 1:
        return "none"
    if german > others:
        return "nouns"
    return "names" if others else "open"


def follows_lower(texts: Iterable[str], word: str) -> bool:
    """Whether the word stands behind a lower-case word or a number in one of the texts.

    A German noun does ("zwei Tassen"); a name mostly stands behind a noun ("die Firma Velvet").
    """
    pattern = re.compile(rf"(?:\b[^\W\d_A-ZÄÖÜ]+|\d)\s+{re.escape(word)}(?!\w)")
    return any(pattern.search(text) for text in texts)
