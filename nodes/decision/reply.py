"""What the model's reply to a closed question says, and whether the decided answer may replace it."""

import re

from personaagent.core.decision import ClosedQuestion, Decision
from personaagent.nodes.alignment.answer_scores import ANSWER_WORDS, said_label
from personaagent.nodes.decision.bare_choice import by_text

SHORT = 6
"""A reply of so many words that names no answer is another answer ("science fiction"), no text."""
_FIRST_SENTENCE = re.compile(r".+?(?:[.!?。！？](?=\s|$)|\n|$)", re.DOTALL)


def choice_in(reply: str, question: ClosedQuestion) -> str | None:
    """The answer that ``reply``, or its first sentence, names; None if none, or more than one."""
    first = _FIRST_SENTENCE.match(reply.strip())
    named = (said_label(text, question.answers) for text in (reply, first[0] if first else ""))
    return next(filter(None, named), None) or by_text(reply, question)


def one_vote(
    choice: str | None, question: ClosedQuestion, reliability: float
) -> dict[str, float] | None:
    """A reply without log-probabilities as a distribution: ``reliability`` for its choice, and the rest
    for the others alike; None without a choice."""
    if choice is None:
        return None
    rest = (1 - reliability) / (len(question.answers) - 1)
    return {y: reliability if y == choice else rest for y in question.answers}


def settled(decision: Decision, reply: str, *, bare: bool, given: bool) -> Decision:
    """The decision, with whether it replaces the reply.

    Args:
        decision: as ``weigh`` made it.
        reply: the model's own answer.
        bare: whether the question asks for the choice alone, so that nothing was shown yet.
        given: whether the question or the caller gives the set (``is_given``).
    """
    kept = _why_kept(decision.question, reply, bare=bare, given=given)
    if kept is None:
        return decision
    reason = f"{decision.reason} ({kept})"
    return decision.model_copy(update={"applied": False, "reason": reason})


def _why_kept(question: ClosedQuestion, reply: str, *, bare: bool, given: bool) -> str | None:
    """Why the reply keeps its text; None if it says no more than the choice."""
    words = len(reply.split())
    if not bare:
        return "not applied: the question asks for more than the choice"
    if choice_in(reply, question) is not None and words <= ANSWER_WORDS:
        return None
    if words > SHORT:
        return "not applied: the answer says more than the choice"
    return None if given else "not applied: the answer is none of your earlier ones"
