"""What the agent has before it when it answers an episode's query again, and what is hidden then."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from personaagent.core.alignment import EpisodeContext
from personaagent.core.alignment_state import AlignmentPlan
from personaagent.core.errors import IndexUnavailable, ServiceError
from personaagent.core.records import Episode
from personaagent.core.states import SimulatedContext
from personaagent.memory.ranking import same_query
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.question import chooses_label, question
from personaagent.nodes.agent.recall import recall
from personaagent.nodes.dependencies import Dependencies


async def build_episode_contexts(
    episode_ids: Sequence[str],
    holdout: Sequence[str],
    plan: AlignmentPlan,
    memory: UserMemory,
    runtime: Runtime[Any],
    deps: Dependencies,
) -> dict[str, EpisodeContext]:
    """Build the contexts of these episodes, by id; forgotten episodes are left out.

    Held-out episodes are hidden from the contexts of the others, so that no candidate is built from
    them. All queries are embedded in one call, which costs less than one call in each recall.
    """
    episodes = await memory.episodes.find(episode_ids)
    if deps.settings.top_k and deps.settings.recall_mode != "bm25":
        with suppress(ServiceError):  # recall tries again, and reports it
            await memory.indexer.embedder.embed([episode.query for episode in episodes])
    held_out = frozenset(holdout)
    contexts = await asyncio.gather(
        *(
            build_episode_context(
                episode,
                frozenset() if episode.id in held_out else held_out,
                plan,
                memory,
                runtime,
                deps,
            )
            for episode in episodes
        )
    )
    return {episode.id: context for episode, context in zip(episodes, contexts, strict=True)}


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
    own_runtime = runtime.override(context=context)
    async with deps.recall_slots:  # waiting here does not count towards recall's own time limit
        recall_update = await recall(turn, own_runtime, deps=deps)
        question_update = await question(turn, own_runtime, deps=deps)
    if warnings := recall_update["warnings"]:
        raise IndexUnavailable(
            f"Nothing can be proved without memory: try again. {' '.join(warnings)}"
        )
    queries = {recalled["id"]: recalled["query"] for recalled in recall_update["recalled"]}
    same = {id for id, query in queries.items() if same_query(query, episode.query)}
    return EpisodeContext(
        wanted=episode.ground_truth or "",
        hidden=sorted(hidden | same),
        recalled=[recalled_id for recalled_id in queries if recalled_id not in same],
        profile=recall_update["profile"],
        choice=chooses_label(turn | question_update),
    )


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
    """The episodes by id, without those whose label is no longer what their context says."""
    return {
        episode.id: episode
        for episode in episodes
        if episode.id not in contexts or episode.ground_truth == contexts[episode.id].wanted
    }
