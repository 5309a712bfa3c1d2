"""``compare``: what was simulated against what the user wanted."""

from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss
from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.core.errors import ModelError
from personaagent.core.records import Usage
from personaagent.nodes.alignment.evaluator import Evaluator, evaluator_of
from personaagent.nodes.alignment.simulator import SimulatedAnswer, Simulator
from personaagent.nodes.alignment.strategies.methods import METHODS


async def compare(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """The loss of each episode of the round; a run ends where its batch has none left.

    Where nothing is proved by the losses, no judge is paid for them.

    Raises:
        ModelError: the models failed for more than half of the episodes; nothing is changed.
        ConfigurationError: the judge cannot be asked at all.
    """
    trial = await evaluator_of(state, runtime, simulator)
    proves = METHODS[trial.plan.mode].acceptance.needs_holdout
    if not proves:
        trial = replace(trial, loss_scorer=replace(trial.loss_scorer, judges=False))
    learning = await _losses(trial, state, state["batch"])
    proving = await _losses(trial, state, state["holdout"] + state["earlier_batches"])
    losses = learning[0] | proving[0]
    spent = trial.budget.exhausted()
    unscored = [loss for loss in losses.values() if loss.score is None]
    if not spent and 2 * len(unscored) > len(losses):
        raise ModelError(
            f"{len(unscored)} of {len(losses)} episodes could not be simulated and judged, so that "
            f"nothing was changed; the first reason: {unscored[0].why}"
        )
    scores = [loss.score for loss in learning[0].values()]
    perfect = not any(score is not None and score < 1 for score in scores)
    return {
        "losses": {episode: loss.stored() for episode, loss in losses.items()},
        "usage": (learning[1] + proving[1]).stored(),
        "gate_usage": proving[1].stored(),
        "stopped_by": spent or ("no loss" if perfect and proves else ""),
    }


async def _losses(
    trial: Evaluator, state: AlignmentState, episode_ids: list[str]
) -> tuple[dict[str, Loss], Usage]:
    simulated = {
        each: SimulatedAnswer.model_validate(state["simulated"][each])
        for each in episode_ids
        if each in state["simulated"]
    }
    found = await trial.compare(
        [(trial.known[each], answer) for each, answer in simulated.items() if each in trial.known]
    )
    usage = Usage()
    for _, used in found:
        usage += used
    return {loss.episode: loss for loss, _ in found}, usage
