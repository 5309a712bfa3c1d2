"""``gate``: a candidate becomes the persona only if the strategy's gate accepts it.

The rule itself is in ``strategies/held_out_gate.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss, Round
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.nodes.alignment.evaluator import build_evaluator
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.all import STRATEGIES
from personaagent.nodes.alignment.strategies.protocols import Verdict
from personaagent.nodes.current_user import aligned_memory

MOST_STALE_ROUNDS = 2
"""Rounds in a row without an accepted edit, after which a run ends."""
REFUSED_EDITS_KEPT = 24
"""Refused edits that the editor sees, the latest."""


async def gate(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """The verdict on the candidates, and whether the run ends.

    Raises:
        ConfigurationError: the models cannot be asked at all.
    """
    run = AlignmentRun.from_state(state, simulator.deps.settings)
    memory = aligned_memory(simulator.deps.memory, runtime, state)
    evaluator = await build_evaluator(run, memory, simulator)
    verdict = await STRATEGIES[run.plan.mode].gate.decide(run, evaluator)
    stale_rounds = 0 if verdict.accepted else run.stale_rounds + 1
    return _accepted(run, verdict) | {
        "stale_rounds": stale_rounds,
        "refused": (run.refused + verdict.refused)[-REFUSED_EDITS_KEPT:],
        "rounds": [*state["rounds"], _round(run, verdict).stored()],
        "usage": verdict.usage.stored(),
        "gate_usage": verdict.usage.stored(),
        "cached": verdict.cached,
        "stopped_by": evaluator.budget.exhausted() or _stopped_by(run, stale_rounds),
    }


def _accepted(run: AlignmentRun, verdict: Verdict) -> dict[str, Any]:
    """The update that makes the best candidate the persona, if it is accepted."""
    if not verdict.accepted or verdict.best is None:
        return {}
    personas = [*run.personas[1:], run.persona_of(verdict.best)]
    weights = [[each.stored() for each in persona.weights] for persona in personas]
    rules = [[rule.stored() for rule in persona.rules] for persona in personas]
    return {
        "weights": weights[-1],
        "accepted_weights": weights,
        "accepted_left_out": [
            {id: each.stored() for id, each in persona.left_out.items()} for persona in personas
        ],
        "rules": rules[-1],
        "accepted_history": rules,
        "losses": {id: loss.stored() for id, loss in verdict.losses_after.items()},
    }


def _round(run: AlignmentRun, verdict: Verdict) -> Round:
    return Round(
        losses_before=_losses_of(run.batch, run.losses),
        losses_after=_losses_of(run.batch, verdict.losses_after),
        holdout_before=_losses_of(run.holdout, run.losses),
        holdout_after=_losses_of(run.holdout, verdict.losses_after),
        gradient=run.gradient,
        edits=verdict.best.operations if verdict.best else [],
        weights=verdict.best.weights if verdict.best else None,
        accepted=verdict.accepted,
        reason=verdict.reason,
    )


def _losses_of(ids: Sequence[str], losses: Mapping[str, Loss]) -> dict[str, float | None]:
    return {episode_id: losses[episode_id].loss for episode_id in ids if episode_id in losses}


def _stopped_by(run: AlignmentRun, stale_rounds: int) -> str:
    proves = STRATEGIES[run.plan.mode].gate.needs_holdout
    if proves and not run.has_loss(run.batch):
        return "no loss"
    if proves and stale_rounds >= MOST_STALE_ROUNDS:
        return "no improvement"
    return "rounds" if run.round >= run.plan.rounds else ""
