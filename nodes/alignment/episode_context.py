"""What the agent has before it when it answers an episode's query again, and what is hidden then."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from personaagent.core.alignment import EpisodeContext
from personaagent.core.alignment_state import AlignmentPlan
from personaagent.core.audience import audience_message
from personaagent.core.errors import IndexUnavailable, ServiceError
from personaagent.core.records import Episode
from personaagent.core.states import AgentContext, SimulatedContext
from personaagent.memory.ranking import same_query
from personaagent.memory.recall import PATIENCE
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.question import kind_of_choice, question
from personaagent.nodes.agent.recall import recall
from personaagent.nodes.dependencies import Dependencies

ATTEMPTS = 3


async def build_episode_contexts(
    episode_ids: Sequence[str],
    holdout: Sequence[str],
    plan: AlignmentPlan,
    memory: UserMemory,
    runtime: Runtime[Any],
    deps: Dependencies,
    *,
    others: int = 0,
) -> dict[str, EpisodeContext]:
    """Build the contexts of these episodes, by id.

    Forgotten episodes are left out, and those for which nothing can be recalled now. Held-out
    episodes are hidden from the contexts of the others, so that no candidate is built from them. All
    queries are embedded in one call, which costs less than one call in each recall.

    Raises:
        IndexUnavailable: nothing can be recalled for any of them, and there are no ``others``.
    """
    episodes = await memory.episodes.find(episode_ids)
    if deps.settings.top_k and deps.settings.recall_mode != "bm25":
        with suppress(ServiceError):  # recall tries again, and reports it
            await memory.indexer.embedder.embed([episode.query for episode in episodes])
    held_out = frozenset(holdout)

    async def build(episode: Episode) -> EpisodeContext | IndexUnavailable:
        hidden = frozenset() if episode.id in held_out else held_out
        try:
            return await build_episode_context(episode, hidden, plan, memory, runtime, deps)
        except IndexUnavailable as error:
            return error

    results = await asyncio.gather(*map(build, episodes))
    failures = [each for each in results if isinstance(each, IndexUnavailable)]
    if failures and len(failures) == len(results) and not others:
        raise failures[0]
    return {
        episode.id: result
        for episode, result in zip(episodes, results, strict=True)
        if isinstance(result, EpisodeContext)
    }


async def build_episode_context(
    episode: Episode,
    hidden: frozenset[str],
    plan: AlignmentPlan,
    memory: UserMemory,
    runtime: Runtime[Any],
    deps: Dependencies,
) -> EpisodeContext:
    """Recall for the episode's query what the agent itself would recall.

    The agent sees neither the episode, nor others that ask the same, nor those in ``hidden``, nor,
    if the plan is causal, any that came later.

    Raises:
        IndexUnavailable: nothing can be recalled now, and without memory nothing can be proved.
    """
    hidden |= {episode.id}
    turn: Any = {"messages": [HumanMessage(episode.query)]}
    context = simulated_context(episode, hidden, plan, memory.user_id)
    begun = await _begun(turn, runtime.override(context=context), deps)
    queries = {recalled["id"]: recalled["query"] for recalled in begun["recalled"]}
    differing = (await memory.recaller.instructions()).differing
    same = {id for id, query in queries.items() if same_query(query, episode.query, differing)}
    return EpisodeContext(
        wanted=episode.ground_truth or "",
        hidden=sorted(hidden | same),
        recalled=[recalled_id for recalled_id in queries if recalled_id not in same],
        profile=begun["profile"],
        choice=kind_of_choice(begun),
        open=begun["question"] is None and hidden >= same,  # with less to see it may be another
    )


async def _begun(turn: Any, runtime: Runtime[AgentContext], deps: Dependencies) -> Any:
    """The state after ``recall`` and ``question``.

    Nobody waits for it, so what fails is tried again, after a pause.
    """
    warnings: list[str] = []
    for attempt in range(ATTEMPTS):
        await asyncio.sleep(attempt * deps.settings.recall_timeout / 5)
        async with deps.recall_slots:  # waiting here does not count towards recall's own time limit
            begun, warnings = await _begin(turn, runtime, deps)
        if not warnings:
            return begun
    raise IndexUnavailable(f"Nothing can be proved without memory: try again. {' '.join(warnings)}")


async def _begin(
    turn: Any, runtime: Runtime[AgentContext], deps: Dependencies
) -> tuple[Any, list[str]]:
    begun = turn | await recall(turn, runtime, deps=deps)
    if begun["warnings"]:
        return begun, begun["warnings"]
    seconds = PATIENCE * deps.settings.recall_timeout
    try:
        async with asyncio.timeout(seconds):
            return begun | await question(turn, runtime, deps=deps), []
    except TimeoutError:
        return begun, [f"The nearest labels took over {seconds:g} s and were given up."]
    except (IndexUnavailable, ServiceError) as error:
        return begun, [audience_message(error)]


def simulated_context(
    episode: Episode, hidden: Iterable[str], plan: AlignmentPlan, user_id: str
) -> SimulatedContext:
    """The run context under which the agent answers the episode's query again."""
    before = episode.created_at if plan.causal else None
    return SimulatedContext(
        user_id=user_id, task=episode.task, hidden=frozenset(hidden), before=before
    )


def still_valid(
    episodes: Iterable[Episode], contexts: Mapping[str, EpisodeContext]
) -> dict[str, Episode]:
    """The episodes by id, without those that are discarded, or whose label is no longer what their
    context says."""
    return {
        episode.id: episode
        for episode in episodes
        if not episode.discarded
        and (episode.id not in contexts or episode.ground_truth == contexts[episode.id].wanted)
    }
