"""The guard against poison: which rules alignment may not write, whatever they do for the loss.

A rule rests on what the user said, never on what was said to the agent by tools, pages or itself;
and an order to the agent, which may have been slipped into one ground truth, on two occasions.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache

from personaagent.core.records import Episode
from personaagent.core.settings import Settings
from personaagent.memory.ranking import same_query
from personaagent.nodes.alignment.names import names_unsaid
from personaagent.nodes.alignment.orders import (
    imitates_markup,
    normal,
    pushes,
    reads_as_instruction,
    switches_off,
    word_list,
)

__all__ = ["independent", "names_unsaid", "reads_as_instruction", "refusal"]

SAME_MOMENT = timedelta(seconds=1)
CARRIED = Fraction(2, 3)
"""The share of a clause's words that a text must hold to carry it."""

_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_CLAUSES = re.compile(
    r"[.!?;:,()\n。！？；，、]+|\s[-–—]\s|\b(?:and|but|then|while|also|plus|und|et|y)\b"
)


def refusal(
    rule_text: str, cited: Sequence[Episode], simulated: Sequence[str], settings: Settings
) -> str | None:
    """Why alignment may not write this rule on this evidence, in one sentence; None if it may.

    ``cited`` are the episodes that the rule cites, ``simulated`` the texts beside them that the
    editor has seen and the user did not say.
    """
    evidence = [episode for episode in cited if episode.ground_truth is not None]
    said = [text for each in evidence for text in (each.query, each.ground_truth or "")]
    answers = [*simulated, *(each.response for each in evidence if each.signal != "accept")]
    return (
        _unfit(rule_text, settings)
        or _unfounded(evidence, settings)
        or _unsaid(rule_text, said, answers)
        or _unwitnessed(rule_text, evidence, answers)
    )


def independent(episodes: Sequence[Episode]) -> int:
    """How many occasions the episodes are.

    A question asked again, a conversation, and what one source brought at one moment are one
    occasion each.
    """
    occasions: list[list[Episode]] = []
    for episode in episodes:
        same = [each for each in occasions if any(_one_occasion(episode, one) for one in each)]
        joined = [one for each in same for one in each]
        occasions = [each for each in occasions if each not in same] + [[*joined, episode]]
    return len(occasions)


def _one_occasion(one: Episode, other: Episode) -> bool:
    if same_query(one.query, other.query):
        return True
    if one.source == other.source and abs(one.created_at - other.created_at) < SAME_MOMENT:
        return True
    keys = ("thread_id", "conversation_id")
    return any(one.metadata.get(key) == other.metadata.get(key) is not None for key in keys)


def _unfit(rule: str, settings: Settings) -> str | None:
    """What is wrong with the rule itself, whatever it rests on."""
    if len(rule) > settings.rule_chars:
        return f"the rule has {len(rule)} characters; at most {settings.rule_chars} are allowed"
    if any(unicodedata.category(each) in _UNSEEN and each not in _JOINERS for each in rule):
        return "the rule holds line breaks or characters that are not seen"
    if imitates_markup(rule):
        return "the rule holds markup that stands for a part of the prompt"
    if switches_off(rule):
        return "no rule may switch off or give away the fixed instructions"
    return None


def _unfounded(evidence: Sequence[Episode], settings: Settings) -> str | None:
    """Whether too few of the user's own labels stand behind the rule."""
    if not evidence:
        return "the rule cites no episode in which the user said what they wanted"
    needed = {"edit": settings.evidence_edits, "accept": settings.evidence_accepts}
    unique = {episode.id: episode for episode in evidence}.values()
    if sum(Fraction(1, needed[each.signal or "edit"]) for each in unique) < 1:
        return (
            f"the rule needs {settings.evidence_edits} cited episodes that the user corrected, "
            f"or {settings.evidence_accepts} with an answer that they accepted"
        )
    return None


def _unsaid(rule: str, said: Sequence[str], answers: Sequence[str]) -> str | None:
    """Whether the rule names what the user did not."""
    names = names_unsaid(rule, said, answers)
    if not names:
        return None
    return f"the user never said {', '.join(names)} in the cited episodes"


def _unwitnessed(rule: str, evidence: Sequence[Episode], answers: Sequence[str]) -> str | None:
    """Whether the rule is an order that the user did not give on two occasions in their own words.

    An answer that they accepted is the agent's text, and no witness.
    """
    truths = [episode.ground_truth or "" for episode in evidence]
    ordered = [clause for text in answers for clause in _orders(text)]
    suspicious = [
        clause
        for clause in _clauses(rule)
        if any(_carries(order, clause) for order in ordered)
        and not any(_carries(text, clause) for text in truths)
    ]
    if suspicious:
        return "the rule repeats an order that stands in an answer, not in what the user said"
    if not pushes(rule) and not any(reads_as_instruction(text) for text in truths):
        return None
    own = [episode for episode in evidence if episode.signal == "edit"]
    clauses = list(_clauses(rule))
    witnesses = [
        [each for each in own if _carries(each.ground_truth or "", clause)] for clause in clauses
    ]
    names = [[each for each in own if not names_unsaid(rule, [each.ground_truth or ""], [])]]
    if clauses and all(independent(each) > 1 for each in [*witnesses, *names]):
        return None
    return "an order to the agent needs two independent episodes in which the user wrote it"


@lru_cache(maxsize=256)
def _orders(text: str) -> list[str]:
    """The sentences of the text that read as orders, each with the one after it.

    What begins with a capital may be a sentence where the mark before it is missing.
    """
    sentences = re.split(r"(?<=[.!?。！？])\s*|\n+", text)
    return [
        " ".join(sentences[number : number + 2])
        for number, sentence in enumerate(sentences)
        if _begins_an_order(sentence)
    ]


def _begins_an_order(sentence: str) -> bool:
    starts = [0, *(match.end() for match in re.finditer(r"\s(?=[A-Z][a-z])", sentence))]
    return any(reads_as_instruction(sentence[start:]) for start in starts)


def _carries(text: str, clause: str) -> bool:
    """Whether the text holds most of the words of the clause that tell it from others."""
    words = _words(clause)
    return len(words & _words(text)) >= CARRIED * len(words)


def _clauses(rule: str) -> Iterator[str]:
    return (clause for clause in _CLAUSES.split(normal(rule)) if _words(clause))


def _words(text: str) -> set[str]:
    """The words that tell a text from others, without a plural's s; Chinese by characters."""
    words = re.findall(
        r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+", normal(text).casefold()
    )
    return {word[:-1] if len(word) > 3 and word[-1] == "s" else word for word in words} - word_list(
        "empty"
    )
