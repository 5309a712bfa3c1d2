"""``gate``: only a candidate that is proved on the user's own history becomes the persona."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Candidate, Loss, Round
from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.nodes.alignment.evaluator import evaluator_of
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.methods import METHODS

PATIENCE = 2
"""Rounds in a row without an accepted edit, after which a run ends."""
REMEMBERED = 24
"""Refused edits that the editor is told of, the latest."""


async def gate(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """The verdict on the candidates, and whether there is to be another round.

    Raises:
        ConfigurationError: the models cannot be asked at all.
    """
    plan = Plan.model_validate(state["plan"])
    trial = await evaluator_of(state, runtime, simulator)
    before = {episode: Loss.model_validate(each) for episode, each in state["losses"].items()}
    acceptance = METHODS[plan.mode].acceptance
    verdict = await acceptance.judge(
        [Candidate.model_validate(each) for each in state["candidates"]],
        batch=state["batch"],
        holdout=state["holdout"],
        seen=state["earlier_batches"],
        before=before,
        trial=trial,
    )
    taken = verdict.best if verdict.accepted else None
    idle = 0 if taken else state["stale_rounds"] + 1
    done = Round(
        losses_before=_of(before, state["batch"]),
        losses_after=_of(verdict.after, state["batch"]),
        holdout_before=_of(before, state["holdout"]),
        holdout_after=_of(verdict.after, state["holdout"]),
        gradient=state["gradient"],
        edits=verdict.best.operations if verdict.best else [],
        accepted=verdict.accepted,
        reason=verdict.reason,
    )
    rules = [rule.stored() for rule in taken.rules] if taken else state["rules"]
    return {
        "rules": rules,
        "accepted_history": [*state["accepted_history"], rules]
        if taken
        else state["accepted_history"],
        "losses": {e: loss.stored() for e, loss in verdict.after.items()} if taken else {},
        "stale_rounds": idle,
        "refused": (state["refused"] + verdict.refused)[-REMEMBERED:],
        "rounds": [*state["rounds"], done.stored()],
        "usage": verdict.usage.stored(),
        "gate_usage": verdict.usage.stored(),
        "cached": verdict.cached,
        "stopped_by": trial.budget.exhausted()
        or ("no improvement" if idle >= PATIENCE and acceptance.needs_holdout else "")
        or ("rounds" if state["round"] >= plan.rounds else ""),
    }


def _of(losses: dict[str, Loss], episode_ids: list[str]) -> dict[str, float | None]:
    return {each: losses[each].loss for each in episode_ids if each in losses}
