"""``critique``: the losses of the batch become a textual gradient."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss, Round
from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.core.records import Usage
from personaagent.nodes.alignment.critique_input import critique_input
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.methods import METHODS


async def critique(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """How the persona should change (paper: the textual gradient).

    It stays as it is where the round before has changed nothing that the critic would be shown. A
    run whose budget is spent ends here.

    Raises:
        ServiceError, ConfigurationError: the critic cannot be asked.
    """
    if state["gradient"] and _seen_before(state):
        return {"usage": Usage().stored()}
    case = await critique_input(state, runtime, simulator.deps)
    budget = await simulator.budget(state, case.memory)
    if spent := budget.exhausted():
        return {"stopped_by": spent}
    critic = METHODS[Plan.model_validate(state["plan"]).mode].critic
    gradient = await critic.critique(case)
    await budget.spend(gradient.usage)
    return {
        "gradient": gradient.text,
        "points": [point.stored() for point in gradient.points],
        "usage": gradient.usage.stored(),
    }


def _seen_before(state: AlignmentState) -> bool:
    """Whether the last round left the rules, and this one has the same batch and losses."""
    if state["stale_rounds"] == 0:
        return False
    losses = {each: state["losses"].get(each) for each in state["batch"]}
    now = {each: Loss.model_validate(loss).loss for each, loss in losses.items() if loss}
    seen: bool = Round.model_validate(state["rounds"][-1]).losses_before == now
    return seen
