"""Deciding a simulated answer again by other weights, which asks no model."""

from collections.abc import Mapping, Sequence

from personaagent.core.alignment import SimulatedAnswer
from personaagent.core.decision import Decision, SourceName
from personaagent.core.weights import Weights
from personaagent.nodes.decision.defaults import weights_for
from personaagent.nodes.decision.weighing import weigh


def reweighed(answer: SimulatedAnswer, weights: Sequence[Weights]) -> SimulatedAnswer:
    """The answer as the user's weights decide it; the same where nothing was decided.

    Simulations decide by the default weights, so that one that was paid for serves all weights: the
    decision stays as it was, what changes is the answer.
    """
    decision = answer.decision
    if decision is None or not decision.applied or not weights:
        return answer
    decided = decided_by(decision, weights_for(decision.question, weights))
    return answer.model_copy(update={"answer": decided.answer})


def decided_by(decision: Decision, weights: Weights) -> Decision:
    """The decision on what the same sources say, by these weights.

    With a half-life, the history is the one that the simulation noted for it, if it noted one.
    """
    by_name: dict[SourceName, Mapping[str, float]] = {
        source.name: source.probabilities for source in decision.sources
    }
    recent = decision.recent_history if weights.half_life else None
    return weigh(
        decision.question,
        recent or by_name.get("history"),
        by_name.get("model"),
        by_name.get("names"),
        weights,
    )
