"""``update``: the gradient becomes candidates for the next persona."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.core.errors import LimitReached
from personaagent.models.metering import metered
from personaagent.nodes.alignment.critique_input import build_critique_input
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.all import STRATEGIES
from personaagent.nodes.alignment.strategies.protocols import Gradient
from personaagent.nodes.current_user import aligned_memory


async def update(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """Candidates for the next persona; none without a gradient.

    A run whose budget is exhausted ends here.

    Raises:
        ServiceError, ConfigurationError: the editor cannot be asked.
    """
    run = AlignmentRun.from_state(state, simulator.deps.settings)
    if not run.gradient:
        return {"candidates": []}
    memory = aligned_memory(simulator.deps.memory, runtime, state)
    critique_input = await build_critique_input(run, memory, simulator.deps)
    budget = await simulator.budgets.of_run(run.plan, run.usage, memory.spending)
    editor = STRATEGIES[run.plan.mode].editor
    try:
        with metered(budget):
            proposed = await editor.propose(critique_input, Gradient(run.gradient, run.points))
    except LimitReached as reached:
        return {"stopped_by": reached.limit}
    return {
        "candidates": [candidate.stored() for candidate in proposed.candidates],
        "refused": run.refused + proposed.refused,
        "usage": proposed.usage.stored(),
    }
