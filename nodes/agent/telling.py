"""Messages that tell the agent something and ask for nothing ("My sister got a new job.").

A small language model answers these from memory, as if they were questions. They are found by form
alone, and only where it is beyond doubt: one or two whole sentences that begin as people speak of
themselves, and hold nothing that asks, addresses the agent, or speaks of trouble. All else counts
as a request.
"""

import re

MAX_CHARS = 200
MAX_SENTENCES = 2

_TIME = (
    "today|yesterday|tonight|recently|last (?:night|week|month|year)|this (?:morning|week|year)"
    "|heute|gestern|hoy|ayer|aujourd'hui|hier|hoje|ontem|oggi|ieri|vandaag|gisteren|idag|igår"
)
_PREFACE = (
    "by the way|btw|fyi|just so you know|(?:please )?(?:remember|note|know)(?: that)?"
    "|übrigens|por cierto|au fait|a propósito|a proposito|trouwens|förresten"
)
_SELF = (
    r"i(?:'m|'ve|'ll| am| have| will)?|my|we(?:'re|'ve)?|our"  # English
    "|ich|mein|meine|wir|unser|unsere"  # German
    "|yo|mi|mis|nosotros|nosotras|nuestro|nuestra|soy|tengo|vivo|vivimos|trabajo|somos"  # Spanish
    r"|je|j'\w+|mon|ma|mes|nous|notre|nos"  # French
    "|eu|meu|minha|nós|nosso|nossa|moro|sou|tenho|trabalho"  # Portuguese
    "|io|mio|mia|il mio|la mia|noi|nostro|nostra|sono|abito|lavoro"  # Italian
    "|ik|mijn|wij|we|ons|onze"  # Dutch
    "|jag|min|mitt|mina|vi|vår|vårt|jeg|mit|vores|vår"  # Swedish, Danish, Norwegian
)
_TELLS = re.compile(
    rf"(?:(?:{_PREFACE})[,:]? )?(?:(?:{_TIME}),? )?(?:{_SELF})\b\s+\w", re.IGNORECASE
)

_ASKS = re.compile(
    r"[?？؟;`{}<>=\[\]\n]|https?:|:(?:\s|$)|\b(?:"
    # what addresses the agent, or asks
    "you|your|yours|please|help|tell|show|give|write|explain|recommend|suggest|advice|advise|ideas?"
    "|where|when|questions?|answer|wonder(?:ing)?|wondered|curious|what|which|who|whose|why|how|whether|should|shall"
    "|could|would|want|wants|wanted|need|needs|needed|like to|look(?:ing)? for|search(?:ing)?|try(?:ing)?"
    "|plan(?:ning)?|hope|wish|think(?:ing)? (?:of|about)|consider(?:ing)?|let's|let us|going to|about to"
    # trouble, which asks for help without saying so
    r"|not|n't|never|cannot|\w+n't|problems?|issues?|errors?|trouble|troubles|broken|broke|fails?|failed"
    "|failing|crash\\w*|stuck|lost|forgot(?:ten)?|confus\\w*|unsure|struggl\\w*|hurts?|pain|sick|ill|sad"
    "|depressed|lonely|worried|worry|afraid|scared|anxious|feel|feeling|died|dead|dying|suicid\\w*|kill\\w*"
    # the same in the other languages
    "|du|dich|dir|dein|deine|sie|ihnen|bitte|hilf|hilfe|sag|zeig|schreib\\w*|erklär\\w*|frage|was|wie|wer"
    "|wo|warum|welche\\w*|ob|möchte\\w*|will|wollen|brauch\\w*|suche|nicht|kein\\w*|problem\\w*|fehler"
    "|kannst|könnt\\w*|soll\\w*|plane\\w*|überleg\\w*"
    "|tú|tu|te|usted|por favor|ayud\\w*|dime|qué|cómo|cuál|quién|dónde|quiero|queremos|necesit\\w*|busco"
    "|quisiera|debo|no"
    "|vous|toi|s'il|aide\\w*|dis|que|quoi|quel\\w*|comment|pourquoi|veux|voudrais|voulons|cherche|besoin"
    "|dois|pas"
    "|você|ajud\\w*|diga|qual|como|quero|preciso|gostaria|devo|não"
    "|ti|lei|favore|aiut\\w*|dimmi|cosa|che|quale|come|perché|voglio|vorrei|bisogno|cerco|non"
    "|je kunt|jij|jouw|jou|u|alsjeblieft|alstublieft|hulp|vertel|wat|hoe|waarom|welke|wil|zoek|nodig|niet"
    "|geen|moet"
    "|dig|ditt|din|snälla|hjälp\\w*|hjælp\\w*|hjelp\\w*|vad|hur|hvad|hvordan|varför|vilken|vill|vil|behöver"
    "|söker|inte|ikke|ska"
    r")\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!…](?=\s|$)")


def only_tells(text: str) -> bool:
    """Whether the message surely tells something and asks for nothing; in doubt, False."""
    text = " ".join(text.strip().replace("’", "'").split(" "))
    return (
        len(text) <= MAX_CHARS
        and text.endswith((".", "!"))
        and len(_SENTENCE_END.findall(text)) <= MAX_SENTENCES
        and _TELLS.match(text) is not None
        and _ASKS.search(text) is None
    )
