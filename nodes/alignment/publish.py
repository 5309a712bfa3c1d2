"""``publish``: ends a run, and publishes the persona that it has proved."""

from datetime import datetime
from typing import Any, cast

from langgraph.runtime import Runtime

from personaagent.core.alignment import Alignment, StoppedBy
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.core.errors import Conflict
from personaagent.core.prometheus import ALIGNMENTS
from personaagent.core.records import Persona
from personaagent.core.tracing import describe
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.announce import announce, announce_refusals
from personaagent.nodes.alignment.evaluator import Evaluator, build_evaluator
from personaagent.nodes.alignment.new_version import publish_version
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.all import STRATEGIES
from personaagent.nodes.alignment.strategies.protocols import FinalPersona
from personaagent.nodes.current_user import aligned_memory


async def publish(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """End the run: publish its persona if it differs from the initial one, and report the result.

    The strategy's gate chooses the persona among all that the run has seen. A persona that changed
    meanwhile is never overwritten, and nothing is published that was learned from a label which the
    user has changed since. A run that was killed here publishes once.
    """
    settings = simulator.deps.settings
    run = AlignmentRun.from_state(state, settings)
    memory = aligned_memory(simulator.deps.memory, runtime, state)
    evaluator = await build_evaluator(run, memory, simulator)
    final, published, conflict = FinalPersona(run.rules, run.weights), None, None
    try:
        final = await _final_persona(run, evaluator)
        changed = (final.rules, final.weights) != (run.initial_rules, run.initial_weights)
        if changed and not run.plan.dry_run:
            published = await publish_version(run, final, memory, _thread(runtime))
    except Conflict as error:
        conflict = error
    if published:
        new_weights = [each for each in published.weights if each not in run.initial_weights]
        await announce(published, run.initial_rules, new_weights, run.plan, memory, settings)
    result = _result(run, final, published, conflict, evaluator)
    await announce_refusals(result, run.plan, memory)
    await _finish(run, result, memory)
    usage = final.usage.stored()
    return {
        "stopped_by": result.stopped_by,
        "usage": usage,
        "gate_usage": usage,
        "result": result.stored(),
    }


async def _final_persona(run: AlignmentRun, evaluator: Evaluator) -> FinalPersona:
    """The persona that the gate chooses.

    Raises:
        Conflict: an episode that the run learned from was forgotten, or labelled anew.
    """
    if not run.changed:
        return FinalPersona(run.rules, run.weights)
    if run.episode_contexts.keys() - evaluator.episodes_by_id.keys():
        raise Conflict(
            "an episode of the run was forgotten in the meantime, or its label has changed: "
            "align again."
        )
    return await STRATEGIES[run.plan.mode].gate.final_persona(run, evaluator)


def _result(
    run: AlignmentRun,
    final: FinalPersona,
    published: Persona | None,
    conflict: Conflict | None,
    evaluator: Evaluator,
) -> Alignment:
    usage, gate_usage = run.usage + final.usage, run.gate_usage + final.usage
    proved_pairs = published.proof.pairs if published and published.proof else []
    return Alignment(
        user_id=evaluator.memory.user_id,
        mode=run.plan.mode,
        rounds=run.rounds,
        from_version=run.from_version,
        to_version=published.version if published else run.from_version,
        stopped_by="conflict" if conflict else cast(StoppedBy, run.stopped_by),
        rules_before=run.initial_rules,
        rules_after=published.rules if published else final.rules,
        weights_before=run.initial_weights,
        weights_after=published.weights if published else final.weights,
        pairs=proved_pairs if published else final.pairs,
        usage=usage.summed() | {"cached": run.cached, "gate": gate_usage.summed()},
        seconds=round(evaluator.budget.spent().seconds, 3),
        refused=[line.removeprefix("- ") for line in dict.fromkeys(run.refused)],
        warnings=run.warnings + ([f"Nothing was published: {conflict}"] if conflict else []),
    )


async def _finish(run: AlignmentRun, result: Alignment, memory: UserMemory) -> None:
    """Mark the labels as learned, count the run, and describe it in the trace."""
    learned = result.stopped_by == "no loss" or (run.rounds and result.stopped_by != "conflict")
    if learned and not run.plan.dry_run:
        await memory.unaligned.clear_until(datetime.fromisoformat(run.plan.started_at))
    if not run.plan.dry_run:
        accepted = result.to_version != run.from_version
        ALIGNMENTS.labels("accepted" if accepted else "refused").inc()
    describe(
        trigger=run.plan.trigger,
        from_version=result.from_version,
        to_version=result.to_version,
        stopped_by=result.stopped_by,
    )


def _thread(runtime: Runtime[AlignmentContext]) -> str | None:
    return runtime.execution_info.thread_id if runtime.execution_info else None
