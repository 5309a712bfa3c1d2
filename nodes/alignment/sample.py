"""``sample``: begins a run or its next round, and draws the episodes that it works on."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from langgraph.runtime import Runtime

from personaagent.core.alignment import EpisodeContext, Loss
from personaagent.core.alignment_run import AlignmentRun, apply_update
from personaagent.core.alignment_state import AlignmentContext, AlignmentState
from personaagent.core.counting import counted
from personaagent.core.errors import IndexUnavailable
from personaagent.core.tracing import describe
from personaagent.memory.profile import LabelledAt
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.begin_run import is_due, is_wanted, new_run, unwanted_run
from personaagent.nodes.alignment.draw_sets import draw_sets, least_held_out
from personaagent.nodes.alignment.episode_context import build_episode_contexts
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.current_user import aligned_memory
from personaagent.nodes.dependencies import Dependencies

DRAWS = 3
"""So often a round draws, if for some of what it drew nothing can be recalled."""


async def sample(
    state: AlignmentState, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """Begin a run, or its next round: the batch, the held-out episodes, and their contexts.

    The held-out episodes stay the same for a run. Episodes of earlier batches stay among those that
    a candidate must not harm. With fewer labels than one for the batch and two to hold out, the run
    ends without a change.
    """
    deps = simulator.deps
    memory = aligned_memory(deps.memory, runtime, None if is_due(state) else state)
    if not await is_wanted(state, memory):
        return unwanted_run(state)
    begun = await new_run(state, runtime, deps.settings, memory) if is_due(state) else {}
    labelled = await memory.profile.labelled()
    begun["last_losses"] = _last_losses(state, labelled)
    run = AlignmentRun.from_state(apply_update(state, begun), deps.settings)
    describe(persona_version=run.from_version, trigger=run.plan.trigger)
    budget = await simulator.budgets.of_run(run.plan, run.usage, memory.spending)
    drawn = await _draw(run, labelled, memory, runtime, deps)
    if drawn is None:
        warning = _too_few(len(labelled), 1 + least_held_out(run.plan))
        return begun | {"stopped_by": "labels", "warnings": [*run.warnings, warning]}
    batch, holdout, contexts, left_out = drawn
    run = run.model_copy(update={"episode_contexts": contexts})
    await _note_thread(run, runtime, memory)
    return begun | {
        "round": run.round + 1,
        "batch": batch,
        "holdout": holdout,
        "earlier_batches": _without(batch, run.earlier_batches + run.batch),
        "episode_contexts": {id: context.stored() for id, context in contexts.items()},
        "stopped_by": budget.exhausted() or "",
        "warnings": [*run.warnings, *_left_out(left_out, run.round + 1)],
    }


class _Drawn(NamedTuple):
    """What a round works on; ``left_out`` episodes it would have, if something were recalled for
    them."""

    batch: list[str]
    holdout: list[str]
    contexts: dict[str, EpisodeContext]
    left_out: int


async def _draw(
    run: AlignmentRun,
    labelled: Sequence[LabelledAt],
    memory: UserMemory,
    runtime: Runtime[AlignmentContext],
    deps: Dependencies,
) -> _Drawn | None:
    """Draw the sets, with a context for each episode; None with too few labels.

    In place of those for which nothing can be recalled, others are drawn.

    Raises:
        IndexUnavailable: it is not for single ones that nothing can be recalled.
    """
    contexts, left_out = dict(run.episode_contexts), set[str]()
    for _ in range(DRAWS):
        usable = [each for each in labelled if each.id not in left_out]
        batch, holdout = await draw_sets(run, usable, memory)
        if not batch or len(holdout) < least_held_out(run.plan):
            break
        new_ids = _without(contexts, [*batch, *holdout])
        contexts |= await build_episode_contexts(
            new_ids, holdout, run.plan, memory, runtime, deps, others=len(contexts)
        )
        missing = _without(contexts, new_ids)
        if not missing:
            return _Drawn(batch, holdout, contexts, len(left_out))
        left_out |= {*missing}
    if left_out:
        raise IndexUnavailable("Too little can be recalled now to learn from it: try again.")
    return None


def _left_out(count: int, round: int) -> list[str]:
    if not count:
        return []
    episodes = "1 episode is" if count == 1 else f"{count} episodes are"
    return [f"{episodes} left out of round {round}: nothing could be recalled for them."]


def _last_losses(state: AlignmentState, labelled: Sequence[LabelledAt]) -> dict[str, float]:
    """The last loss of each labelled episode, from this run or an earlier one."""
    losses = dict(state["last_losses"])
    for episode_id, value in state["losses"].items():
        if (loss := Loss.model_validate(value).loss) is not None:
            losses[episode_id] = loss
    return {episode.id: losses[episode.id] for episode in labelled if episode.id in losses}


def _too_few(labelled: int, least: int) -> str:
    episodes = counted(labelled, "labelled episode is", "labelled episodes are")
    return (
        f"{episodes} too few to learn from: correct or accept at least "
        f"{counted(least, 'answer')} first."
    )


def _without(excluded: Collection[str], episode_ids: Sequence[str]) -> list[str]:
    """The distinct ids, in order, that are not ``excluded``."""
    return [id for id in dict.fromkeys(episode_ids) if id not in excluded]


async def _note_thread(
    run: AlignmentRun, runtime: Runtime[AlignmentContext], memory: UserMemory
) -> None:
    """Note with the thread all episodes whose text it will hold, so that forgetting one finds it."""
    if runtime.execution_info and (thread := runtime.execution_info.thread_id):
        await memory.conversations.note(thread, run.source_ids, key=run.plan.run)
