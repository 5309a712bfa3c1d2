"""The weights of the sources where the user has none of their own, and the constants of the votes.

Prior, sharpness, spread, temperature and the model's weights did best in measurements on
LaMP-2M-style, 2N and LaMP-3-style; the others are estimates (docs/measured.md).
"""

from collections.abc import Sequence

from personaagent.core.decision import ClosedQuestion, QuestionKind
from personaagent.core.weights import Weights

PRIOR = 2.0
"""k: labels that the prior adds, spread evenly over the answers."""
SHARPNESS = 8.0
"""h: how fast a vote fades with the cosine: ``exp(h (cos - 1))``."""
PRIOR_VOTES = 1.0
"""a: how many full votes the user's prior is worth among the nearest labels."""
SPREAD = 0.8
"""sigma: how far a number spreads over its neighbours, in steps of the scale."""
TEMPERATURE = 10.0
"""T: how much a cosine to an answer's name counts."""
RECENT = 8.0
"""A half-life (``Weights.half_life``) that alignment tries."""
RELIABILITY = 0.7
"""How often an answer without log-probabilities is taken to be right, where nothing is known."""
SHOWN: dict[QuestionKind, int | None] = {"labels": 4, "numbers": 4, "options": None}
"""How many episodes the prompt of a bare choice shows (None: all that were recalled). Labels and
numbers need few, because the nearest labels vote (``history``) whether they are shown or not."""
CHARS: dict[QuestionKind, int] = {"labels": 480, "numbers": 480, "options": 960}
"""How many characters it shows of each: half for the query, half for the answer."""
TOTAL_WEIGHT: dict[QuestionKind, float] = {"labels": 2.0, "numbers": 2.0, "options": 1.0}
"""What the weights of several sources sum to when the confidence is computed; chosen so that answers are
right about as often as it says (docs/measured.md)."""
LONGEST_SCALE = 20
"""Most steps of a scale whose numbers are all possible answers."""

_BY_KIND: dict[QuestionKind, Weights] = {
    "labels": Weights(history=1.0, model=0.75, names=1.0),
    "numbers": Weights(history=0.5, model=3.0),
    "options": Weights(history=0.0, model=1.0, names=1.0),
}


def default_weights(kind: QuestionKind, task: str | None = None) -> Weights:
    """The weights for questions of this kind."""
    return _BY_KIND[kind].model_copy(update={"task": task})


def weights_for(question: ClosedQuestion, own: Sequence[Weights]) -> Weights:
    """The user's own weights for the question's task; the defaults where they have none."""
    mine = (weights for weights in own if weights.task == question.task)
    return next(mine, default_weights(question.kind, question.task))
