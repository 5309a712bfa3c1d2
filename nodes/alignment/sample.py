"""``sample``: which episodes a round learns from, and which ones prove what it has learned."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss
from personaagent.core.alignment_state import (
    BY_ITSELF,
    AlignmentContext,
    AlignmentState,
    Plan,
)
from personaagent.core.errors import ServiceError
from personaagent.core.records import Usage, new_id, now
from personaagent.core.tracing import describe
from personaagent.memory.profile import LabelledAt
from personaagent.memory.ranking import repeated_queries
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.simulator import Simulator, sources
from personaagent.nodes.alignment.strategies.methods import METHODS, SAMPLERS
from personaagent.nodes.dependencies import user_memory

LEAST_HELD_OUT = 2


async def sample(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """Begin a run, or its next round: the batch, the held-out episodes, and the scene of each.

    The held-out episodes stay the same for a run; what was in an earlier batch stays among those
    that a candidate must not harm. With few labels the sets shrink; with fewer than one for the
    batch and two held out the run ends with nothing changed. The thread is noted with all whose
    text it will hold, so that forgetting one of them finds it.
    """
    memory = user_memory(simulator.deps.memory, runtime)
    ended = not state["plan"] or bool(state["result"])
    waits = not ended and bool(state["stopped_by"])
    if state["trigger"] in BY_ITSELF and (waits or not await memory.unaligned.due(1)):
        return _left(waits or ended)
    begun = (
        await _begin(runtime, simulator, memory, state["trigger"] or "again")
        if state["trigger"] or ended
        else {}
    )
    run: Any = {**state, **begun} | ({"usage": Usage().stored()} if begun else {})
    plan = Plan.model_validate(run["plan"])
    describe(persona_version=run["from_version"], trigger=plan.trigger)
    budget = await simulator.budget(run, memory)
    least = LEAST_HELD_OUT if METHODS[plan.mode].acceptance.needs_holdout else 0
    pool = await memory.profile.labelled()
    last_losses = _last_losses(state, pool)
    begun = begun | {"last_losses": last_losses}
    batch, holdout = await _sets(run, plan, pool, least, memory, last_losses)
    if not batch or len(holdout) < least:
        are = "labelled episode is" if len(pool) == 1 else "labelled episodes are"
        few = (
            f"{len(pool)} {are} too few to learn from: correct or accept at least "
            f"{1 + least} answers first."
        )
        return begun | {"stopped_by": "labels", "warnings": [*run["warnings"], few]}
    seen = [
        each for each in dict.fromkeys(run["earlier_batches"] + run["batch"]) if each not in batch
    ]
    new = [each for each in [*batch, *holdout] if each not in run["episode_contexts"]]
    episode_contexts = run["episode_contexts"] | await _scenes(
        new, holdout, plan, simulator, memory, runtime
    )
    if runtime.execution_info and (thread := runtime.execution_info.thread_id):
        await memory.conversations.note(thread, sources(episode_contexts), key=plan.run)
    return begun | {
        "round": run["round"] + 1,
        "batch": batch,
        "holdout": holdout,
        "earlier_batches": seen,
        "episode_contexts": episode_contexts,
        "stopped_by": budget.exhausted() or "",
    }


def _left(as_it_is: bool) -> dict[str, Any]:
    """What a run that nobody asked for leaves, where nothing is new, or where what the last one
    proposes waits for the user's word, and is asked again. One that broke off is not gone on with."""
    return {"trigger": ""} | ({} if as_it_is else {"plan": {}})


async def _begin(
    runtime: Runtime[AlignmentContext], simulator: Simulator, memory: UserMemory, trigger: str
) -> dict[str, Any]:
    """A new run: nothing of an earlier one is left in the state but the last losses, in numbers."""
    await memory.spending.delete_past()
    persona = await memory.personas.current()
    settings = simulator.deps.settings
    context = runtime.context or AlignmentContext()  # a server knows the user without
    plan = Plan.of(context, settings, run=new_id(), trigger=trigger, at=now().isoformat())
    rules = [rule.stored() for rule in persona.rules]
    return {
        "trigger": "",
        "plan": plan.stored(),
        "from_version": persona.version,
        "initial_rules": rules,
        "rules": rules,
        "accepted_history": [],
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


def _last_losses(state: AlignmentState, pool: Sequence[LabelledAt]) -> dict[str, float]:
    """The last loss of each episode of ``pool`` that was ever scored."""
    now = {id: Loss.model_validate(each).loss for id, each in state["losses"].items()}
    known = state["last_losses"] | {id: loss for id, loss in now.items() if loss is not None}
    return {each.id: known[each.id] for each in pool if each.id in known}


async def _sets(
    run: Any,
    plan: Plan,
    pool: Sequence[LabelledAt],
    least: int,
    memory: UserMemory,
    last_losses: dict[str, float],
) -> tuple[list[str], list[str]]:
    """The batch of this round, and the held-out episodes of the run."""
    labelled = {each.id for each in pool}
    holdout = [each for each in run["holdout"] if each in labelled]
    choice = [each for each in pool if each.id not in holdout]
    model_slots = len(choice) if holdout else len(choice) - least
    batch = await SAMPLERS[plan.sampling].pick(
        choice,
        max(0, min(plan.batch, model_slots)),
        plan=plan,
        memory=memory,
        last_losses=last_losses,
    )
    if least and run["round"] == 0:
        rest = await _others([each for each in choice if each.id not in batch], batch, memory)
        holdout = stratified(rest, plan.holdout)
    return batch, holdout


async def _others(
    rest: Sequence[LabelledAt], batch: Sequence[str], memory: UserMemory
) -> list[LabelledAt]:
    """Those that ask something else than the batch does: the same question proves nothing."""
    learned, others = await asyncio.gather(
        memory.episodes.find(batch), memory.episodes.find([each.id for each in rest])
    )
    same = repeated_queries({each.id: each.query for each in others}, [e.query for e in learned])
    return [each for each in rest if each.id not in same]


def stratified(pool: Iterable[LabelledAt], most: int) -> list[str]:
    """The ids of at most ``most`` of ``pool``, newest first, one of each task in turn."""
    tasks: dict[str | None, list[str]] = defaultdict(list)
    for each in pool:
        tasks[each.task].append(each.id)
    turns = zip_longest(*tasks.values())
    return [each for turn in turns for each in turn if each is not None][:most]


async def _scenes(
    new: Sequence[str],
    holdout: Sequence[str],
    plan: Plan,
    simulator: Simulator,
    memory: UserMemory,
    runtime: Runtime[AlignmentContext],
) -> dict[str, Any]:
    """The scenes of these episodes.

    What is held out is hidden from the scenes of the others, so that no candidate is built from it.
    All queries are embedded at once, which is cheaper than one by one in the recall of each.
    """
    episodes = await memory.episodes.find(new)
    settings = simulator.deps.settings
    if settings.top_k and settings.recall_mode != "bm25":
        with suppress(ServiceError):  # recall asks once more, and says what it means
            await memory.indexer.embedder.embed([each.query for each in episodes])
    unseen = frozenset(holdout)
    found = await asyncio.gather(
        *(
            simulator.scene(e, frozenset() if e.id in unseen else unseen, plan, memory, runtime)
            for e in episodes
        )
    )
    return {e.id: scene.stored() for e, scene in zip(episodes, found, strict=True)}
