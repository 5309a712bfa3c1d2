"""``update``: the gradient becomes candidates for the next persona."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Point
from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.nodes.alignment.critique_input import critique_input
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.methods import METHODS
from personaagent.nodes.alignment.strategies.protocols import Gradient


async def update(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """Candidates, none where there is no gradient to go by. A run whose budget is spent ends here.

    Raises:
        ServiceError, ConfigurationError: the editor cannot be asked.
    """
    if not state["gradient"]:
        return {"candidates": []}
    case = await critique_input(state, runtime, simulator.deps)
    budget = await simulator.budget(state, case.memory)
    if spent := budget.exhausted():
        return {"stopped_by": spent}
    editor = METHODS[Plan.model_validate(state["plan"]).mode].editor
    points = [Point.model_validate(each) for each in state["points"]]
    proposed = await editor.propose(case, Gradient(state["gradient"], points))
    await budget.spend(proposed.usage)
    return {
        "candidates": [each.stored() for each in proposed.candidates],
        "refused": state["refused"] + proposed.refused,
        "usage": proposed.usage.stored(),
    }
