"""``critique``: the losses of the batch become a textual gradient."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.nodes.alignment.case import case_of
from personaagent.nodes.alignment.strategies.methods import METHODS
from personaagent.nodes.parts import Parts


async def critique(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, parts: Parts
) -> dict[str, Any]:
    """How the persona should change (paper: the textual gradient).

    Raises:
        ServiceError, ConfigurationError: the critic cannot be asked.
    """
    case = await case_of(state, runtime, parts)
    critic = METHODS[Plan.model_validate(state["plan"]).mode].critic
    gradient = await critic.critique(case)
    return {
        "gradient": gradient.text,
        "points": [point.stored() for point in gradient.points],
        "usage": gradient.usage.stored(),
    }
