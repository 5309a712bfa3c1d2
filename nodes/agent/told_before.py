"""Whether a memory tells what is asked, so that no tool has to be chosen before the answer.

The embedded model chooses its tool by a prompt of its own (``models/structured_tools.py``); that takes
about a quarter of the time of an answer. Where this rule is sure, it is left out. It is sure of an
English question of which one memory holds every word that says what it is about, at least two. Two
kinds may miss: a word for a time ("on which day") where the memory holds a number, and, of four and
more, the verb of "where did we hide ...", whose past has another form. What was only asked before
tells nothing, unless the user confirmed an answer; and what asks how, what somebody does, or for
several things takes more than one memory. In doubt the model chooses.

Of the 84 questions of ``benchmarks/tool_choice_questions.py`` it finds seven of the 24 that a memory
answers, and none of the others.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from personaagent.memory.terms import terms

FEWEST_TERMS = 2
FEWEST_WITH_VERB = 4
_QUESTION = re.compile(
    r"(?:(?:on|at|in|from|for|to|by|with|of)\s+)?(?:who|whom|whose|what|which|where|when|how)\b",
    re.I,
)
_WIDE = re.compile(
    r"\bhow\b|\bwhat (?:do|does|did)\b|\b(?:what|which|whose) (?!is\b|was\b|has\b)\w+s\b", re.I
)
_TIME = re.compile(r"\b(?:which|what) (day|date|time|hour|month|year|weekday)\b", re.I)
_VERB = re.compile(r"\b(?:did|do|have) (?:i|we|you) (\w+)", re.I)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"\d")


def is_told(question: str, episodes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of ``episodes`` (as stored) tells what ``question`` asks."""
    if not _QUESTION.match(question.strip()) or _WIDE.search(question):
        return False
    return any(_tells(_text(episode), question) for episode in episodes)


def _text(episode: Mapping[str, Any]) -> str:
    """What the user said and confirmed in it."""
    query = str(episode["query"])
    if truth := episode.get("ground_truth"):
        return f"{query} {truth}"
    sentences = _SENTENCE_END.split(query)
    return " ".join(each for each in sentences if not _asks(each))


def _asks(sentence: str) -> bool:
    return sentence.rstrip().endswith("?") or _QUESTION.match(sentence.strip()) is not None


def _tells(memory: str, question: str) -> bool:
    asked = set(terms(question))
    if _NUMBER.search(memory):
        asked -= set(terms(" ".join(_TIME.findall(question))))
    if len(asked) < FEWEST_TERMS:
        return False
    missing = asked - set(terms(memory))
    if len(asked) >= FEWEST_WITH_VERB:
        missing -= set(terms(" ".join(_VERB.findall(question))))
    return not missing
