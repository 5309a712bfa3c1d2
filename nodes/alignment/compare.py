"""``compare``: the loss of each simulated answer against what the user wanted."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.core.counting import counted
from personaagent.core.errors import ModelError
from personaagent.nodes.alignment.evaluator import EvalResult, Evaluator, build_evaluator
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.all import STRATEGIES
from personaagent.nodes.alignment.weight_candidates import decisions_of
from personaagent.nodes.current_user import aligned_memory


async def compare(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """The loss of each episode of the round; a run ends if its batch has no loss left, and no other
    episode shows that weights could do better.

    No judge is paid for if the gate proves nothing by the losses.

    Raises:
        ModelError: the models failed for more than half of the episodes; nothing is changed.
        ConfigurationError: the judge cannot be asked at all.
    """
    run = AlignmentRun.from_state(state, simulator.deps.settings)
    proves = STRATEGIES[run.plan.mode].gate.needs_holdout
    memory = aligned_memory(simulator.deps.memory, runtime, state)
    evaluator = await build_evaluator(run, memory, simulator, uses_judge=proves)
    batch = await _score(evaluator, run.batch)
    others = await _score(evaluator, run.holdout + run.earlier_batches)
    result = EvalResult.merge([batch, others])
    run = run.model_copy(update={"losses": run.losses | result.losses})
    exhausted = evaluator.budget.exhausted()
    if not exhausted:
        _check_scored(result.losses)
    return {
        "losses": {episode_id: loss.stored() for episode_id, loss in result.losses.items()},
        "usage": result.usage.stored(),
        "gate_usage": others.usage.stored(),
        "stopped_by": exhausted or ("no loss" if proves and not _can_learn(run) else ""),
    }


async def _score(evaluator: Evaluator, episode_ids: Sequence[str]) -> EvalResult:
    simulated = evaluator.run.simulated
    return await evaluator.score({id: simulated[id] for id in episode_ids if id in simulated})


def _check_scored(losses: Mapping[str, Loss]) -> None:
    unscored = [loss for loss in losses.values() if loss.score is None]
    if 2 * len(unscored) > len(losses):
        raise ModelError(
            f"{len(unscored):,} of {counted(len(losses), 'episode')} could not be simulated and "
            f"judged, so that nothing was changed; the first reason: {unscored[0].why}"
        )


def _can_learn(run: AlignmentRun) -> bool:
    return run.has_loss(run.batch) or run.has_loss([*decisions_of(run, run.episode_ids)])
