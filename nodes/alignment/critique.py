"""``critique``: the losses of the batch become a textual gradient."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.core.errors import LimitReached
from personaagent.core.records import Usage
from personaagent.models.metering import metered
from personaagent.nodes.alignment.critique_input import build_critique_input
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.all import STRATEGIES
from personaagent.nodes.current_user import aligned_memory


async def critique(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """How the persona should change (paper: the textual gradient).

    The gradient is kept if the critic would see the same as in the round before; it is empty where the
    batch has no loss. A run whose budget is exhausted ends here.

    Raises:
        ServiceError, ConfigurationError: the critic cannot be asked.
    """
    run = AlignmentRun.from_state(state, simulator.deps.settings)
    if run.gradient and _is_unchanged(run):
        return {"usage": Usage().stored()}
    strategy = STRATEGIES[run.plan.mode]
    if strategy.gate.needs_holdout and not run.has_loss(run.batch):
        return {"gradient": "", "points": []}
    memory = aligned_memory(simulator.deps.memory, runtime, state)
    critique_input = await build_critique_input(run, memory, simulator.deps)
    budget = await simulator.budgets.of_run(run.plan, run.usage, memory.spending)
    try:
        with metered(budget):
            gradient = await strategy.critic.critique(critique_input)
    except LimitReached as reached:
        return {"stopped_by": reached.limit}
    return {
        "gradient": gradient.text,
        "points": [point.stored() for point in gradient.points],
        "usage": gradient.usage.stored(),
    }


def _is_unchanged(run: AlignmentRun) -> bool:
    """Whether the last round left the rules, and this one has the same batch and losses."""
    if run.stale_rounds == 0:
        return False
    losses = {id: run.losses[id].loss for id in run.batch if id in run.losses}
    return run.rounds[-1].losses_before == losses
