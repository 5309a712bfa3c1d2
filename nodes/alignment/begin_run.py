"""Whether alignment begins a run, and the state that a new run begins with."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment_state import (
    AUTOMATIC_TRIGGERS,
    AlignmentContext,
    AlignmentPlan,
    AlignmentState,
)
from personaagent.core.records import new_id, now
from personaagent.core.settings import Settings
from personaagent.memory.user import UserMemory


async def is_wanted(state: AlignmentState, memory: UserMemory) -> bool:
    """Whether alignment has anything to do.

    A run that a user asks for has. One that a server triggers by itself has not if there are no
    new labels, or if the last run's proposal still waits for the user's approval.
    """
    if state["trigger"] not in AUTOMATIC_TRIGGERS:
        return True
    return not _awaits_approval(state) and await memory.unaligned.due(1)


def unwanted_run(state: AlignmentState) -> dict[str, Any]:
    """The update for a run that is not wanted.

    What has ended, or waits for approval (and is asked again), stays as it is. A run that broke off
    is dropped.
    """
    stays = _has_ended(state) or _awaits_approval(state)
    return {"trigger": ""} | ({} if stays else {"plan": {}})


def is_due(state: AlignmentState) -> bool:
    """Whether a new run is to begin, rather than the next round of the current one."""
    return bool(state["trigger"]) or _has_ended(state)


async def new_run(
    state: AlignmentState,
    runtime: Runtime[AlignmentContext],
    settings: Settings,
    memory: UserMemory,
) -> dict[str, Any]:
    """The update that begins a run; of an earlier one only ``last_losses`` stays in the state."""
    await memory.spending.delete_past()
    persona = await memory.personas.current()
    context = runtime.context or AlignmentContext()  # a server knows the user without one
    trigger = state["trigger"] or "again"
    plan = AlignmentPlan.of(context, settings, run=new_id(), trigger=trigger, at=now().isoformat())
    plan = plan.model_copy(update={"generation": await memory.store.begin()})
    rules = [rule.stored() for rule in persona.rules]
    weights = [each.stored() for each in persona.weights]
    return {
        "trigger": "",
        "plan": plan.stored(),
        "from_version": persona.version,
        "initial_rules": rules,
        "rules": rules,
        "accepted_history": [],
        "initial_weights": weights,
        "weights": weights,
        "accepted_weights": [],
        "accepted_left_out": [],
        "round": 0,
        "stale_rounds": 0,
        "batch": [],
        "holdout": [],
        "earlier_batches": [],
        "episode_contexts": {},
        "simulated": None,
        "losses": None,
        "gradient": "",
        "points": [],
        "candidates": [],
        "refused": [],
        "rounds": [],
        "usage": None,
        "gate_usage": None,
        "cached": None,
        "stopped_by": "",
        "warnings": [],
        "result": {},
    }


def _has_ended(state: AlignmentState) -> bool:
    return not state["plan"] or bool(state["result"])


def _awaits_approval(state: AlignmentState) -> bool:
    return not _has_ended(state) and bool(state["stopped_by"])
