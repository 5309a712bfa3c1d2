"""The guard against poison: which rules alignment may not write, however much they lower the loss.

A rule rests on the user's own labels. It copies nothing from an answer, a tool or a page; and what
it copies from a label, a name or most of a clause, must stand in labels of two occasions, since
one may have been slipped in.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import timedelta
from fractions import Fraction

from personaagent.core.records import Episode
from personaagent.core.settings import Settings
from personaagent.memory.ranking import same_query, whole
from personaagent.nodes.alignment.copies import carries, clauses, normal
from personaagent.nodes.alignment.names import names_in, says
from personaagent.nodes.alignment.switching_off import switches_off
from personaagent.prompts.fence import TAGS

__all__ = ["independent", "refusal"]

SAME_MOMENT = timedelta(seconds=1)
Differing = Callable[[str], str]
"""Returns what differs in a query from others of its task."""
OCCASIONS = 2
"""How many independent episodes must contain what a rule copies."""

_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_MARKUP = re.compile(
    rf"</?(?:{'|'.join(TAGS)}|system|assistant|user|instructions?|tool_\w+|rules?|bos|eos)\b[^>]*>"
    r"|<\|[^|>]{1,40}\|>|\[/?(?:inst|system)\]|<</?sys>>|</?(?:start|end)_of_turn>"
    r"|^\W*(?:system|developer|assistant|human)(?: \w+)?\s*:",
    re.IGNORECASE,
)
_SPELLED = re.compile(r"(?<!\w)(?:\w[\s.\-_*·|/]{1,3}){5,}\w(?!\w)")


def refusal(
    rule_text: str,
    cited: Sequence[Episode],
    simulated: Sequence[str],
    settings: Settings,
    differing: Differing = whole,
) -> str | None:
    """Why alignment may not write this rule on this evidence, in one sentence; None if it may.

    ``cited`` are the episodes that the rule cites, ``simulated`` the other texts that the editor
    has seen: simulated answers, and labels that are not cited. ``differing`` returns what differs in
    a query from others of its task.
    """
    evidence = [episode for episode in cited if episode.ground_truth is not None]
    answers = [*simulated, *(each.response for each in evidence if each.signal != "accept")]
    return (
        _unfit(rule_text, settings)
        or _unfounded(evidence, settings)
        or _unsaid(rule_text, evidence, answers, differing)
        or _copied(rule_text, evidence, answers, differing)
    )


def independent(episodes: Sequence[Episode], differing: Differing = whole) -> int:
    """How many occasions the episodes are.

    A question asked again, a conversation, and what one source brought at one moment are one
    occasion each.
    """
    occasions: list[list[Episode]] = []
    for episode in episodes:
        same = [
            each
            for each in occasions
            if any(_one_occasion(episode, one, differing) for one in each)
        ]
        joined = [one for each in same for one in each]
        occasions = [each for each in occasions if each not in same] + [[*joined, episode]]
    return len(occasions)


def _one_occasion(one: Episode, other: Episode, differing: Differing) -> bool:
    if same_query(one.query, other.query, differing):
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
    if _MARKUP.search(normal(rule)):
        return "the rule holds markup that stands for a part of the prompt"
    if _SPELLED.search(rule):
        return "the rule is spelled out letter by letter"
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


def _unsaid(
    rule: str, evidence: Sequence[Episode], answers: Sequence[str], differing: Differing
) -> str | None:
    """Why the rule may not use a name that the user gave on fewer than two occasions; None: it may."""
    truths = [_truth(each) for each in evidence]
    for name in names_in(rule, [*answers, *truths]):
        witnesses = [each for each in evidence if says([each.query, _truth(each)], name)]
        if not witnesses:
            return f"the user never said {name} in the cited episodes"
        if independent(witnesses, differing) < OCCASIONS:
            return f"the user said {name} on one occasion only; a name needs two"
    return None


def _copied(
    rule: str, evidence: Sequence[Episode], answers: Sequence[str], differing: Differing
) -> str | None:
    """Why a clause of the rule is a copy that is not allowed: from an answer, or from one occasion.

    An answer that the user accepted is the agent's text, and no witness.
    """
    for clause in clauses(rule):
        copied = [each for each in evidence if carries(_truth(each), clause)]
        witnesses = [each for each in copied if each.signal == "edit"]
        if not witnesses and (copied or any(carries(text, clause) for text in answers)):
            return "the rule repeats what stands in an answer, not in what the user wrote"
        if witnesses and independent(witnesses, differing) < OCCASIONS:
            return "what a rule copies from a label needs two independent episodes that hold it"
    return None


def _truth(episode: Episode) -> str:
    return episode.ground_truth or ""
