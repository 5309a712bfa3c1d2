"""Statements that bear on every answer: who the user is, how to speak to them, what could harm them."""

import re

from personaagent.core.records import Statement

_FORM = (
    r"answers?|answered|repl(?:y|ies)|respon(?:se|ses|d)|explanations?|explained|concise|brief"
    r"|short (?:and|sentences?|texts?)|in detail|bullets?(?: points?)?|formatt?\w*|markdown|in tables?|tone"
    r"|in (?:english|german|dutch|french|spanish|italian|portuguese)"
    r"|formal|informal|polite|emojis?"
    r"|jargon|step by step|address(?:ed)? as|call me"
    r"|metric|imperial|celsius|fahrenheit|units|currency|spelling|code blocks?"
    r"|antwort\w*|kurz|knapp|ausführlich|duzen|siezen|réponses?|respuestas?|risposte?|antwoord\w*"
)
_ACCESS = (
    r"blind\w*|low vision|visually impaired|screen reader|deaf|hard of hearing|dyslexi\w*|adhd|autis\w*"
    r"|colou?r-?blind|wheelchair|disab\w+|large print|rollstuhl|gehörlos|fauteuil roulant|silla de ruedas"
)
_SAFETY = (
    r"allerg\w*|anaphyla\w*|intoleran\w*|c(?:o)?eliac|gluten|epinephrine|epipen|asthma\w*|diabet\w*"
    r"|epilep\w*|pregnan\w*|medications?|sober|recovering|vegans?|vegetarians?|halal|kosher|zöliakie"
    r"|schwanger|vegan\w*|vegetar\w*|végétarien\w*|diab[eè]t\w*|alérgic\w*|embarazada|enceinte"
)
_ALWAYS = re.compile(rf"\b(?:{_ACCESS}|{_SAFETY})\b", re.IGNORECASE)
_OWN_NAME = re.compile(
    r"^(?:the )?user(?:'s (?:(?:first|full|preferred) )?name\b| is (?:called|named)\b| goes by\b"
    r"|'s (?:pronouns|(?:native |first |preferred )?language|time ?zone)\b| (?:only )?speaks\b)"
    r"|^(?:der |die )?(?:nutzer|user)(?:in)? (?:hei(?:ß|ss)t|spricht)\b",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"^(?:please|always|never|do(?: not|n't)|use|be|keep|write|say|speak|give|show|avoid|no|only)\b",
    re.IGNORECASE,
)
_MANNER = re.compile(rf"\b(?:{_FORM})\b", re.IGNORECASE)


def always_shown(statement: Statement) -> bool:
    """Whether the statement stays in the prompt whatever the question is about.

    Locked ones do, and those that name the user or their language, say how to answer, or tell of
    accessibility, allergies, illness or a diet. In doubt True: the words are searched, not understood.
    """
    patterns = (_ALWAYS, _OWN_NAME, _MANNER, _INSTRUCTION)
    return statement.locked or any(pattern.search(statement.text) for pattern in patterns)
