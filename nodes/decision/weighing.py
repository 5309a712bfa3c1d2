"""Weighs what the sources say of each answer, and chooses: pure functions."""

from collections.abc import Mapping, Sequence
from math import exp, log

from personaagent.core.decision import ClosedQuestion, Decision, Source, SourceName
from personaagent.core.weights import Weights
from personaagent.nodes.decision.defaults import TOTAL_WEIGHT
from personaagent.nodes.decision.number_votes import median_of, shifted

FLOOR = 1e-4
"""The least probability of an answer: no source alone can rule one out."""

Probabilities = Mapping[str, float]
_SPEAKERS: dict[SourceName, str] = {
    "history": "your history says",
    "model": "the model",
    "names": "the names of the answers",
}


def weigh(
    question: ClosedQuestion,
    history: Probabilities | None,
    model: Probabilities | None,
    names: Probabilities | None,
    weights: Weights,
) -> Decision:
    """The distribution over the answers and the best: ``log p(y) = sum_s w_s log p_s(y)``, normalised.

    A logarithmic opinion pool (Genest and Zidek 1986). The best is the most probable answer; of
    numbers the predictive median. The decision's distribution uses weights that sum to
    ``TOTAL_WEIGHT``: what two sources know must not count twice. A source that is None says nothing.

    Args:
        question: its answers are the keys of each source; one that lacks an answer rules it out
            almost (``FLOOR``).
        history: from ``history_votes`` or ``number_votes``.
        model: the model's probability of each answer; of numbers moved by the user's offset.
        names: from ``name_votes``.
        weights: of each source.
    """
    if model is not None and question.kind == "numbers" and weights.offset:
        model = shifted({y: model.get(y, 0.0) for y in question.answers}, weights.offset)
    sources = [
        Source(name=name, weight=weight, probabilities=_complete(said, question.answers))
        for name, weight, said in _by_source(history, model, names, weights)
        if said is not None
    ]
    decision = Decision(
        question=question,
        answer=_best(question, pool(question.answers, sources)),
        probabilities=pool(question.answers, _rescaled(sources, TOTAL_WEIGHT[question.kind])),
        sources=sources,
    )
    return decision.model_copy(update={"reason": in_words(decision)})


def pool(answers: Sequence[str], sources: Sequence[Source]) -> dict[str, float]:
    """The product of the sources' probabilities, each to the power of its weight, normalised."""
    scores = {y: sum(s.weight * log(s.probabilities[y]) for s in sources) for y in answers}
    highest = max(scores.values())
    powers = {y: exp(score - highest) for y, score in scores.items()}
    total = sum(powers.values())
    return {y: power / total for y, power in powers.items()}


def _rescaled(sources: Sequence[Source], total: float) -> list[Source]:
    """The sources, with weights that sum to ``total``, or to 1 where there is only one."""
    factor = min(total, len(sources)) / (sum(source.weight for source in sources) or 1.0)
    return [each.model_copy(update={"weight": each.weight * factor}) for each in sources]


def in_words(decision: Decision) -> str:
    """What each source says most, and the answer: "your history says comedy 40%, the model ...; comedy"."""
    said = ", ".join(_most(source) for source in decision.sources if source.weight)
    return f"{said}; {decision.answer}" if said else decision.answer


def _by_source(
    history: Probabilities | None,
    model: Probabilities | None,
    names: Probabilities | None,
    weights: Weights,
) -> list[tuple[SourceName, float, Probabilities | None]]:
    return [
        ("history", weights.history, history),
        ("model", weights.model, model),
        ("names", weights.names, names),
    ]


def _complete(said: Probabilities, answers: Sequence[str]) -> dict[str, float]:
    """A probability of at least ``FLOOR`` for each answer, normalised."""
    floored = {y: max(said.get(y, 0.0), FLOOR) for y in answers}
    total = sum(floored.values())
    return {y: p / total for y, p in floored.items()}


def _best(question: ClosedQuestion, probabilities: dict[str, float]) -> str:
    if question.kind == "numbers":
        return median_of(probabilities)
    return max(question.answers, key=lambda answer: probabilities[answer])


def _most(source: Source) -> str:
    answer = max(source.probabilities, key=lambda y: source.probabilities[y])
    return f"{_SPEAKERS[source.name]} {answer} {source.probabilities[answer]:.0%}"
