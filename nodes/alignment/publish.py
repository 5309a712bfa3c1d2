"""``publish``: what was proved becomes the next version of the persona."""

import asyncio
from datetime import datetime
from typing import Any, cast

from langgraph.runtime import Runtime

from personaagent.core.alignment import Alignment, Loss, Round, StoppedBy
from personaagent.core.alignment_state import (
    BY_ITSELF,
    AlignmentContext,
    AlignmentState,
)
from personaagent.core.errors import Conflict
from personaagent.core.prometheus import ALIGNMENTS
from personaagent.core.records import Pair, Persona, Proof, Rule, Usage
from personaagent.core.tracing import describe
from personaagent.nodes.alignment.approval import approved
from personaagent.nodes.alignment.evaluator import Evaluator, evaluator_of, merge
from personaagent.nodes.alignment.simulator import Simulator, sources
from personaagent.nodes.alignment.strategies.gates import change
from personaagent.nodes.alignment.strategies.methods import METHODS
from personaagent.nodes.alignment.webhook import tell_webhook


async def publish(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """End the run: publish its rules, if they are others than it began with, and say what it did.

    The persona that the run began with, and each that was taken since, is a rival to the end: where
    rules are to be proved, those are published that do best on all that was simulated, batches and
    held-out together. A persona that was changed meanwhile is never overwritten, and nothing is
    published that was learned from what the user no longer says. A run that was killed here
    publishes once.
    """
    trial = await evaluator_of(state, runtime, simulator)
    plan = trial.plan
    before = [Rule.model_validate(each) for each in state["initial_rules"]]
    after = [Rule.model_validate(each) for each in state["rules"]]
    pairs: list[Pair] = []
    spent_here = Usage()
    version, warnings = state["from_version"], state["warnings"]
    stopped_by = cast(StoppedBy, state["stopped_by"])
    try:
        if after != before:
            _check_labels(trial)
        if after != before and METHODS[plan.mode].acceptance.needs_holdout:
            after, pairs, spent_here = await _best(trial, state, before)
        if after != before and not plan.dry_run:
            proof = Proof(run=plan.run, mode=plan.mode, gradient=_gradients(state), pairs=pairs)
            episode_contexts, thread = sources(state["episode_contexts"]), _thread(runtime)
            published = await _publish(
                trial, version, before, after, proof, episode_contexts, thread
            )
            if published:
                version, after, pairs = published.version, published.rules, _pairs(published)
                if plan.trigger in BY_ITSELF and not plan.approve:
                    await trial.memory.notices.add(version, _news(published))
                await tell_webhook(simulator.deps.settings, trial.memory.store.key, published)
    except Conflict as conflict:
        stopped_by, warnings = "conflict", [*warnings, f"Nothing was published: {conflict}"]
    learned = stopped_by == "no loss" or (state["rounds"] and stopped_by != "conflict")
    if learned and not plan.dry_run:
        await trial.memory.unaligned.clear_until(datetime.fromisoformat(plan.started_at))
    if not plan.dry_run:
        ALIGNMENTS.labels("refused" if version == state["from_version"] else "accepted").inc()
    describe(
        trigger=plan.trigger,
        from_version=state["from_version"],
        to_version=version,
        stopped_by=stopped_by,
    )
    result = Alignment(
        user_id=trial.memory.user_id,
        mode=plan.mode,
        rounds=[Round.model_validate(each) for each in state["rounds"]],
        from_version=state["from_version"],
        to_version=version,
        stopped_by=stopped_by,
        rules_before=before,
        rules_after=after,
        pairs=pairs,
        usage=_usage(state, spent_here),
        seconds=round(trial.budget.spent().seconds, 3),
        warnings=warnings,
    )
    return {
        "stopped_by": stopped_by,
        "usage": spent_here.stored(),
        "gate_usage": spent_here.stored(),
        "result": result.stored(),
    }


def _check_labels(trial: Evaluator) -> None:
    """Raise Conflict if an episode that the run learned from is not what it was."""
    if trial.episode_contexts.keys() - trial.known.keys():
        raise Conflict(
            "an episode of the run was forgotten meanwhile, or the user says otherwise of it by now: "
            "align again."
        )


async def _best(
    trial: Evaluator, state: AlignmentState, before: list[Rule]
) -> tuple[list[Rule], list[Pair], Usage]:
    """The best persona of the run on all of its episodes, the losses that say so, and the cost.

    Of those that are equal it is the earliest. Of all that was simulated there is none to pay for:
    only ``hardest``, whose batches change, leaves something to simulate.
    """
    every = state["batch"] + state["earlier_batches"] + state["holdout"]
    taken = [[Rule.model_validate(each) for each in rules] for rules in state["accepted_history"]]
    was, *found = await asyncio.gather(*(trial.of(rules, every) for rules in [before, *taken]))
    usage = merge([was, *found]).usage
    changes = [change(was.losses, each.losses, every) for each in found]
    best = changes.index(min(changes))
    if changes[best] >= 0:
        return before, [], usage
    now = found[best].losses
    pairs = [
        _pair(was.losses[each], now[each], each in state["holdout"])
        for each in every
        if each in was.losses and each in now
    ]
    return taken[best], pairs, usage


def _pair(before: Loss, after: Loss, held_out: bool) -> Pair:
    return Pair(
        episode=before.episode,
        part="holdout" if held_out else "batch",
        before=before.loss,
        after=after.loss,
        before_answer=before.simulated,
        after_answer=after.simulated,
    )


async def _publish(
    trial: Evaluator,
    parent: int,
    before: list[Rule],
    after: list[Rule],
    proof: Proof,
    episode_ids: set[str],
    thread: str | None,
) -> Persona | None:
    """The version that the rules become; None where the user, who is asked, does not want them.

    What they edited is theirs: it was not proved.

    Raises:
        Conflict: the persona, or the evidence of a rule, is not there as it was.
    """
    personas = trial.memory.personas
    current = await personas.current()
    if current.proof and current.proof.run == proof.run:
        return current
    rules: list[Rule] | None = after
    if trial.plan.approve and current.version == parent:
        rules = await approved(trial.memory, parent, before, after, proof.pairs, thread)
    if rules is None:
        return None
    own = rules != after
    if own:
        proof = proof.model_copy(update={"gradient": "", "pairs": []})
    return await personas.publish(
        rules,
        author="user" if own else "alignment",
        note="what alignment proposed, edited" if own else _note(proof),
        parent=parent,
        proof=proof,
        sources=episode_ids,
        labels={episode: scene.wanted for episode, scene in trial.episode_contexts.items()},
    )


def _pairs(persona: Persona) -> list[Pair]:
    return persona.proof.pairs if persona.proof else []


def _thread(runtime: Runtime[AlignmentContext]) -> str | None:
    return runtime.execution_info.thread_id if runtime.execution_info else None


def _news(persona: Persona) -> str:
    """What the user, who was not there, is told with the next answer; no word of their memory."""
    proof = persona.proof
    losses = f" ({_losses(proof)})" if proof and _losses(proof) else ""
    return (
        f"Version {persona.version} of your persona speaks, learned from what you wanted{losses}."
    )


def _losses(proof: Proof) -> str:
    deps = {"batch": proof.losses("batch"), "held out": proof.losses("holdout")}
    shown = [f"{name} {loss[0]:.2f} -> {loss[1]:.2f}" for name, loss in deps.items() if loss]
    return f"loss {', '.join(shown)}" if shown else ""


def _note(proof: Proof) -> str:
    return f"{proof.mode}: {_losses(proof) or 'not proved'}"


def _gradients(state: AlignmentState) -> str:
    return "\n".join(each["gradient"] for each in state["rounds"] if each["accepted"])


def _usage(state: AlignmentState, spent_here: Usage) -> dict[str, Any]:
    gate = Usage.model_validate(state["gate_usage"]) + spent_here
    merge = Usage.model_validate(state["usage"]) + spent_here
    return merge.summed() | {"cached": state["cached"], "gate": gate.summed()}
