"""Options in both orders: small models prefer a place, whatever stands there.

With the options reversed the same preference falls on other texts; the geometric mean of both cancels
it, for two options exactly (PriDe, arXiv 2309.03882, section 4: a prior of the marks times what the
texts deserve).
"""

from collections.abc import Mapping
from math import sqrt

from personaagent.core.decision import ClosedQuestion
from personaagent.core.weights import Weights
from personaagent.nodes.decision.weighing import weigh

SETTLED = 0.9
"""A model this sure of an option prefers it in the other order, too: one call is enough."""


def is_settled(
    question: ClosedQuestion,
    probabilities: Mapping[str, float],
    names: Mapping[str, float] | None,
    weights: Weights,
) -> bool:
    """Whether the answer in one order makes asking in the other needless.

    It does, too, where the names prefer an option and this answer does not change that: if the model
    only preferred a place, both orders would cancel it, and leave what the names say.
    """
    if max(probabilities.values()) >= SETTLED:
        return True
    if names is None or not weights.names:
        return False
    alone = weigh(question, None, None, names, weights)
    together = weigh(question, None, probabilities, names, weights)
    return alone.answer == together.answer


def reversed_options(query: str, question: ClosedQuestion) -> str | None:
    """``query`` with the texts of its options in reverse order under the same marks.

    None if it does not hold the texts one after another, as a query with options listed does.
    """
    starts = _starts(query, question.texts)
    if starts is None:
        return None
    rest, after = "", 0
    for start, old, new in zip(starts, question.texts, reversed(question.texts), strict=True):
        rest += query[after:start] + new
        after = start + len(old)
    return rest + query[after:]


def mean_of_orders(
    question: ClosedQuestion, asked: Mapping[str, float], reverse: Mapping[str, float]
) -> dict[str, float]:
    """The probability of each answer, from those of both orders; they add up to 1.

    Args:
        asked: the probabilities of the marks with the options as the question lists them.
        reverse: those with the options reversed; the first mark stands for the last option.
    """
    mirrored = zip(question.answers, reversed(question.answers), strict=True)
    means = {answer: sqrt(asked[answer] * reverse[other]) for answer, other in mirrored}
    total = sum(means.values())
    return {answer: mean / total for answer, mean in means.items()}


def _starts(query: str, texts: list[str]) -> list[int] | None:
    """Where each text stands in ``query``, one after the other."""
    starts, after = [], 0
    for text in texts:
        start = query.find(text, after) if text else -1
        if start < 0:
            return None
        starts.append(start)
        after = start + len(text)
    return starts if starts else None
