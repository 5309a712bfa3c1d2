"""Whether a question asks for the bare choice."""

import re

from personaagent.core.decision import ClosedQuestion
from personaagent.nodes.alignment.answer_scores import said_label
from personaagent.nodes.decision.listed import before_options

_NO_MORE = re.compile(
    r"\b(?:without|don't|do not|no further|ohne|sin|sans|senza|sem|zonder|utan)\b(?:\s+\w+){0,2}?\s+"
    r"(?:expla\w*|reason\w*|justif\w*|comment\w*|erklär\w*|begründ\w*|explic\w*|spieg\w*|uitleg\w*"
    r"|förklar\w*)",
    re.IGNORECASE,
)
_ASKS_FOR_MORE = re.compile(
    r"\b(?:why|how come|explain\w*|explanation|reasons?|reasoning|because|justify|describe|elaborate"
    r"|step by step|in detail|compare|pros and cons|discuss|tell me (?:more|about)|argue|advantages"
    r"|warum|wieso|weshalb|erklär\w*|begründ\w*|grund|por qué|explic\w*|razón|razones|pourquoi"
    r"|expliqu\w*|raison\w*|perché|spieg\w*|motiv\w*|por que|porquê|explique|waarom|uitleg\w*"
    r"|leg uit|varför|förklar\w*|hvorfor|forklar\w*|почему|объясн\w*|обоснуй\w*|зачем)\b"
    r"|为什么|為什麼|解释|解釋|说明|なぜ|どうして|理由|説明|왜|이유|설명|لماذا|اشرح|क्यों|समझा",
    re.IGNORECASE,
)
MATTER = 30
"""More words than this beside the instruction are the matter, as of a review."""
_LAST_SENTENCE = re.compile(r"\n|(?<=[.?!])\s|(?<=[。？！])")


def asks_for_bare_choice(query: str, question: ClosedQuestion) -> bool:
    """Whether ``query`` wants the choice alone: it asks for no reason, explanation or comparison.

    Of a long query whose task has an instruction, that says what is wanted; the rest is the matter.
    """
    if question.instruction and len(query.split()) > len(question.instruction.split()) + MATTER:
        wanted = question.instruction
    else:
        wanted = before_options(query) + _last_sentence(query)
    return bool(_NO_MORE.search(wanted)) or _ASKS_FOR_MORE.search(wanted) is None


def by_text(reply: str, question: ClosedQuestion) -> str | None:
    """The option whose text is the reply."""
    said = said_label(reply, question.texts) if question.texts else None
    return None if said is None else question.answers[question.texts.index(said)]


def _last_sentence(query: str) -> str:
    return " " + _LAST_SENTENCE.split(query.strip())[-1]
